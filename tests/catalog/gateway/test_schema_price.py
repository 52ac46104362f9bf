"""The price of an image by a gateway's schema: only where there is no doubt."""

import pytest

from flux_cli.catalog.gateway.price import unit_price
from flux_cli.catalog.gateway.reading import read_schema


def schema(*parts, currency="USD", parameters=()):
    components = [dict(zip(("type", "metric", "unit_price"), part, strict=True)) for part in parts]
    price = {"currency": currency, "components": components}
    return read_schema({"price": price, "parameters": dict(parameters)})


IMAGE = ("output", "image", 0.04)
MEGAPIXEL = ("output", "megapixel", 0.02)
INPUT = ("input", "megapixel", 0.01)
CLEAR = {
    "per image": ((IMAGE,), {}, 0.04),
    "per image of any size": ((IMAGE,), {"size": "4096x4096"}, 0.04),
    "inputs that are not sent": ((IMAGE, INPUT), {}, 0.04),
    "inputs that cost nothing": ((IMAGE, ("input", "token", 0)), {}, 0.04),
    "a megapixel": ((MEGAPIXEL,), {}, 0.02),
    "a megapixel by size": ((MEGAPIXEL,), {"size": "1024x1024"}, 0.02),
    "more of them": ((MEGAPIXEL,), {"size": "1920x1080"}, 0.04),
    "a ratio": ((MEGAPIXEL,), {"size": "16:9"}, 0.02),
    "a ratio alone": ((MEGAPIXEL,), {"aspect_ratio": "16:9", "steps": 4}, 0.02),
    "its tier": ((MEGAPIXEL,), {"resolution": "1K"}, 0.02),
}
UNCLEAR = {
    "none": ((), {}),
    "two outputs": ((IMAGE, MEGAPIXEL), {}),
    "only inputs": ((INPUT,), {}),
    "free": ((("output", "image", 0),), {}),
    "not a price": ((("output", "image", "from 0.01"),), {}),
    "a run": ((IMAGE, ("run", "image", 0.01)), {}),
    "tokens of the prompt": ((IMAGE, ("input", "token", 0.01)), {}),
    "an input that cannot be read": ((IMAGE, ("", "", None)), {}),
    "seconds": ((("output", "second", 0.01),), {}),
    "another tier": ((MEGAPIXEL,), {"resolution": "2K"}),
    "no size": ((MEGAPIXEL,), {"size": "auto"}),
    "another parameter for the size": ((MEGAPIXEL,), {"output_megapixels": 4}),
}


@pytest.mark.parametrize("name", CLEAR)
def test_a_clear_price_is_used(name):
    parts, given, price = CLEAR[name]
    assert unit_price(schema(*parts), given) == pytest.approx(price)


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_price_in_doubt_is_unknown(name):
    parts, given = UNCLEAR[name]
    assert unit_price(schema(*parts, parameters={"x": {}}), given) is None


def test_input_images_and_other_currencies_make_the_price_unknown():
    assert unit_price(schema(IMAGE, INPUT), {}, has_inputs=True) is None
    assert unit_price(schema(IMAGE), {}, has_inputs=True) == 0.04
    assert unit_price(schema(IMAGE, currency="EUR"), {}) is None


def test_the_default_size_of_the_schema_counts():
    larger = schema(MEGAPIXEL, parameters={"size": {"default": "2048x2048"}})
    assert unit_price(larger, {}) == pytest.approx(0.08)
    assert unit_price(larger, {"size": "1:1"}) == pytest.approx(0.02)
    tier = schema(MEGAPIXEL, parameters={"resolution": {"default": "4K"}})
    assert unit_price(tier, {}) is None
    auto = schema(MEGAPIXEL, parameters={"size": {"default": "auto"}})
    assert unit_price(auto, {}) == pytest.approx(0.02)
