"""What carries no pixels does not condemn them; what is truncated is no image."""

import random
import re
import struct
import zlib

import pytest
from fakes.images import pixels_as
from PIL import Image
from sample_images import HIGH, IMAGES, WIDE, animated, damaged_copies, encoded, opened

from flux_cli.core.errors import ImageError
from flux_cli.images.containers import png
from flux_cli.images.containers.registry import inspect, look
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.record import Record
from flux_cli.images.metadata.write import write_record
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels.render import measure, render
from flux_cli.images.pixels.wholeness import examine

PNG, JPEG, GIF = IMAGES["png"], IMAGES["jpeg"], IMAGES["gif"]
WEBP, AVIF = IMAGES["webp lossy"], IMAGES["avif"]
PROGRESSIVE, MOVING = IMAGES["jpeg progressive"], IMAGES["png animated"]
HEAD = 33  # bytes of a PNG up to the end of its header
RECORD = Record(prompt="a fox", model="m", tool="flux")


def recorded(name):
    """The image with a record, which some formats have at their end."""
    return b"".join(write_record(IMAGES[name], RECORD).pieces)


def wrong(kind, body=b"Comment\0hello"):
    """A chunk of a PNG with a wrong checksum."""
    return png.chunk(kind, body)[:-1] + b"?"


def behind(data, mark):
    """The place behind the first occurrence of a mark."""
    return data.index(mark) + len(mark)


def with_checksum(data, kind):
    """The PNG with a wrong checksum in the first chunk of a kind."""
    start = data.index(kind) - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    return data[: end - 1] + bytes([data[end - 1] ^ 1]) + data[end:]


def in_idat(data):
    """The AVIF with its data in `idat` inside `meta`."""
    start = data.index(b"meta") - 4
    end = start + int.from_bytes(data[start : start + 4], "big")
    place = behind(data, b"iloc")
    offset, length = struct.unpack(">II", data[place + 14 : place + 22])
    assert data[place + 4 : place + 8] == b"\x44\0\0\1"  # one item, with one extent
    item = b"\0\1\0\1\0\0\0\1" + struct.pack(">II", 0, length)
    table = b"iloc\1\0\0\0\x44\0\0\1" + item
    old = data[place - 8 : place + 22]
    new = struct.pack(">I", 4 + len(table)) + table
    idat = struct.pack(">I4s", 8 + length, b"idat") + data[offset : offset + length]
    meta = data[start + 4 : end].replace(old, new) + idat
    return data[:start] + struct.pack(">I", 4 + len(meta)) + meta


