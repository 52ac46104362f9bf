"""What a request means to its model: respelled requests are equal, others are not."""

import pytest
from manifests import assets_of

from flux_cli.build.resolution import image_digest, resolve_asset
from flux_cli.catalog.find import find_model
from flux_cli.core.errors import ManifestError

BASE = '[assets.hero]\nmodel = "{}"\nprompt = "a cat"\noutput = "hero.png"\n'
FILES = {"a.png": "a", "b.png": "b"}


def digest_of(lines, model="flux1.1-pro-ultra"):
    asset = assets_of(BASE.format(model) + lines, FILES)["hero"]
    found = find_model(str(asset.settings.parameters["model"]))
    return image_digest(resolve_asset(asset, found, "flux-build.toml: hero"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('size = "16:9"', 'aspect_ratio = "16:9"'),
        ('size = "16:9"', 'size = "32:18"'),
        ('size = "1200x630"', 'size = "1210x630"'),
        ("seed = 7", 'seed = "+7"'),
        ("raw = true", 'param = {}\nraw = "true"'),
        ('route = "fal"', ""),
        ("width = [64]", ""),
        ("output_compression = 70", ""),
    ],
)
def test_other_words_for_the_same_request(one, other):
    assert digest_of(one) == digest_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('size = "16:9"', ""),
        ('size = "16:9"', 'size = "1:1"'),
        ("seed = 7", "seed = 8"),
        ("seed = 7", ""),
        ("raw = true", "raw = false"),
        ('image_prompt = "a.png"', 'image_prompt = "b.png"'),
        ("param = { steps = 4 }", "param = { steps = 5 }"),
        ('param = { steps = "4" }', "param = { steps = 4 }"),
    ],
)
def test_other_requests(one, other):
    assert digest_of(one) != digest_of(other)


def test_aliases_and_routes_name_the_same_model():
    assert digest_of("") == digest_of("", "fal/flux1.1-pro-ultra")
    assert digest_of("") != digest_of("", "flux1.1-pro")
    assert digest_of("", "some/unknown") != digest_of("", "other/unknown")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("seed = 1.5", "seed must be a whole number"),
        ("safety_tolerance = 9", "safety_tolerance must be"),
        ('size = "4K"', "invalid size '4K'"),
        ("image_prompt_strength = 7", "image_prompt_strength must be"),
    ],
)
def test_what_the_model_does_not_accept_names_the_asset(lines, message):
    with pytest.raises(ManifestError) as caught:
        digest_of(lines)
    assert f"flux-build.toml: hero: {message}" in caught.value.message
    assert caught.value.hint
