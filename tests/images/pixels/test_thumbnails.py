"""Small copies look like their images; contact sheets have every image in its place."""

import io
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from flux_cli.core.errors import ImageError
from flux_cli.images.pixels import thumbnails
from flux_cli.images.pixels.thumbnails import CHECKS, CUBE, FAINT, GRAYS, PAPER
from flux_cli.images.sheet import Grid

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 60), (30, 60, 220), (250, 250, 250)


def quarters(size=(96, 64), mode="RGB"):
    """An image that shows whether it stands upright: red, green / blue, white."""
    image = Image.new("RGB", (2, 2))
    image.putdata([RED, GREEN, BLUE, WHITE])
    return image.resize(size, Image.Resampling.NEAREST).convert(mode)


def encoded(image, file_format="png", **options):
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def corners(image):
    width, height = image.size
    return [image.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]


def near(pixels, others, tolerance=12):
    pairs = [
        pair
        for one, other in zip(pixels, others, strict=True)
        for pair in zip(one, other, strict=True)
    ]
    return all(abs(one - other) <= tolerance for one, other in pairs)


SOURCES = {
    "png": encoded(quarters()),
    "palette": encoded(quarters().quantize(16)),
    "jpeg": encoded(quarters(), "jpeg", quality=95),
    "cmyk": encoded(quarters(mode="CMYK"), "jpeg", quality=95),
    "webp": encoded(quarters(), "webp", lossless=True),
    "avif": encoded(quarters(), "avif", quality=95, speed=10),
    "gif": encoded(quarters(), "gif"),
    "animated": encoded(
        quarters(), "gif", save_all=True, append_images=[Image.new("RGB", (96, 64))]
    ),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("box", [(48, 48), (500, 500), (24, 400)])
def test_a_copy_fits_its_box_and_keeps_shape_and_colors(source, box):
    copy = thumbnails.small(SOURCES[source], box)
    scale = min(box[0] / 96, box[1] / 64, 1)
    assert copy.mode == "RGB"
    assert copy.size == (round(96 * scale), round(64 * scale))
    assert near(corners(copy), [RED, GREEN, BLUE, WHITE])


def test_a_copy_comes_from_a_path_as_from_bytes(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(SOURCES["png"])
    assert (
        thumbnails.small(str(path), (48, 48)).tobytes()
        == thumbnails.small(SOURCES["png"], (48, 48)).tobytes()
    )


# How a camera held otherwise stores what it saw, by the EXIF orientation that says so.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("file_format", ["jpeg", "png", "webp"])
def test_a_copy_stands_upright_and_is_measured_so(turn, file_format):
    exif = Image.Exif()
    exif[0x0112] = turn
    image = quarters().transpose(STORED[turn]) if turn > 1 else quarters()
    data = encoded(image, file_format, exif=exif, quality=95)
    assert thumbnails.measure(data) == (96, 64)
    copy = thumbnails.small(data, (48, 48))
    assert copy.size == (48, 32)
    assert near(corners(copy), [RED, GREEN, BLUE, WHITE], 20)


def test_transparency_shows_a_checkerboard():
    image = quarters()
    image.putalpha(0)
    copy = thumbnails.small(encoded(image), (96, 64))
    assert {color for _, color in copy.getcolors()} == set(CHECKS)
    image.putalpha(255)
    assert near(corners(thumbnails.small(encoded(image), (96, 64))), [RED, GREEN, BLUE, WHITE], 0)


def test_sixteen_bits_of_gray_become_eight():
    gray = Image.linear_gradient("L").convert("I").point(lambda value: value * 257).convert("I;16")
    copy = thumbnails.small(encoded(gray), (256, 256)).getchannel("R")
    assert ImageStat.Stat(ImageChops.difference(copy, Image.linear_gradient("L"))).mean[0] < 1


def profile(of="sRGB"):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(of)).tobytes()


def test_colors_are_read_through_the_profile():
    """In this one red is called green, and green red."""
    swapped = (
        profile()
        .replace(b"rXYZ", b"____", 1)
        .replace(b"gXYZ", b"rXYZ", 1)
        .replace(b"____", b"gXYZ", 1)
    )
    copy = thumbnails.small(encoded(quarters(), icc_profile=swapped), (48, 48))
    assert near(corners(copy), [(30, 220, 30), (200, 30, 60), (60, 30, 220), WHITE], 3)


@pytest.mark.parametrize("useless", [b"no profile", profile("LAB"), profile()[:200]])
def test_a_profile_that_is_broken_or_for_other_channels_changes_nothing(useless):
    copy = thumbnails.small(encoded(quarters(), icc_profile=useless), (96, 64))
    assert near(corners(copy), [RED, GREEN, BLUE, WHITE], 0)


@pytest.mark.parametrize(
    "data", [b"", b"hello", SOURCES["png"][:60], SOURCES["jpeg"][:200], SOURCES["avif"][:100]]
)
def test_what_cannot_be_read_is_an_image_error(data, tmp_path):
    with pytest.raises(ImageError):
        thumbnails.small(data, (10, 10))
    path = tmp_path / "broken.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"broken\.png"):
        thumbnails.small(str(path), (10, 10))


def test_a_missing_file_is_an_image_error_that_names_it():
    with pytest.raises(ImageError, match=r"^gone\.png cannot be shown: No such file or directory$"):
        thumbnails.measure("gone.png")


def test_a_bomb_is_refused_before_it_is_decoded():
    head = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = SOURCES["png"][:12] + head + struct.pack(">I", zlib.crc32(head)) + SOURCES["png"][33:]
    with pytest.raises(ImageError, match="30000x30000 pixels"):
        thumbnails.small(data, (10, 10))


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
def test_the_oddest_shapes_have_a_copy(size):
    copy = thumbnails.small(encoded(Image.new("RGB", size, RED)), (80, 60))
    assert copy.getpixel((0, 0)) == RED
    assert max(copy.width - 80, copy.height - 60) <= 0


# --- sheets


def plain(color, size=(300, 200)):
    return encoded(Image.new("RGB", size, color))


def test_every_image_stands_in_its_cell_and_nothing_beside_it():
    grid = Grid(2, 2, (90, 60), 10, 0)
    page, faults = thumbnails.contact_sheet(
        [plain(RED), plain(GREEN), plain(BLUE, (200, 200))], [("",)] * 3, grid
    )
    assert page.size == grid.size
    assert faults == ()
    assert page.getpixel((10, 10)) == page.getpixel((99, 69)) == RED
    assert page.getpixel((110, 10)) == page.getpixel((199, 69)) == GREEN
    assert page.getpixel((55, 110)) == BLUE
    assert page.getpixel((12, 110)) == PAPER  # a square stands in the middle of a wide cell
    assert page.getpixel((150, 110)) == page.getpixel((5, 5)) == page.getpixel((104, 30)) == PAPER


def test_an_image_that_cannot_be_read_leaves_an_empty_cell_and_its_fault():
    grid = Grid(2, 1, (90, 60), 10, 0)
    page, faults = thumbnails.contact_sheet([b"broken", plain(GREEN)], [("",)] * 2, grid)
    assert len(faults) == 1
    assert page.getpixel((10, 10)) == page.getpixel((99, 69)) == FAINT
    assert page.getpixel((110, 10)) == GREEN


def ink(page, box):
    """Columns of a region that hold any writing."""
    region = ImageChops.difference(
        page.crop(box), Image.new("RGB", (box[2] - box[0], box[3] - box[1]), PAPER)
    )
    found = region.convert("L").point(lambda value: 255 * (value > 60)).getbbox()
    return 0 if found is None else found[2] - found[0]


def test_captions_stand_below_their_images_and_stay_within_the_cell():
    words = ("1  seed 1234567890", "1  1234567890", "1")
    widths = []
    for width in (300, 110, 60, 14):
        page, _ = thumbnails.contact_sheet([plain(RED)], [words], Grid(1, 1, (width, 40), 30, 22))
        assert ink(page, (0, 0, page.width, 29)) == 0
        widths.append(ink(page, (0, 71, page.width, page.height)))
        assert 0 < widths[-1] <= width
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 12  # of the longest caption nothing is left but the number


def test_a_sheet_is_a_png_of_every_image(tmp_path):
    paths = []
    for number, color in enumerate((RED, GREEN, BLUE, WHITE)):
        paths.append(str(tmp_path / f"{number}.png"))
        (tmp_path / f"{number}.png").write_bytes(plain(color, (1600, 900)))
    data, faults = thumbnails.draw_sheet(paths, [(str(number),) for number in range(4)])
    page = Image.open(io.BytesIO(data))
    assert (page.format, faults) == ("PNG", ())
    assert near(corners(page), [RED, GREEN, BLUE, WHITE], 0)


CRAMPED = """
import resource, sys
from flux_cli.images.pixels import thumbnails
thumbnails.draw_sheet([sys.argv[1]], [("",)])  # loads what it needs
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (50 << 20), used + (50 << 20)))
data, faults = thumbnails.draw_sheet([sys.argv[1]] * 6, [("",)] * 6)
print(len(data), faults)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are kept by Linux alone")
def test_a_sheet_holds_one_image_at_a_time(tmp_path):
    """Six images of 12 MB each are drawn with 50 MB of memory."""
    path = tmp_path / "large.png"
    path.write_bytes(plain(RED, (2000, 2000)))
    done = subprocess.run(
        [sys.executable, "-c", CRAMPED, path], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.endswith(" ()\n")


# --- colors


def painted(pixels, size, palette):
    image = Image.new("RGB", size)
    image.putdata([palette[pixel] for pixel in pixels])
    return image


def test_few_colors_look_like_all_of_them():
    image = Image.merge(
        "RGB",
        [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.new("L", (256, 256), 90)],
    )
    few = thumbnails.few_colors(image)
    assert len(few.palette) <= 256
    difference = ImageChops.difference(painted(few.pixels, few.size, few.palette), image)
    assert sum(ImageStat.Stat(difference).mean) / 3 < 6


def test_an_image_of_one_color_has_a_palette_with_it():
    few = thumbnails.few_colors(Image.new("RGB", (5, 3), RED))
    assert {few.palette[pixel] for pixel in few.pixels} == {RED}


def test_colors_of_the_terminal_are_only_those_that_no_theme_changes():
    fixed = dict(enumerate((*CUBE, *GRAYS), start=16))
    assert len(fixed) == 240
    assert fixed[16] == (0, 0, 0)
    assert fixed[196] == (255, 0, 0)
    assert fixed[231] == (255, 255, 255)
    assert fixed[232] == (8, 8, 8)
    assert fixed[255] == (238, 238, 238)
    pixels = thumbnails.terminal_colors(quarters((40, 30)))
    assert len(pixels) == 1200
    difference = ImageChops.difference(
        painted(pixels, (40, 30), fixed).resize((2, 2), Image.Resampling.BOX), quarters((2, 2))
    )
    assert max(ImageStat.Stat(difference).mean) < 12