# Files that every decoder shows whole, and the image in them.
IMPERFECT = {
    "png: a wrong checksum in a text": (PNG[:HEAD] + wrong(b"tEXt") + PNG[HEAD:], "png"),
    "png: in a packed text": (PNG[:HEAD] + wrong(b"zTXt", b"k\0\0x") + PNG[HEAD:], "png"),
    "png: in a color profile": (PNG[:HEAD] + wrong(b"iCCP", b"p\0\0x") + PNG[HEAD:], "png"),
    "png: in an unknown chunk": (PNG[:HEAD] + wrong(b"abCd") * 3 + PNG[HEAD:], "png"),
    "png: in a text behind the pixels": (PNG[:-12] + wrong(b"tEXt") + PNG[-12:], "png"),
    "png: in the image data alone": (with_checksum(PNG, b"IDAT"), "png"),
    "png: in its end mark": (with_checksum(PNG, b"IEND"), "png"),
    "png: without its end": (PNG[:-12], "png"),
    "png: cut in its end": (PNG[:-5], "png"),
    "png: cut in a text behind the pixels": (PNG[:-12] + png.chunk(b"tEXt", b"k\0v")[:-6], "png"),
    "png: a page behind the pixels": (PNG[:-12] + b"<html>oops</html>", "png"),
    "png: both ends damaged": (PNG[:HEAD] + wrong(b"tEXt") + PNG[HEAD:-4], "png"),
    "png animated: in a text": (MOVING[:HEAD] + wrong(b"tEXt") + MOVING[HEAD:], "png animated"),
    "jpeg: without its end mark": (JPEG[:-2], "jpeg"),
    "jpeg: with half of its end mark": (JPEG[:-1], "jpeg"),
    "jpeg progressive: without its end mark": (PROGRESSIVE[:-2], "jpeg progressive"),
    "jpeg cmyk: without its end mark": (IMAGES["jpeg cmyk"][:-2], "jpeg cmyk"),
    "jpeg with restarts: without its end mark": (
        IMAGES["jpeg with restarts"][:-2],
        "jpeg with restarts",
    ),
    "jpeg: a cut comment at the end": (JPEG[:-2] + b"\xff\xfe\0\x99half", "jpeg"),
    "jpeg: bytes between segments": (JPEG[:20] + b"\0\0junk" + JPEG[20:], "jpeg"),
    "jpeg: bytes at the start": (JPEG[:2] + b"\xff\0junk" + JPEG[2:], "jpeg"),
    "jpeg: bytes everywhere": (
        JPEG[:20] + b"\0" * 9 + JPEG[20:-2],
        "jpeg",
    ),
    "gif: without its trailer": (GIF[:-1], "gif"),
    "gif: without its last two bytes": (GIF[:-2], "gif"),
    "gif animated: without its trailer": (IMAGES["gif animated"][:-1], "gif animated"),
    "gif: a cut comment at the end": (GIF[:-1] + b"!\xfe\x20half", "gif"),
    "gif: bytes between blocks": (GIF[:-1] + b"\0\0" + GIF[-1:], "gif"),
    "webp: a length that is too large": (WEBP[:4] + b"\xff\0\0\0" + WEBP[8:], "webp lossy"),
    "webp: a length that is too small": (WEBP[:4] + b"\x20\0\0\0" + WEBP[8:], "webp lossy"),
    "webp: cut in its metadata": (IMAGES["webp with exif"][:-3], "webp with exif"),
    "webp: cut in its record": (recorded("webp lossy")[:-9], "webp lossy"),
    "avif: bytes behind the boxes": (AVIF + b"\r\n", "avif"),
    "avif animated: bytes behind the boxes": (IMAGES["avif animated"] + b"\n", "avif animated"),
    "avif: cut in its record": (recorded("avif")[:-9], "avif"),
}
each_imperfect = pytest.mark.parametrize("name", IMPERFECT)


@each_imperfect
def test_a_fault_beside_the_pixels_is_remarked_and_no_more(name):
    data, whole = IMPERFECT[name]
    with pytest.raises(ImageError):
        inspect(data)
    image, sound, *_ = examine(data)
    assert image[:4] == (whole.split()[0], WIDE, HIGH, len(data))
    assert image.fault
    assert inspect(sound)[:3] == image[:3]
    assert opened(sound).convert("RGB").tobytes() == opened(IMAGES[whole]).convert("RGB").tobytes()


@each_imperfect
def test_an_imperfect_image_is_converted(name):
    data, whole = IMPERFECT[name]
    assert measure(data).fault
    finish = Finish(formats=("png",), widths=(20,), only_widths=True)
    (made,) = render(data, outputs(finish, measure(data)))
    (expected,) = render(IMAGES[whole], outputs(finish, measure(IMAGES[whole])))
    assert made.image.data == expected.image.data


def test_an_avif_with_its_data_in_the_meta_box_is_sound():
    data = in_idat(AVIF)
    assert examine(data) == (inspect(data), data, (), ())
    assert opened(data).tobytes() == opened(AVIF).tobytes()
    written = write_record(data, RECORD)
    assert written.is_written
    assert opened(b"".join(written.pieces)).tobytes() == opened(AVIF).tobytes()
    with pytest.raises(ImageError):
        examine(data[:-1])


def without_pixels(name):
    """How many bytes at the end of a file hold no pixels: marks, checksums and lengths."""
    kind = name.split()[0]
    ends = {"png": 20, "jpeg": 2, "gif": 2, "webp": 1, "avif": 0}
    return len(IMAGES[name]) if name == "webp with exif" else ends[kind]


