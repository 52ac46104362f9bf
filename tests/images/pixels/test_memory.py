"""The memory of decoding and encoding: estimated before, shared by threads, refused if too much."""

import io
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest
from PIL import Image

from flux_cli.core.errors import ImageError
from flux_cli.core.image import Inspection
from flux_cli.core.ratio import parse_shape
from flux_cli.images.containers import jpeg
from flux_cli.images.finish import Finish
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels import thumbnails
from flux_cli.images.pixels.memory import (
    LIMIT,
    Memory,
    choose_part,
    coefficients,
    estimate,
    is_too_large,
)
from flux_cli.images.pixels.render import measure, render


def chunk(kind, body):
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def claim(width, height):
    """A PNG whose header says that it has so many pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")


def planned(data, **finish):
    """Widths are the only files, so that their memory counts alone."""
    return outputs(Finish(**finish, only_widths=True), measure(data))


def test_threads_wait_for_memory_that_others_hold():
    memory, begun, over = Memory(10), threading.Event(), threading.Event()

    def take():
        begun.set()
        with memory.reserve(6):
            over.set()

    thread = threading.Thread(target=take)
    with memory.reserve(5):
        thread.start()
        begun.wait()
        assert not over.wait(0.05)
        with memory.reserve(5):  # the rest is free
            pass
    thread.join()
    assert over.is_set()


def test_memory_is_free_again_after_a_failure():
    memory = Memory(10)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), memory.reserve(8):
            raise ValueError("broken")


@pytest.mark.parametrize("formats", [("avif",), ("webp",), ("gif",), ("webp", "avif")])
def test_an_image_that_would_take_too_much_is_refused_before_it_is_decoded(formats):
    data = claim(10_000, 10_000)
    with pytest.raises(ImageError, match=r"10000x10000 pixels, .* more than 1 GiB of memory"):
        list(render(data, planned(data, formats=formats), 2))


def test_a_camera_s_image_fits_in_every_format_at_once():
    formats = ("png", "jpeg", "webp", "avif", "gif")
    todo = planned(claim(6000, 4000), formats=formats, quality=80)
    assert estimate("jpeg", (6000, 4000), todo, 1) <= LIMIT


def test_more_workers_take_more_memory():
    todo = planned(claim(2000, 1000), formats=("webp", "avif"), widths=(1000, 500))
    costs = [estimate("png", (2000, 1000), todo, workers) for workers in (1, 2, 4)]
    assert costs == sorted(set(costs))


@pytest.mark.slow
@pytest.mark.parametrize("turned", [False, True])
def test_a_jpeg_that_does_not_fit_is_decoded_at_a_smaller_scale(turned):
    """Half black, half white: the window and the crop are where they were."""
    image = Image.new("L", (9600, 6400))
    image.paste(255, (4800, 0, 9600, 6400))
    stream, exif = io.BytesIO(), Image.Exif()
    if turned:
        exif[0x0112] = 6  # people see it turned to the right: black above, white below
    image.save(stream, "jpeg", exif=exif)
    data = stream.getvalue()
    width = 640 if turned else 960
    todo = planned(data, formats=("png",), widths=(width,))
    assert estimate("jpeg", (9600, 6400), todo, 1) > LIMIT
    (made,) = render(data, todo, 2)
    with Image.open(io.BytesIO(made.image.data)) as shown:
        size = (640, 960) if turned else (960, 640)
        assert shown.size == size
        middle = (size[0] // 2, size[1] // 2)
        before, after = [middle[0] - 20, middle[1]], [middle[0] + 20, middle[1]]
        if turned:
            before, after = [middle[0], middle[1] - 20], [middle[0], middle[1] + 20]
        gray = shown.convert("L")
        assert gray.getpixel(tuple(before)) < 10
        assert gray.getpixel(tuple(after)) > 245


def phone(mode="L", **settings):
    """A photograph of 108 megapixels, a gradient from the left to the right."""
    stream = io.BytesIO()
    image = Image.linear_gradient("L").rotate(90).resize((12_000, 9000), Image.Resampling.NEAREST)
    image.convert(mode).save(stream, "jpeg", quality=80, **settings)
    return stream.getvalue()


def test_a_photograph_of_108_megapixels_is_decoded_at_a_smaller_scale():
    data = phone()
    (made,) = render(data, planned(data, formats=("png",), widths=(800,)))
    with Image.open(io.BytesIO(made.image.data)) as shown:
        assert (shown.mode, shown.size) == ("L", (800, 600))
        for x in (8, 400, 790):
            assert shown.getpixel((x, 300)) == pytest.approx(x * 255 / 800, abs=3)
    assert thumbnails.small(data, (80, 80)).size == (80, 60)
    with pytest.raises(ImageError, match=r"12000x9000 pixels, .* more than 1 GiB") as caught:
        list(render(data, outputs(Finish(formats=("webp",)), measure(data))))
    assert "--width" in caught.value.hint


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="others count in other units")
@pytest.mark.parametrize("settings", [{}, {"progressive": True, "subsampling": "4:4:4"}])
def test_108_megapixels_take_less_than_a_gibibyte(tmp_path, settings):
    (tmp_path / "phone.jpg").write_bytes(phone("RGB", **settings))
    flux = shutil.which("flux", path=Path(sys.executable).parent)
    words = ["/usr/bin/time", "-f", "%M", flux, "convert", "phone.jpg", "-o", "x.webp"]
    done = subprocess.run(
        [*words, "--width", "800,4000"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["x-800.webp", "x-4000.webp"]
    note, kibibytes = done.stderr.splitlines()
    assert "x.webp is left out: 12000x9000 pixels of webp take more than 1 GiB" in note
    assert int(kibibytes) < 1 << 20


def test_a_progressive_jpeg_that_is_too_large_at_any_scale_is_refused_before_it_is_decoded():
    """Its decoder holds all coefficients."""
    data = bytearray(progressive(64, 0))
    frame = next(part for part in jpeg.walk(data) if part.kind == b"\xc2")
    data[frame.body + 1 : frame.body + 5] = struct.pack(">HH", 13_900, 13_900)
    held = coefficients(bytes(data), "jpeg")
    assert held == 13_900 * 13_900 * 3  # two bytes per sample; 1.5 samples per pixel
    todo = outputs(Finish(widths=(100,), only_widths=True), Inspection("jpeg", 13_900, 13_900, 1))
    assert estimate("jpeg", (1738, 1738), todo, 1, held) == held + 4 * 1738 * 1738
    data[frame.body + 7] = 0x11  # 4:4:4
    with pytest.raises(ImageError, match="at any size, as it is progressive") as caught:
        list(render(bytes(data), todo))
    assert "jpegtran" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "per_pixel"),
    [
        ({"subsampling": "4:2:0"}, 0),
        ({"subsampling": "4:2:0", "progressive": True}, 3),
        ({"subsampling": "4:2:2", "progressive": True}, 4),
        ({"subsampling": "4:4:4", "progressive": True}, 6),
    ],
)
def test_coefficients_are_held_only_if_there_are_several_scans(settings, per_pixel):
    stream = io.BytesIO()
    Image.new("RGB", (64, 32)).save(stream, "jpeg", **settings)
    assert coefficients(stream.getvalue(), "jpeg") == per_pixel * 64 * 32


@pytest.mark.parametrize(
    ("finish", "part"),
    [
        (Finish(widths=(800,)), 2),
        (Finish(widths=(6000,)), 2),
        (Finish(widths=(6001,)), None),
        (Finish(target=parse_shape("3000x3000"), fit="contain"), 2),
        (Finish(formats=("png",)), None),
    ],
)
def test_a_jpeg_is_decoded_at_the_largest_part_that_fits(finish, part):
    image = Inspection("jpeg", 12_000, 9000, 1)
    (todo,) = outputs(finish._replace(only_widths=True), image)
    chosen = choose_part("jpeg", (12_000, 9000), [todo])
    assert (chosen and chosen[1]) == part
    assert is_too_large(image, todo) == (part is None)


def test_the_largest_images_are_decoded_at_a_quarter():
    side = 16_384
    todo = outputs(Finish(widths=(800,), only_widths=True), Inspection("jpeg", side, side, 1))
    assert choose_part("jpeg", (side, side), todo)[1] == 4
    assert choose_part("png", (side, side), todo) is None


def test_a_png_of_more_pixels_is_refused():
    with pytest.raises(ImageError, match=r"12000x9000 pixels; the limit is 100,000,000") as caught:
        measure(claim(12_000, 9000))
    assert "JPEG" in caught.value.hint


def progressive(size, scans):
    """A JPEG with the scans of a progressive one, again and again."""
    stream = io.BytesIO()
    Image.new("RGB", (size, size), (200, 50, 50)).save(stream, "jpeg", progressive=True)
    data = stream.getvalue()
    parts = [part for part in jpeg.walk(data) if part.kind == b"\xda"]
    last = data[parts[-1].start : -2]
    return data[:-2] + last * scans + b"\xff\xd9"


def test_scans_are_counted_where_a_decoder_goes_through_all_of_them():
    stream = io.BytesIO()
    Image.new("RGB", (64, 64)).save(stream, "jpeg")
    assert jpeg.count_scans(stream.getvalue()) == 1
    usual = jpeg.count_scans(progressive(64, 0))
    assert usual > 1
    assert jpeg.count_scans(progressive(64, 100)) == usual + 100


def test_a_jpeg_of_too_many_scans_is_not_decoded():
    data = progressive(1000, 2000)
    with pytest.raises(ImageError, match=r"2,0\d\d scans, which take too long"):
        measure(data)
    few = progressive(100, 20)
    assert measure(few).width == 100
