"""Sizes of model files: ratios and resolutions, and free sizes; wrong ones are refused."""

import pytest
from model_files import HEAD, write_model

from flux_cli.catalog.find import find_model
from flux_cli.catalog.reading import read
from flux_cli.core.errors import CatalogError
from flux_cli.core.model import AnySize

FILE = (
    f"{HEAD}"
    """
any_size = { step = 16, min_side = 64, max_pixels = 4194304 }
auto_size = true

[shapes]
aspect_ratios = ["16:9", "1:1", "3:4"]
resolutions = ["1K", "2K"]

[parameters]

[routes]

[providers.fal]
any_size = { step = 32, max_side = 2048, max_pixels = 4194304 }
[providers.fal.parameters]
"""
)


def read_text(folder, text):
    return read(write_model(folder, text))


def names_of(model):
    return [(size.name, size.aspect_ratio, size.resolution, size.native) for size in model.sizes]


def test_shapes_are_every_ratio_at_every_resolution_with_nominal_pixels(tmp_path):
    assert names_of(read_text(tmp_path, FILE)) == [
        ("1365x768", "16:9", "1K", None),
        ("1024x1024", "1:1", "1K", None),
        ("887x1182", "3:4", "1K", None),
        ("2731x1536", "16:9", "2K", None),
        ("2048x2048", "1:1", "2K", None),
        ("1774x2365", "3:4", "2K", None),
    ]


def test_with_a_step_sides_are_rounded_down(tmp_path):
    text = FILE.replace('"2K"]', '"2K"]\nstep = 16')
    names = [size.name for size in read_text(tmp_path, text).sizes]
    assert names == ["1360x768", "1024x1024", "880x1168", "2720x1536", "2048x2048", "1760x2352"]


def test_shapes_of_the_gateway_are_those_of_its_pages(tmp_path):
    ultra = find_model("flux1.1-pro-ultra")
    listed = ", ".join(f'"{size.aspect_ratio}"' for size in ultra.sizes)
    text = FILE.replace('"16:9", "1:1", "3:4"', listed).replace(', "2K"', "")
    assert [size.name for size in read_text(tmp_path, text).sizes] == [
        size.name for size in ultra.sizes
    ]


def test_free_sizes_are_read_for_the_model_and_for_a_provider(tmp_path):
    model = read_text(tmp_path, FILE)
    assert model.any_size == AnySize(16, 64, None, 4_194_304)
    assert model.dialects["fal"].any_size == AnySize(32, 32, 2048, 4_194_304)
    assert model.auto_size


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('["1K", "2K"]', "[]", "sizes is empty"),
        ('["1K", "2K"]', '["big"]', "shapes.resolutions invalid resolution 'big'"),
        ('["1K", "2K"]', "5", "shapes.resolutions must be a list"),
        ('["1K", "2K"]', '["1K"]\nstep = 0', "shapes.step must be at least 1"),
        ('["1K", "2K"]', '["1K"]\nsetp = 16', "shapes.setp is not a known key; did you mean step"),
        ('["1K", "2K"]', '["1K", "1K"]', "sizes has two rows with the same"),
        ('"3:4"', '"wide"', "shapes.aspect_ratios invalid aspect_ratio 'wide'"),
        ("auto_size = true", "sizes = []", "shapes is given beside sizes"),
        ("auto_size = true", "auto_size = 1", "auto_size must be true or false"),
        ("step = 16, ", "", "any_size.step is missing"),
        ("step = 16", "step = 0", "any_size.step must be at least 1"),
        ("step = 16", "step = 1.5", "any_size.step must be a whole number"),
        ("min_side = 64", "min_side = 0", "any_size.min_side must be at least 1"),
        ("min_side = 64, max_pixels = 4194304", "max_pixels = 9", "any_size.max_pixels must be at"),
        ("min_side = 64", "mn_side = 64", "any_size.mn_side is not a known key; did you"),
        ("max_side = 2048", "max_side = 16", "providers.fal.any_size.max_side must be at least 32"),
        (", max_side = 2048, max_pixels = 4194304", "", "providers.fal.any_size.max_pixels is mis"),
    ],
)
def test_a_wrong_size_is_refused_with_its_key(tmp_path, old, new, reason):
    assert FILE.count(old) == 1
    with pytest.raises(CatalogError) as raised:
        read_text(tmp_path, FILE.replace(old, new))
    assert f"small.toml: {reason}" in raised.value.message