@pytest.mark.parametrize("name", [name for name in IMAGES if "exif" not in name])
def test_an_image_without_all_pixels_is_truncated(name):
    """Also where the cut is at the border of two parts, and the container cannot show it."""
    data = IMAGES[name]
    step = max(1, len(data) // 60)
    last = len(data) - without_pixels(name) - 1
    for length in sorted({*range(0, last, step), last, last - 1, last - 2, last - 7}):
        with pytest.raises(ImageError):
            examine(data[:length])


@pytest.mark.parametrize("is_progressive", [False, True])
@pytest.mark.parametrize("quality", [30, 90])
def test_one_missing_byte_of_a_scan_is_noticed(is_progressive, quality):
    chance = random.Random(quality)
    for _ in range(15):
        size = chance.randint(1, 90), chance.randint(1, 90)
        data = encoded("jpeg", size=size, quality=quality, progressive=is_progressive)
        assert examine(data[:-2]).image.fault == "the end is missing"
        for missing in (3, 4, 6, 11):
            with pytest.raises(ImageError, match="not whole"):
                examine(data[:-missing])


def test_a_jpeg_that_lost_whole_scans_is_truncated():
    """Every scan that is there is complete, so no decoder complains."""
    scans = [at for at in range(len(PROGRESSIVE)) if PROGRESSIVE[at : at + 2] == b"\xff\xda"]
    for cut in scans[1:]:
        with pytest.raises(ImageError, match="the end is missing"):
            examine(PROGRESSIVE[:cut])


def test_an_animation_that_lost_frames_is_truncated():
    moving = IMAGES["webp animated"]
    last = moving.rindex(b"ANMF")
    with pytest.raises(ImageError):
        examine(moving[:last])
    moving = IMAGES["png animated"]
    last = moving.rindex(b"fcTL") - 4
    with pytest.raises(ImageError):
        examine(moving[:last] + moving[-12:-4])  # and the end is damaged
    for file_format in ("gif", "png", "webp", "avif"):
        data = animated(file_format)
        with pytest.raises(ImageError):
            examine(data[: -(len(data) // 5)])


ONE_BYTE = {"zeros": b"\0", "blanks": b" ", "FF": b"\xff"}
PAGE = b"<html><h1>502 Bad Gateway</h1></html>\n"


@pytest.mark.parametrize("filling", ONE_BYTE.values(), ids=ONE_BYTE)
@pytest.mark.parametrize("kind", ["png", "jpeg", "jpeg progressive", "jpeg with restarts", "gif"])
def test_a_cut_image_is_truncated_if_something_fills_its_end(kind, filling):
    """As downloads with reserved space leave it, and disks without power."""
    data = IMAGES[kind]
    last = len(data) - without_pixels(kind) - (2 if kind == "gif" else 1)
    for length in sorted({len(data) // 2, *range(last - 40, last, 3), last}):
        missing = len(data) - length
        for end in (filling * missing, filling * 4096, filling * missing + PAGE):
            with pytest.raises(ImageError):
                examine(data[:length] + end)


@pytest.mark.parametrize("end", [PAGE, PAGE * 50, b"\xff\xfe\0\4ok", b"\r\n" * 2000])
def test_a_cut_jpeg_is_truncated_whatever_stands_behind_the_cut(end):
    for kind in ("jpeg", "jpeg progressive", "jpeg with restarts"):
        data = IMAGES[kind]
        for length in range(len(data) // 2, len(data) - 3, 97):
            with pytest.raises(ImageError):
                examine(data[:length] + end)


@pytest.mark.parametrize("padding", ONE_BYTE.values(), ids=ONE_BYTE)
@pytest.mark.parametrize("kind", ["jpeg", "jpeg progressive", "jpeg with restarts", "gif"])
def test_padding_behind_all_pixels_is_left_out(kind, padding):
    image = examine(IMAGES[kind][: -without_pixels(kind)] + padding * 4096).image
    assert image.fault
    assert image[:3] == inspect(IMAGES[kind])[:3]


def test_a_jpeg_cut_before_any_restart_is_truncated():
    data = encoded("jpeg", size=(160, 160), restart_marker_blocks=2)
    restarts = list(re.finditer(rb"\xff[\xd0-\xd7]", data))
    assert len(restarts) > 16
    for restart in restarts:
        with pytest.raises(ImageError):
            examine(data[: restart.start()])
        with pytest.raises(ImageError):
            examine(data[: restart.end()])


def test_a_jpeg_whose_last_scan_ends_in_an_unknown_segment_is_truncated():
    half = len(JPEG) - 100
    with pytest.raises(ImageError):
        examine(JPEG[:half] + b"\xff\x37" + JPEG[half + 2 :])


def test_a_gif_cut_behind_the_head_of_a_frame_is_truncated():
    data = IMAGES["gif animated"]
    start = data.rindex(b"!\xf9")
    for length in range(start + 1, start + 10):
        with pytest.raises(ImageError):
            examine(data[:length])


def test_an_animated_webp_that_ends_with_zeros_is_truncated():
    data = IMAGES["webp animated"]
    for length in (len(data) * 3 // 10, data.rindex(b"ANMF"), data.rindex(b"ANMF") - 9):
        with pytest.raises(ImageError):
            examine(data[:length] + bytes(len(data) - length))


DAMAGED = {
    "a flipped bit in the pixels": PNG[:73] + bytes([PNG[73] ^ 1]) + PNG[74:],
    "a wrong checksum in the header": with_checksum(PNG, b"IHDR"),
    "a wrong checksum in the palette": with_checksum(IMAGES["png palette"], b"PLTE"),
    "a wrong checksum in a frame": with_checksum(IMAGES["png animated"], b"fdAT"),
    "bytes between the chunks of a PNG": PNG[:HEAD] + b"junk" + PNG[HEAD:],
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_pixels_are_no_image(data):
    with pytest.raises(ImageError, match="not whole"):
        examine(data)


@pytest.mark.parametrize("name", IMAGES)
def test_flipped_bytes_are_an_image_or_an_image_error(name):
    for data in damaged_copies(IMAGES[name], count=25):
        try:
            image, sound, *_ = examine(data)
        except ImageError:
            continue
        assert inspect(sound)[:3] == image[:3]


# --- limits


def large_png(width, height, fault=True):
    row = bytes(1 + width // 8)
    pixels = zlib.compress(row * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    text = wrong(b"tEXt") if fault else b""
    chunks = png.chunk(b"IDAT", pixels) + png.chunk(b"IEND", b"")
    return png.MAGIC + png.chunk(b"IHDR", header) + text + chunks


def test_an_image_too_large_to_check_is_an_error():
    with pytest.raises(ImageError, match="20000x10000"):
        examine(large_png(20_000, 10_000))
    assert inspect(large_png(20_000, 10_000, fault=False)).width == 20_000


def test_an_animation_too_long_to_check_is_an_error():
    frame = b",\0\0\0\0\xe8\x03\xe8\x03\0\2\1x\0"
    data = b"GIF89a\xe8\x03\xe8\x03\0\0\0" + frame * 2000
    with pytest.raises(ImageError, match="the end is missing"):
        examine(data)


def test_image_data_is_not_unpacked_beyond_its_size():
    """A bomb with a wrong checksum: 256 MB for an image of one pixel."""
    bomb = zlib.compressobj(9)
    packed = b"".join(bomb.compress(bytes(1 << 24)) for _ in range(16)) + bomb.flush()
    header = png.chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    data = png.MAGIC + header + wrong(b"IDAT", packed) + png.chunk(b"IEND", b"")
    with pytest.raises(ImageError, match="not whole"):
        examine(data)


def test_image_data_behind_its_end_is_not_unpacked():
    """Thousands of chunks, each of them a whole stream."""
    header = png.chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 16, 6, 0, 0, 0))
    stream = wrong(b"IDAT", zlib.compress(bytes(1 << 16)))
    with pytest.raises(ImageError, match="not whole"):
        examine(png.MAGIC + header + stream * 50_000 + png.chunk(b"IEND", b""))


def test_a_jpeg_of_many_cut_scans_is_an_error():
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    frame = b"\xff\xc2\0\x0b\x08\0\1\0\1\1\1\x11\0"
    with pytest.raises(ImageError):
        examine(b"\xff\xd8" + frame + scan * 50_000)
    with pytest.raises(ImageError):
        look(b"\xff\xd8" + b"\xff\xe5\0\2" * 200_000)


def test_a_sound_image_is_not_decoded(monkeypatch):
    monkeypatch.setattr(Image, "new", None)
    data = pixels_as("png", 20, 20)
    assert examine(data) == (inspect(data), data, (), ())
