"""PNGs are small for what they show: gray, black and white, few colors, text, photographs."""

import random

import pytest
from images.pixels.test_other_decoders import run
from images.pixels.test_palette import shapes
from images.pixels.test_render import P3, one, scene
from PIL import Image, ImageDraw, ImageFont
from sample_images import image_bytes, opened

from flux_cli.images.pixels.encoding.encode import encode

GRADIENT = Image.linear_gradient("L").resize((400, 300))
MODES = ("L", "LA", "RGB", "RGBA")


def text(mode="RGB", size=(1600, 1000)):
    """Lines of words in several colors, with smooth edges."""
    image, dice = Image.new(mode, size, "white"), random.Random(1)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    words = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog")
    for y in range(10, size[1], 21):
        color = dice.choice(("black", "#223366", "#662222"))
        line = " ".join(dice.choice(words) for _ in range(30))
        draw.text((10, y), line, fill=color, font=font)
    return image


def grained(mode, size=(900, 700)):
    dice = random.Random(2)
    plane = Image.frombytes("L", size, dice.randbytes(size[0] * size[1]))
    image = Image.blend(plane, Image.linear_gradient("L").resize(size), 0.8)
    return Image.merge(mode, [image.rotate(90 * turn) for turn in range(len(mode))])


def same(made, image):
    return opened(made).convert(image.mode).tobytes() == image.tobytes()


@pytest.mark.parametrize("effort", ["fast", "balanced", "small"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("draw", [text, grained])
def test_every_pixel_is_kept(draw, mode, effort):
    image = draw(mode, (500, 300))
    assert same(encode(image, "png", 0, effort), image)


@pytest.mark.parametrize("mode", MODES)
def test_text_is_no_larger_than_with_the_filters_of_pillow(mode):
    image = text(mode)
    image.info["icc_profile"] = P3
    made = encode(image, "png", 0)
    assert same(made, image)
    assert opened(made).info["icc_profile"] == P3
    assert len(made) <= len(image_bytes(image, "png"))
    assert len(made) < len(encode(image, "png", 0, "fast")) / 2


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_photograph_is_encoded_with_run_lengths_alone(mode):
    image = grained(mode)
    fast = len(encode(image, "png", 0, "fast"))
    assert 0.9 * fast < len(encode(image, "png", 0)) <= fast * 1.001


@pytest.mark.parametrize("size", [(9000, 20), (20, 9000), (9000, 15), (40_000, 4)])
def test_images_of_any_shape_have_a_sample(size):
    image = grained("RGB", size)
    assert same(encode(image, "png", 0), image)


def test_a_scaled_gray_image_is_a_third_of_one_in_colors():
    source = image_bytes(text("L"))
    made = one(source, widths=(800,), formats=("png",))
    assert made.mode == "L"
    gray = image_bytes(made, optimize=True)
    assert len(encode(made, "png", 0)) <= 1.03 * len(gray)


@pytest.mark.parametrize("mode", ["L", "LA", "P"])
def test_gray_stays_gray_whatever_it_is_stored_in(mode):
    image = GRADIENT.convert(mode)
    made = one(image_bytes(image), widths=(200,), formats=("png",))
    assert made.mode == ("LA" if mode == "LA" else "L")


def test_black_and_white_takes_one_bit_per_pixel():
    image = text("L").point(lambda level: 255 * (level > 127)).convert("1")
    source = image_bytes(image, optimize=True)
    made = one(source, formats=("png",), effort="balanced")
    assert (made.mode, made.tobytes()) == ("1", image.tobytes())
    assert len(encode(image.convert("L"), "png", 0)) <= len(source) * 1.03


@pytest.mark.parametrize("source", ["png", "gif"])
def test_a_palette_stays_where_no_pixel_changes(source):
    image = scene().quantize(64)
    data = image_bytes(image, source)
    made = one(data, formats=("png",), effort="balanced")
    assert made.mode == "P"
    assert made.convert("RGB").tobytes() == image.convert("RGB").tobytes()
    assert len(encode(made.convert("RGB"), "png", 0)) <= 1.03 * len(image_bytes(image))


@pytest.mark.parametrize(
    "image",
    [text(), text("L"), shapes().convert("L"), shapes().convert("1").convert("L"), shapes()],
    ids=["text", "gray text", "gray shapes", "two levels", "shapes"],
)
def test_pngcheck_finds_nothing(tmp_path, image):
    (tmp_path / "made.png").write_bytes(encode(image, "png", 0))
    assert "No errors detected" in run("pngcheck", "-v", tmp_path / "made.png")
