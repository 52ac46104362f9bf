"""What images cost: per image, per megapixel, per resolution; and how model files say it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_files import HEAD, ONE_SIZE, write_model

from flux_cli.catalog.reading import read
from flux_cli.core.errors import CatalogError
from flux_cli.core.model import UNKNOWN_PRICE, Price, Size

BY_MEGAPIXELS = Price(None, 0.03, 0.015)
FILE = (
    f"{HEAD}{ONE_SIZE}"
    """
PRICE
[parameters]
[routes.fal]
model = "fal/small"
upstream = "fal-ai/small"
price = { first_mp = 0.02, further_mp = 0.01 }
"""
)


def size_of(width, height, tier="1K", native=None):
    return Size(width, height, "1:1", tier, native)


@pytest.mark.parametrize(
    ("width", "height", "megapixels"),
    [
        (1024, 1024, 1),
        (512, 512, 1),
        (1, 1, 1),
        (1024, 1040, 2),
        (1024, 1039, 1),  # models make 1024x1024 of it
        (1145, 916, 1),  # a nominal size of slightly more than a megapixel
        (1183, 887, 1),
        (1920, 1080, 2),
        (2048, 2048, 4),
        (2048, 2064, 5),
    ],
)
def test_megapixels_are_rounded_up(width, height, megapixels):
    price = BY_MEGAPIXELS.usd(size_of(width, height))
    assert price == pytest.approx(0.03 + (megapixels - 1) * 0.015)


def test_the_pixels_that_are_delivered_are_billed():
    assert BY_MEGAPIXELS.usd(size_of(1024, 1024, native=(2048, 2048))) == pytest.approx(0.075)


def test_a_tier_has_its_price_and_one_that_is_not_listed_has_none():
    price = Price(tiers={"1K": 0.048, "2K": 0.1})
    sizes = [size_of(1360, 768), size_of(2720, 1536, "2K"), size_of(5456, 3072, "4K"), None]
    assert [price.usd(size) for size in sizes] == [0.048, 0.1, None, None]


def test_only_a_price_per_image_is_known_without_a_size():
    assert Price(0.06).usd(None) == 0.06
    assert BY_MEGAPIXELS.usd(None) is None
    assert UNKNOWN_PRICE.usd(size_of(1024, 1024)) is None
    assert Price(0.0).usd(None) == 0


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(0, 800))
def test_a_larger_image_never_costs_less(width, height, more):
    price = BY_MEGAPIXELS.usd(size_of(width, height))
    assert 0.03 <= price <= 0.03 + 0.015 * math.ceil(width * height / 2**20)
    assert BY_MEGAPIXELS.usd(size_of(width + more, height)) >= price


def read_text(folder, line):
    return read(write_model(folder, FILE.replace("PRICE", line)))


@pytest.mark.parametrize(
    ("line", "price"),
    [
        ("", Price()),
        ("price_usd = 1", Price(1.0)),
        ("price = { first_mp = 0.05 }", Price(None, 0.05)),
        ("price = { first_mp = 0.05, further_mp = 0 }", Price(None, 0.05, 0.0)),
        ('price = { tiers = { "0.5K" = 0.01, "2K" = 1 } }', Price(tiers={"0.5K": 0.01, "2K": 1.0})),
    ],
)
def test_model_files_name_each_kind_of_price(tmp_path, line, price):
    model = read_text(tmp_path, line)
    assert model.price == price
    assert model.price_of("fal") == Price(None, 0.02, 0.01)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("price_usd = 1\nprice = { first_mp = 1 }", "price is given beside price_usd"),
        ("price = 5", "price must be a table"),
        ("price = {}", "price must have either first_mp or tiers"),
        ('price = { first_mp = 1, tiers = { "1K" = 1 } }', "price must have either"),
        ("price = { further_mp = 1 }", "price must have either"),
        ('price = { further_mp = 1, tiers = { "1K" = 1 } }', "price.further_mp needs first_mp"),
        ("price = { first_mp = -1 }", "price.first_mp must not be negative"),
        ('price = { first_mp = "1" }', "price.first_mp must be a number"),
        ("price = { first_pm = 1 }", "price.first_pm is not a known key; did you mean first_mp"),
        ('price = { tiers = { "large" = 1 } }', "price.tiers.large invalid resolution 'large'"),
        ('price = { tiers = { "1K" = true } }', "price.tiers.1K must be a number"),
    ],
)
def test_a_wrong_price_is_refused_with_its_key(tmp_path, line, reason):
    with pytest.raises(CatalogError) as raised:
        read_text(tmp_path, line)
    assert f"small.toml: {reason}" in raised.value.message
