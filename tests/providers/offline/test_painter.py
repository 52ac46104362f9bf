"""The painter of offline sketches: what a sketch depends on, what it shows, what it survives."""

import hashlib
import os
import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

import flux_cli
from flux_cli.providers.offline.painter import draw

pytestmark = pytest.mark.slow

ROOT = Path(flux_cli.__file__).parents[1]
FRESH = """
import hashlib, sys
from flux_cli.providers.offline.painter import draw
print(hashlib.sha256(draw(sys.argv[1], int(sys.argv[2]), 160, 90).image.tobytes()).hexdigest())
"""
PLACES = ("mountains", "the sea", "a forest", "hills", "desert dunes", "a lake in the mountains")
IMAGES = (
    *PLACES,
    "a lighthouse in the fog at night",
    "aurora",
    "a foggy snowfall",
    "rain in an autumn forest",
    "cat",
)
HUES = {"red": 0, "green": 1, "blue": 2}


def digest(prompt, seed=1, width=160, height=90, **more):
    return hashlib.sha256(draw(prompt, seed, width, height, **more).image.tobytes()).hexdigest()


@cache
def means(prompt):
    """The image's mean red, green and blue."""
    return ImageStat.Stat(draw(prompt, 1, 160, 120, badge=False).image).mean


def share(prompt, channel):
    color = means(prompt)
    return color[channel] / sum(color)


