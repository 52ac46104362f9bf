"""Conversion: every source becomes every target and looks the same; broken bytes are errors."""

import contextlib
import math
import random
import re
import struct
import subprocess
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat, JpegImagePlugin, features
from sample_images import damaged_copies, image_bytes, opened

from flux_cli.core.errors import ImageError
from flux_cli.images.containers.registry import inspect
from flux_cli.images.details import read_details
from flux_cli.images.formats import FORMATS, QUALITY
from flux_cli.images.pixels.pillow import save
from flux_cli.images.pixels.render import convert

SIZE = (96, 64)
TARGETS = tuple(FORMATS)
each_target = pytest.mark.parametrize("target", TARGETS)


def drawn(size=SIZE):
    """A smooth image in color, the kind these formats are made for."""
    round_, straight = (
        Image.radial_gradient("L").resize(size),
        Image.linear_gradient("L").resize(size),
    )
    return Image.merge("RGB", (round_, straight, ImageOps.invert(round_)))


def see_through(size=SIZE):
    """Opaque above, transparent below."""
    image = drawn(size)
    image.putalpha(Image.linear_gradient("L").resize(size).point(lambda value: 255 * (value < 128)))
    return image


def psnr(one, other):
    """Decibels between two images: 99 for equal ones, above 30 for what eyes take for equal."""
    squares = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return 99.0 if mean == 0 else 10 * math.log10(255**2 / mean)


PLAIN = drawn()
SEE_THROUGH = see_through()
GRAY16 = (
    Image.merge("L", [Image.linear_gradient("L").resize(SIZE)])
    .convert("I")
    .point(lambda value: value * 257)
    .convert("I;16")
)
SOURCES = {
    "png": image_bytes(PLAIN, "png"),
    "png palette": image_bytes(PLAIN.quantize(64), "png"),
    "png gray": image_bytes(PLAIN.convert("L"), "png"),
    "png gray and alpha": image_bytes(SEE_THROUGH.convert("LA"), "png"),
    "png alpha": image_bytes(SEE_THROUGH, "png"),
    "png palette and alpha": image_bytes(SEE_THROUGH.quantize(64), "png"),
    "png one bit": image_bytes(PLAIN.convert("1"), "png"),
    "png sixteen bits": image_bytes(GRAY16, "png"),
    "png one transparent color": image_bytes(PLAIN, "png", transparency=(0, 0, 0)),
    "jpeg": image_bytes(PLAIN, "jpeg", quality=95),
    "jpeg progressive": image_bytes(PLAIN, "jpeg", progressive=True),
    "jpeg gray": image_bytes(PLAIN.convert("L"), "jpeg"),
    "jpeg cmyk": image_bytes(PLAIN.convert("CMYK"), "jpeg", quality=95),
    "gif": image_bytes(PLAIN, "gif"),
    "gif alpha": image_bytes(SEE_THROUGH, "gif"),
    "gif animated": image_bytes(PLAIN, "gif", save_all=True, append_images=[PLAIN.rotate(90)]),
    "webp": image_bytes(PLAIN, "webp"),
    "webp lossless alpha": image_bytes(SEE_THROUGH, "webp", lossless=True),
    "webp animated": image_bytes(PLAIN, "webp", save_all=True, append_images=[PLAIN.rotate(90)]),
    "avif": image_bytes(PLAIN, "avif", speed=10),
    "avif alpha": image_bytes(SEE_THROUGH, "avif", speed=10),
}


@pytest.mark.parametrize("source", SOURCES)
@each_target
def test_every_source_becomes_every_target_of_the_same_size(source, target):
    made = convert(SOURCES[source], target, None)
    assert (made.format, made.width, made.height, made.as_received) == (target, *SIZE, False)
    assert inspect(made.data)[:3] == (target, *SIZE)
    assert opened(made.data).format == target.upper()


@pytest.mark.parametrize(
    ("target", "least"), [("png", 99), ("jpeg", 40), ("webp", 36), ("avif", 36), ("gif", 32)]
)
@pytest.mark.parametrize("source", ["png", "jpeg", "jpeg progressive", "webp", "avif"])
def test_a_converted_image_looks_like_its_source(source, target, least):
    """Lossless targets change nothing, lossy ones no more than eyes notice, GIF what it must."""
    assert (
        psnr(opened(SOURCES[source]), opened(convert(SOURCES[source], target, None).data)) >= least
    )


