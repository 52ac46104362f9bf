"""What an image is, told by its container: the same as a decoder says of it."""

import contextlib
import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms
from sample_images import HIGH, IMAGES, WIDE, damaged_copies, encoded

from flux_cli.core.errors import ImageError
from flux_cli.images.details import profile_name, read_details

MODES = {"gray": ("1", "L", "LA", "P"), "palette": ("P", "L"), "CMYK": ("CMYK",)}


@pytest.mark.parametrize("name", IMAGES)
def test_colors_frames_and_size_are_what_pillow_decodes(name):
    data = IMAGES[name]
    details = read_details(data)
    with Image.open(io.BytesIO(data)) as image:
        assert (details.format, details.width, details.height) == (
            image.format.lower(),
            *image.size,
        )
        # An APNG's default image may stand outside the animation; Pillow counts it too.
        frames = getattr(image, "n_frames", 1)
        assert details.colors.frames in ((0,) if name == "avif animated" else (frames,))
        modes = MODES.get(details.colors.model, ("RGB", "RGBA", "L"))
        assert image.mode in modes or name.startswith("gif")
    assert details.size == len(data)
    assert details.orientation == 1


@pytest.mark.parametrize("file_format", ["png", "gif", "webp", "avif"])
def test_transparency_is_seen_where_there_is_some(file_format):
    gray = Image.radial_gradient("L").resize((WIDE, HIGH)).point(lambda value: 255 * (value > 100))
    stream = io.BytesIO()
    Image.merge("RGBA", (gray, gray, gray, gray)).save(stream, file_format)
    assert read_details(stream.getvalue()).colors.alpha
    assert not read_details(encoded(file_format)).colors.alpha


@pytest.mark.parametrize(("mode", "depth"), [("1", 1), ("L", 8), ("I;16", 16), ("RGB", 8)])
def test_the_depth_of_a_png(mode, depth):
    stream = io.BytesIO()
    Image.new(mode, (5, 5)).save(stream, "png")
    assert read_details(stream.getvalue()).colors.depth == depth


@pytest.mark.parametrize("file_format", ["png", "jpeg", "webp", "avif"])
@pytest.mark.parametrize("name", ["sRGB", "LAB"])
def test_the_profile_has_the_name_that_littlecms_gives_it(file_format, name):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(name))
    data = encoded(file_format, icc_profile=profile.tobytes())
    assert (
        read_details(data).profile
        == read_details(data).color_space
        == ImageCms.getProfileDescription(profile).strip()
    )


def test_profiles_of_version_2_are_named_in_ascii_and_broken_ones_not_at_all():
    tag = b"desc\0\0\0\0" + struct.pack(">I", 11) + b"Display P3\0"
    head = bytes(128) + struct.pack(">I4sII", 1, b"desc", 144, len(tag))
    assert profile_name(head + tag) == "Display P3"
    for broken in (b"", bytes(128), head, head[:140] + b"\xff" * 40, bytes(128) + b"\xff" * 400):
        assert profile_name(broken) == ""
    assert read_details(encoded("jpeg", icc_profile=b"x" * 200)).profile == "unnamed ICC profile"


@pytest.mark.parametrize("file_format", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_the_orientation_is_exif_s(file_format, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    details = read_details(encoded(file_format, exif=exif.tobytes()))
    if file_format != "avif":  # Pillow writes it as irot and imir there
        assert details.orientation == turn


def chunked(*chunks):
    data = IMAGES["png"]
    return (
        data[:33]
        + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
        + data[33:]
    )


@pytest.mark.parametrize(
    ("code", "space"),
    [
        ((1, 13), "sRGB"),
        ((12, 13), "Display P3"),
        ((9, 16), "BT.2020 PQ"),
        ((9, 18), "BT.2020 HLG"),
        ((200, 200), ""),
    ],
)
def test_code_points_of_a_png_have_their_common_names(code, space):
    assert read_details(chunked((b"cICP", bytes([*code, 0, 1])))).color_space == space


def test_a_png_that_says_srgb_is_srgb():
    assert read_details(chunked((b"sRGB", b"\0"))).color_space == "sRGB"


@pytest.mark.parametrize("name", IMAGES)
def test_damaged_images_are_looked_at_or_end_in_an_image_error(name):
    for data in damaged_copies(IMAGES[name], near=500):
        with contextlib.suppress(ImageError):
            assert read_details(data).width >= 1