def unlike(one, other):
    """How far apart two images are, 0 to 255, once details are blurred away."""
    small = [image.resize((16, 16), Image.Resampling.BOX) for image in (one, other)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
@pytest.mark.parametrize(
    ("prompt", "seed"), [("teal aurora over a lake", 7), ("京都の桜", -3), ("", 2**63)]
)
def test_a_fresh_interpreter_draws_the_same_bytes(prompt, seed, hash_seed):
    """Nothing but the arguments decides an image: no state of the process, no hash seed."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH, prompt, str(seed)],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == digest(prompt, seed)


@pytest.mark.parametrize("prompt", IMAGES)
def test_another_seed_is_another_composition(prompt):
    """Seeds that count up give images that differ in the large, not only in grain."""
    images = [draw(prompt, seed, 240, 160, badge=False).image for seed in (1, 2, 3)]
    assert min(unlike(one, other) for one, other in combinations(images, 2)) > 2


@pytest.mark.parametrize("seed", [-(2**63), -1, 0, 1, 2**32, 2**63])
def test_every_whole_number_is_a_seed_of_its_own(seed):
    """A negative seed is not its positive twin, and 64 bits all count."""
    assert digest("hills", seed) not in {
        digest("hills", -seed or 5),
        digest("hills", seed % 1000 + 7),
    }


def test_prompts_differ_even_without_a_word_the_painter_knows():
    """Every prompt has its own image."""
    prompts = (*IMAGES, "dog", "", "🦊", "京都の桜")
    assert len({digest(prompt) for prompt in prompts}) == len(prompts)


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (1, 1),
        (1, 40),
        (40, 1),
        (63, 65),
        (64, 64),
        (256, 256),
        (670, 1564),
        (3136, 1344),
        (1, 8192),
        (8192, 1),
    ],
)
def test_the_size_is_exact(width, height):
    """Tiny, tall and wide images come out in RGB at the size asked for."""
    image = draw("snowy mountain lake in the rain at night", 1, width, height).image
    assert (image.mode, image.size) == ("RGB", (width, height))


@pytest.mark.parametrize("prompt", IMAGES)
@pytest.mark.parametrize(("width", "height"), [(2, 3), (64, 300), (300, 64)])
def test_every_painter_can_work_in_a_corner(prompt, width, height):
    """Nothing painted needs room: every image can be had at sizes nobody wants, too."""
    assert draw(prompt, 1, width, height).image.size == (width, height)


@pytest.mark.parametrize("place", [*PLACES, "zeppelin"])
@pytest.mark.parametrize("hue", HUES)
def test_a_named_color_tints_the_image(hue, place):
    """The mean color moves towards the color the prompt names, whatever it is said of."""
    assert share(f"{hue} {place} at noon", HUES[hue]) > share(f"{place} at noon", HUES[hue])


@pytest.mark.parametrize("place", PLACES)
def test_night_is_darker_than_noon(place):
    """The hour in the prompt is the light in the image."""
    assert sum(means(f"{place} at night")) < 0.6 * sum(means(f"{place} at noon"))


@pytest.mark.parametrize(
    ("plain", "other"),
    [
        ("forest at noon", "autumn forest at noon"), ("hills at noon", "snowy hills at noon"),
        ("mountains at noon", "winter mountains at noon"), ("sea at noon", "mountain lake at noon"),
        ("forest at dawn", "misty forest at dawn"),
        ("lake at night", "aurora over a lake at night"),
        ("sea at dusk", "sea in the rain at dusk"), ("hills at dusk", "snowfall on hills at dusk"),
        ("sea at noon", "cloudy sea at noon"), ("sea at noon", "overcast sea"),
        ("desert at dusk", "desert at dawn"), ("sea at noon", "lighthouse by the sea at noon"),
    ],
)  # fmt: skip
def test_seasons_weather_and_hours_show(plain, other):
    """A word of the vocabulary changes the image."""
    assert unlike(draw(plain, 1, 240, 160).image, draw(other, 1, 240, 160).image) > 1


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a red fox in the snow at dawn", ("fox",)),
        ("Sunset over the sea", ()),
        ("a picture of hills", ()),
        ("a lighthouse on a beach", ()),
        ("two cats, a dog and two CATS", ("two", "cats", "dog")),
        ("a beautiful, highly detailed photo of misty mountains, 4k", ("highly",)),
        ("ein roter Fuchs über dem Fluß", ("ein", "roter", "fuchs", "über", "dem", "fluß")),
        ("京都の桜", ("京都の桜",)),
        ("tomato", ("tomato",)),
        ("teal and coral waves", ()),
        ("rainy streets of a neon city", ("streets", "neon", "city")),
        ("Saturn, its rings and a field of flowers", ("saturn", "rings", "flowers")),
        ("🦊 \x00 \ud800", ()),
        ("", ()),
    ],
)
def test_undrawn_words_are_those_nothing_in_the_image_stands_for(prompt, words):
    """Content words in lower case, in order, once each; no colors, lights, weather or filler."""
    assert draw(prompt, 1, 64, 64).undrawn == words


@pytest.mark.parametrize(
    ("width", "height"), [(1024, 1024), (1365, 768), (670, 1564), (256, 256), (64, 64), (16, 200)]
)
def test_the_badge_changes_the_lower_right_corner_only(width, height):
    """An image with a badge is the same image with a mark that fits inside it."""
    bare, marked = (
        draw("misty hills", 1, width, height, badge=badge).image for badge in (False, True)
    )
    left, top, right, bottom = ImageChops.difference(bare, marked).getbbox()
    assert right < width or width < 64
    assert bottom < height
    assert top > height * 0.8 - 10
    assert left > (width * 0.5 if width > 800 else 0) or width < 64
    assert (right + left) / 2 > width / 2


@pytest.mark.parametrize(
    "label", ["", "x", "never the model " * 20, "two\nlines", "\ud800", "偽物"]
)
def test_any_label_leaves_a_mark(label):
    """A label that cannot be written still marks the image."""
    bare, marked = (
        draw("hills", 1, 200, 120, badge=badge, label=label).image for badge in (False, True)
    )
    assert ImageChops.difference(bare, marked).getbbox()


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " ",
        "🦊🌊",
        "\x00\x01\n\t",
        "\ud800 lake \udfff",
        "a" * 100_000,
        "lake " * 20_000,
        "red blue " * 12_000,
        "%s {0} \\",
    ],
    ids=lambda prompt: ascii(prompt[:12]),
)
def test_any_prompt_gives_an_image(prompt):
    """Any text is drawn: emoji, control characters, lone surrogates, 100,000 characters."""
    assert draw(prompt, 1, 64, 64).image.size == (64, 64)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320)])
def test_a_lighthouse_stands_away_from_the_sun_and_is_mirrored(seed, width, height):
    """Its red bands are above and below the shore, on one side of the image."""
    image = draw("a lighthouse by a blue sea at noon", seed, width, height, badge=False).image
    red, green, blue = image.split()
    reddish = ImageChops.subtract(red, ImageChops.lighter(green, blue)).point(
        lambda level: 255 * (level > 12)
    )
    left, top, right, bottom = reddish.getbbox()
    assert right - left < width / 4
    assert left > 0
    assert right < width
    assert (bottom - top) > height / 10