GRAY_PIXELS = {"png": "gray", "jpeg": "gray", "gif": "palette", "webp": "YUV 4:2:0", "avif": "gray"}


@pytest.mark.parametrize("source", ["jpeg gray", "png gray and alpha", "png sixteen bits"])
@each_target
def test_gray_stays_gray(source, target):
    data = convert(SOURCES[source], target, 90).data
    assert read_details(data).colors.model == GRAY_PIXELS[target]
    red, green, blue = opened(data).convert("RGB").split()
    for one, other in ((red, green), (green, blue)):
        assert ImageChops.difference(one, other).getextrema()[1] <= 1


@pytest.mark.parametrize(
    ("target", "settings"),
    [("jpeg", {"optimize": True, "subsampling": "4:2:0"}), ("webp", {"method": 4})],
)
def test_the_default_quality_is_the_80_of_other_tools(target, settings):
    """These are the settings of sharp's defaults, and the bytes are the same on photographs."""
    usual = image_bytes(PLAIN, target, quality=80, **settings)
    assert convert(SOURCES["png"], target, None).data == usual


def test_of_several_images_in_a_jpeg_the_first_counts():
    several = image_bytes(
        PLAIN, "mpo", save_all=True, append_images=[PLAIN.rotate(180)], quality=95
    )
    assert psnr(opened(convert(several, "png", None).data), PLAIN) >= 40


@pytest.mark.skipif(
    not hasattr(Image, "_import_plugin_for_extension"),
    reason="this Pillow loads all plug-ins to save",
)
@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif"])
def test_only_the_plug_ins_of_the_two_formats_are_loaded(target):
    """All of Pillow's plug-ins cost as much as decoding an image of two megapixels."""
    program = (
        "import sys; from flux_cli.images.pixels.render import convert; "
        "convert(sys.stdin.buffer.read(), sys.argv[1], None); "
        "print(*sys.modules)"
    )
    words = [sys.executable, "-c", program, target]
    done = subprocess.run(words, input=SOURCES["png"], capture_output=True, check=True)
    loaded = re.findall(r"PIL\.(\w+)ImagePlugin", done.stdout.decode())
    assert set(loaded) == {FORMATS["png"].plugin, FORMATS[target].plugin}


# --- transparency

OPAQUE_AT, CLEAR_AT = (48, 8), (48, 56)


@pytest.mark.parametrize("source", [name for name in SOURCES if "alpha" in name])
@pytest.mark.parametrize("target", ["png", "gif", "webp", "avif"])
def test_transparency_is_kept_where_the_format_can_keep_it(source, target):
    alpha = opened(convert(SOURCES[source], target, None).data).convert("RGBA").getchannel("A")
    assert alpha.getpixel(OPAQUE_AT) >= 250
    assert alpha.getpixel(CLEAR_AT) <= 5


@pytest.mark.parametrize("source", [name for name in SOURCES if "alpha" in name])
def test_transparency_is_flattened_onto_white_for_jpeg(source):
    image = opened(convert(SOURCES[source], "jpeg", 95).data)
    assert image.mode == ("L" if "gray" in source else "RGB")
    image = image.convert("RGB")
    assert min(image.getpixel(CLEAR_AT)) >= 250
    assert max(image.getpixel(OPAQUE_AT)) < 250


def test_half_transparent_pixels_are_mixed_with_white_for_jpeg():
    source = image_bytes(Image.new("RGBA", SIZE, (255, 0, 0, 128)), "png")
    red, green, blue = opened(convert(source, "jpeg", 100).data).getpixel((20, 20))
    assert (red, green, blue) == pytest.approx((255, 127, 127), abs=3)


@each_target
def test_opaque_images_get_no_alpha(target):
    assert not opened(convert(SOURCES["png"], target, None).data).has_transparency_data


@pytest.mark.parametrize("color", [(255, 0, 0, 0), (0, 0, 0, 255), (9, 9, 9, 127)])
@each_target
def test_images_of_one_color_and_alpha_survive(color, target):
    source = image_bytes(Image.new("RGBA", SIZE, color), "png")
    made = opened(convert(source, target, None).data).convert("RGBA")
    alpha = made.getpixel((5, 5))[3]
    most_of_clear = 127 if target == "gif" else 4  # a pixel of a GIF is opaque or clear
    if FORMATS[target].alpha and color[3] <= most_of_clear:
        assert alpha <= 5
    else:
        assert alpha >= 120


