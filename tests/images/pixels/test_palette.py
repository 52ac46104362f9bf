"""Palettes: few colors survive exactly, many look better than with Pillow's own palette."""

import random

import pytest
from images.pixels.test_convert import drawn, psnr
from images.pixels.test_render import scene
from PIL import Image, ImageChops, ImageDraw
from sample_images import image_bytes, opened

from flux_cli.images.pixels.encoding.encode import encode
from flux_cli.images.pixels.encoding.palette import choose_palette, exact_palette

COUNTS = (1, 2, 3, 4, 5, 16, 17, 128, 255, 256)


def colored(count, mode="RGB", seed=1):
    """An image of exactly so many colors, in no order."""
    dice = random.Random(seed)
    colors = set()
    while len(colors) < count:
        colors.add(tuple(dice.randrange(256) for _ in mode))
    pixels = [*sorted(colors), *dice.choices(sorted(colors), k=1000 - count)]
    dice.shuffle(pixels)
    return Image.frombytes(mode, (40, 25), bytes(part for pixel in pixels for part in pixel))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("count", COUNTS)
def test_few_colors_keep_every_pixel(mode, count):
    image = colored(count, mode)
    few = exact_palette(image)
    assert few.mode == "P"
    assert len(few.getpalette()) == 3 * count
    assert few.convert(mode).tobytes() == image.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_one_color_too_many_has_no_exact_palette(mode):
    assert exact_palette(colored(257, mode)) is None
    assert exact_palette(colored(20, mode), 19) is None


def test_neighboring_colors_are_not_taken_together():
    image = Image.new("RGB", (16, 16))
    image.putdata([(100 + at % 2, 100 + at // 2 % 8, 100 + at // 16) for at in range(256)])
    assert exact_palette(image).convert("RGB").tobytes() == image.tobytes()


# --- png at `small`


def shapes(size=(1600, 900)):
    """A flat drawing: few colors, large areas, hard edges."""
    image, dice = Image.new("RGB", size, (245, 242, 235)), random.Random(1)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(10, 180)
        color = tuple(dice.randrange(0, 256, 51) for _ in range(3))
        dice.choice((draw.ellipse, draw.rectangle))((x - r, y - r, x + r, y + r), fill=color)
    return image


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("count", COUNTS)
def test_a_small_png_of_few_colors_has_every_pixel(mode, count):
    image = colored(count, mode)
    made = opened(encode(image, "png", 0, "small"))
    assert made.mode == "P"
    assert made.convert(mode).tobytes() == image.tobytes()


@pytest.mark.parametrize("profile", [b"", bytes(16) + b"RGB " + bytes(200)])
def test_filtered_rows_make_a_drawing_smaller_than_pillow_can(profile):
    image, drawing = shapes(), shapes()
    image.info["icc_profile"] = profile
    data = encode(image, "png", 0, "small")
    by_palette = drawing.quantize(256, dither=Image.Dither.NONE)
    assert len(data) - len(profile) < 0.95 * len(image_bytes(by_palette, "png", optimize=True))
    assert opened(data).convert("RGB").tobytes() == drawing.tobytes()
    assert opened(data).info.get("icc_profile", b"") == profile


def test_a_small_png_of_many_colors_has_every_pixel():
    image = scene()
    made = opened(encode(image, "png", 0, "small"))
    assert (made.mode, made.tobytes()) == ("RGB", image.tobytes())


# --- gif


@pytest.mark.parametrize("count", COUNTS)
def test_a_gif_of_few_colors_has_every_pixel(count):
    image = colored(count)
    assert opened(encode(image, "gif", 0)).convert("RGB").tobytes() == image.tobytes()


def test_a_see_through_gif_of_few_colors_has_every_pixel_that_shows():
    image = colored(100)
    image.putalpha(
        Image.linear_gradient("L").resize(image.size).point(lambda level: 255 * (level < 128))
    )
    made = opened(encode(image, "gif", 0)).convert("RGBA")
    assert made.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    nothing = Image.new("RGBA", image.size)
    shown = [Image.composite(one, nothing, image.getchannel("A")) for one in (made, image)]
    assert shown[0].tobytes() == shown[1].tobytes()


def grained(size):
    """Smooth colors under a sensor's grain."""
    dice = random.Random(3)
    grain = Image.frombytes(
        "RGB", size, bytes(128 + dice.randrange(-5, 6) for _ in range(3 * size[0] * size[1]))
    )
    return ImageChops.add(drawn(size), grain, 1, -128)


@pytest.mark.parametrize(
    ("image", "gain"), [(grained((600, 400)), 0.3), (scene(), 0.5)], ids=["grain", "scene"]
)
def test_a_gif_is_better_by_the_pixel_than_pillows_and_much_better_from_afar(image, gain):
    ours, theirs = (
        opened(data).convert("RGB") for data in (encode(image, "gif", 0), image_bytes(image, "gif"))
    )
    assert psnr(ours, image) > psnr(theirs, image) + gain
    assert psnr(ours.reduce(4), image.reduce(4)) > psnr(theirs.reduce(4), image.reduce(4)) + 2


def test_a_sky_is_dithered_throughout():
    image = drawn((600, 400)).point([100 + level // 3 for level in range(256)] * 3)
    theirs = opened(image_bytes(image, "gif")).convert("RGB")
    assert (
        psnr(choose_palette(image).convert("RGB").reduce(4), image.reduce(4))
        > psnr(theirs.reduce(4), image.reduce(4)) + 4
    )


def test_a_flat_area_beside_many_colors_gets_no_dots():
    image = Image.new("RGB", (600, 400), (201, 77, 33))
    image.paste(drawn((300, 400)), (300, 0))
    flat = choose_palette(image).convert("RGB").crop((0, 0, 290, 400))
    assert len(flat.getcolors()) == 1