def test_one_transparent_gray_of_sixteen_bits_is_the_only_transparent_one():
    gray = Image.new("I;16", (2, 1))
    gray.putpixel((0, 0), 40_000)
    gray.putpixel((1, 0), 10_000)
    source = image_bytes(gray, "png", transparency=40_000)
    made = opened(convert(source, "png", None).data).convert("RGBA")
    assert [made.getpixel((x, 0))[3] for x in (0, 1)] == [0, 255]


# --- depth, color, orientation


@each_target
def test_sixteen_bits_become_eight_without_losing_light_or_dark(target):
    image = opened(convert(SOURCES["png sixteen bits"], target, 95).data).convert("L")
    reference = Image.linear_gradient("L").resize(SIZE)
    assert psnr(image, reference) >= 30


@each_target
def test_cmyk_becomes_the_same_colors_in_rgb(target):
    assert psnr(opened(convert(SOURCES["jpeg cmyk"], target, 95).data), PLAIN) >= 28


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]


@pytest.mark.parametrize("source", ["png", "jpeg", "webp", "avif"])
@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif"])
def test_a_color_profile_is_kept(source, target):
    made = opened(convert(image_bytes(PLAIN, source, icc_profile=SRGB), target, None).data)
    assert made.info.get("icc_profile") == SRGB


def test_gif_has_no_place_for_a_profile():
    assert (
        "icc_profile"
        not in opened(convert(image_bytes(PLAIN, "png", icc_profile=SRGB), "gif", None).data).info
    )


@pytest.mark.parametrize(
    ("mode", "profile"),
    [("L", GRAY_PROFILE), ("CMYK", SRGB[:16] + b"CMYK" + SRGB[20:]), ("CMYK", SRGB)],
    ids=["gray", "cmyk", "rgb on cmyk"],
)
@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif"])
def test_a_profile_of_other_channels_is_not_put_on_rgb(mode, profile, target):
    """Viewers would show wrong colors, or refuse the file."""
    made = opened(
        convert(image_bytes(PLAIN.convert(mode), "jpeg", icc_profile=profile), target, None).data
    )
    assert made.mode == ("L" if mode == "L" and target != "webp" else "RGB")
    assert made.info.get("icc_profile", b"")[16:20] in (b"", b"RGB ")


@pytest.mark.parametrize(
    "profile", [b"x", b"nonsense" * 100, SRGB[:100]], ids=["short", "nonsense", "cut"]
)
@each_target
def test_a_broken_profile_does_not_lose_the_image(profile, target):
    for mode in ("RGB", "CMYK"):
        made = convert(image_bytes(PLAIN.convert(mode), "jpeg", icc_profile=profile), target, None)
        assert (made.width, made.height) == SIZE


def turned(file_format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return image_bytes(PLAIN, file_format, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif"])
def test_orientation_is_applied_and_not_said_twice(source, orientation):
    data = turned(source, orientation)
    made = convert(data, "png", None)
    assert (made.width, made.height) == (SIZE if orientation < 5 else SIZE[::-1])
    image = opened(made.data)
    assert image.getexif().get(0x0112, 1) == 1
    assert psnr(ImageOps.exif_transpose(opened(data)), image) == 99


@each_target
def test_nothing_of_the_camera_is_carried_over(target):
    exif = Image.Exif()
    exif[0x010F] = "maker"
    made = opened(
        convert(image_bytes(PLAIN, "jpeg", exif=exif, comment=b"words"), target, None).data
    )
    assert 0x010F not in made.getexif()
    assert "comment" not in made.info


@pytest.mark.parametrize("source", ["gif animated", "webp animated"])
@each_target
def test_an_animation_becomes_its_first_image(source, target):
    made = opened(convert(SOURCES[source], target, 95).data)
    assert getattr(made, "n_frames", 1) == 1
    assert psnr(made, PLAIN) >= 28


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (3, 5), (17, 33)])
@each_target
def test_odd_and_tiny_sizes_are_kept(size, target):
    for image in (drawn(size), see_through(size)):
        made = convert(image_bytes(image, "png"), target, None)
        assert (made.width, made.height) == size


# --- quality


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_quality_decides_size_and_likeness(target):
    noise = Image.frombytes("RGB", SIZE, random.Random(0).randbytes(3 * SIZE[0] * SIZE[1]))
    noisy = Image.blend(PLAIN, noise, 0.4)
    source = image_bytes(noisy, "png")
    made = [convert(source, target, quality).data for quality in (0, 30, 60, 90, 100)]
    sizes = [len(data) for data in made]
    assert sizes == sorted(set(sizes))
    likeness = [psnr(opened(data), noisy) for data in made]
    assert likeness == sorted(likeness)


@pytest.mark.parametrize(
    ("quality", "halved"), [(None, True), (100, False), (90, False), (89, True), (0, True)]
)
def test_jpeg_keeps_full_color_at_high_quality_and_halves_it_below(quality, halved):
    image = opened(convert(SOURCES["png"], "jpeg", quality).data)
    assert JpegImagePlugin.get_sampling(image) == (2 if halved else 0)  # 4:2:0 or 4:4:4


def test_a_large_gif_whose_palette_comes_from_a_sample_looks_like_its_source():
    large = drawn((640, 480))
    assert psnr(opened(convert(image_bytes(large, "png"), "gif", None).data), large) >= 32


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_no_quality_means_the_default_of_all_formats(target):
    assert (
        convert(SOURCES["png"], target, None).data == convert(SOURCES["png"], target, QUALITY).data
    )


def test_quality_changes_nothing_of_a_lossless_png():
    assert psnr(opened(convert(SOURCES["png"], "png", 5).data), PLAIN) == 99


# --- settings


def test_a_save_leaves_no_settings_behind():
    image = drawn()
    large = save(image, "jpeg", {"quality": 95})
    assert save(image, "jpeg", {}) == image_bytes(drawn(), "jpeg") != large


# --- what cannot be converted


@each_target
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        image_bytes(PLAIN, "pcx"),  # Pillow could read it
        SOURCES["png"][:100],
        SOURCES["jpeg"][:100],
        SOURCES["gif"][:20],
        SOURCES["webp"][: len(SOURCES["webp"]) // 2],
        SOURCES["avif"][: len(SOURCES["avif"]) // 2],
    ],
    ids=["empty", "HTML", "PCX", "png", "jpeg", "gif", "webp", "avif"],
)
def test_what_cannot_be_decoded_is_an_image_error(data, target):
    with pytest.raises(ImageError, match=f"cannot be converted to {target}"):
        convert(data, target, None)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("side", [10_001, 100_000, 2**31 - 1])
def test_an_image_of_absurd_size_is_refused_before_it_is_decoded(side):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    bomb = b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")
    with pytest.raises(ImageError):
        convert(bomb, "jpeg", None)


@pytest.mark.parametrize(
    ("target", "longest"), [("webp", 16_383), ("jpeg", 65_500), ("gif", 65_535), ("avif", 65_536)]
)
def test_a_side_the_target_cannot_have_is_an_image_error(target, longest):
    source = image_bytes(Image.new("L", (longest + 1, 1)), "png")
    with pytest.raises(ImageError, match=f"cannot be converted to {target}"):
        convert(source, target, None)


@pytest.mark.parametrize("source", ["png", "png palette", "jpeg", "gif", "webp", "avif"])
def test_damaged_bytes_are_an_image_or_an_image_error(source):
    for data in damaged_copies(SOURCES[source]):
        with contextlib.suppress(ImageError):
            assert inspect(convert(data, "png", None).data).format == "png"


@given(tags=st.binary(max_size=80))
def test_nonsense_in_the_exif_does_not_crash(tags):
    for exif in (
        b"Exif\0\0" + tags,
        b"Exif\0\0II*\0\x08\0\0\0" + tags,
        b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12" + tags,
    ):
        with contextlib.suppress(ImageError):
            assert convert(image_bytes(PLAIN, "jpeg", exif=exif), "png", None).format == "png"


def test_this_pillow_has_every_codec_the_cli_promises():
    for codec in ("jpg", "zlib", "webp", "avif"):
        assert features.check(codec), codec
