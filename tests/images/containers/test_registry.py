"""Format, size and wholeness of image bytes: right for real images, safe for hostile ones."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_images import HIGH, IMAGES, WIDE, damaged_copies, encoded

from flux_cli.core.errors import ImageError
from flux_cli.images.containers.registry import inspect, sniff


def looked(data):
    """What `inspect` says, or None for an image error. Any other exception fails the test."""
    try:
        return inspect(data)
    except ImageError:
        return None


each_image = pytest.mark.parametrize("name", IMAGES)


@each_image
def test_a_real_image_says_its_format_and_size(name):
    size = (1, 1) if "one pixel" in name else (WIDE, HIGH)
    assert inspect(IMAGES[name]) == (name.split()[0], *size, len(IMAGES[name]), True, "")
    assert sniff(IMAGES[name]) == name.split()[0]


@each_image
def test_an_image_cut_anywhere_is_never_taken_for_a_whole_one(name):
    data = IMAGES[name]
    cuts = {*range(0, len(data), 64), len(data) - 1, len(data) - 2, len(data) - 3}
    for length in sorted(cuts):
        with pytest.raises(ImageError):
            inspect(data[:length])


@each_image
def test_an_image_that_lost_its_middle_and_kept_its_length_is_no_crash(name):
    data = IMAGES[name]
    third = len(data) // 3
    for filling in (b"\x00", b"\xff", b"\x3b"):
        hollow = data[:third] + filling * third + data[2 * third :]
        look = looked(hollow)
        assert look is None or look.format == sniff(data)


@each_image
def test_bytes_behind_the_end_do_not_hide_an_image(name):
    """Some servers append a line break or padding."""
    look = inspect(IMAGES[name])
    if look.format != "avif":  # its boxes fill the file
        assert inspect(IMAGES[name] + b"\n")[:3] == look[:3]
        assert inspect(IMAGES[name] + bytes(100))[:3] == look[:3]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (255, 256), (16, 16), (1365, 768)])
@pytest.mark.parametrize("file_format", ["png", "jpeg", "gif", "webp", "avif"])
def test_any_size_is_measured(file_format, size):
    options = {"speed": 10} if file_format == "avif" else {}
    assert inspect(encoded(file_format, size=size, **options))[:3] == (file_format, *size)


@pytest.mark.parametrize("options", [{}, {"lossless": True}], ids=["lossy", "lossless"])
def test_webp_s_fourteen_bits_of_size_are_read_whole(options):
    assert inspect(encoded("webp", size=(9001, 2), **options))[:3] == ("webp", 9001, 2)


# --- what is no image


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"<html><body>expired</body></html>",
        b'{"error": "expired"}',
        b"%PDF-1.7",
        b"XYZ1" + bytes(60),
        b"\x00\x00\x00\x18ftypxyz1" + bytes(40),  # another brand of the boxes of AVIF
        b"\x00\x00\x00\x18ftypmp42" + bytes(40),
        b"RIFF\x24\x00\x00\x00WAVE" + bytes(40),
        b"GIF88a" + bytes(40),
        b"\x89PNG\n\x1a\n" + bytes(40),  # a transfer in text mode ate the carriage return
        "é".encode("utf-16"),
        b"\xff" * 100,
    ],
    ids=lambda data: repr(data[:16]),
)
def test_what_is_no_image_is_shown_by_its_beginning(data):
    assert sniff(data) is None
    with pytest.raises(ImageError, match="this is not an image: it begins with") as raised:
        inspect(data)
    assert raised.value.message.isprintable()


@pytest.mark.parametrize("mark", ["png", "jpeg", "gif", "webp lossy", "avif"])
def test_magic_bytes_alone_are_no_image(mark):
    for length in range(2, 40):
        with pytest.raises(ImageError):
            inspect(IMAGES[mark][:length])


def chunk(kind, body=b"", crc=None):
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def ihdr(width, height):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


IDAT, IEND = chunk(b"IDAT", b"x"), chunk(b"IEND")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(ihdr(0, 5), IDAT, IEND), "has no pixels (0x5)"),
        (png(ihdr(5, 0), IDAT, IEND), "has no pixels (5x0)"),
        (png(ihdr(16384, 16385), IDAT, IEND), "claims 16384x16385 pixels"),
        (png(ihdr(0xFFFFFFFF, 0xFFFFFFFF), IDAT, IEND), "claims 4294967295x4294967295 pixels"),
        (png(IDAT, ihdr(5, 5), IEND), "does not begin with IHDR"),
        (png(ihdr(5, 5), IEND), "no image data"),
        (png(IEND), "does not begin with IHDR"),
        (png(), "the end is missing"),
        (png(ihdr(5, 5), IDAT), "the end is missing"),
        (png(ihdr(5, 5), chunk(b"IDAT", b"x", crc=1), IEND), "wrong checksum in b'IDAT'"),
        (
            png(ihdr(5, 5), struct.pack(">I", 0xFFFFFFFF) + b"IDAT" + bytes(20)),
            "the end is missing",
        ),
        (png(ihdr(5, 5), *[IDAT] * 3), "the end is missing"),
        (png(chunk(b"IHDR"), IDAT, IEND), ""),  # its size would be read from what follows
    ],
    ids=lambda value: repr(value[:30]),
)
def test_a_png_of_wrong_chunks_is_refused_with_the_reason(data, reason):
    with pytest.raises(ImageError) as raised:
        inspect(data)
    assert raised.value.message.startswith("the png image")
    assert reason in raised.value.message


def box(kind, body=b"", length=None):
    return struct.pack(">I", 8 + len(body) if length is None else length) + kind + body


FTYP = box(b"ftyp", b"avif\0\0\0\0avifmif1")
ISPE = box(b"ispe", struct.pack(">III", 0, 5, 4))
IPRP = box(b"iprp", box(b"ipco", ISPE))


def iloc(body):
    return box(b"meta", b"\0\0\0\0" + IPRP + box(b"iloc", body))


@pytest.mark.parametrize(
    "data",
    [
        FTYP,
        FTYP + box(b"mdat"),
        FTYP + box(b"meta"),
        FTYP + box(b"meta", b"\0\0\0\0") + box(b"mdat"),
        FTYP
        + box(b"meta", b"\0\0\0\0" + box(b"iprp", box(b"ipco", box(b"ispe", b"\0"))))
        + box(b"mdat"),
        FTYP + box(b"meta", b"\0\0\0\0" + IPRP, length=4) + box(b"mdat"),
        FTYP + box(b"meta", b"\0\0\0\0" + IPRP, length=0xFFFFFFFF) + box(b"mdat"),
        FTYP + struct.pack(">I4sQ", 1, b"meta", 2**63) + IPRP + box(b"mdat"),
        FTYP + struct.pack(">I4sQ", 1, b"meta", 0) + IPRP + box(b"mdat"),
        FTYP + iloc(b"") + box(b"mdat"),
        FTYP + iloc(b"\0\0\0\0") + box(b"mdat"),
        FTYP
        + iloc(b"\2\0\0\0\x00\x00" + b"\xff" * 4)
        + box(b"mdat"),  # four thousand million items
        FTYP + iloc(b"\0\0\0\0\x00\x00" + b"\0\1" + b"\0\1\0\0" + b"\xff\xff") + box(b"mdat"),
        FTYP
        + iloc(b"\0\0\0\0\x44\x00" + b"\0\1" + b"\0\1\0\0" + b"\0\1" + b"\xff" * 8)
        + box(b"mdat"),
        FTYP + iloc(b"\1\0\0\0\x00\x0f" + b"\0\1" + b"\0\1\0\0\0\0" + b"\xff\xff") + box(b"mdat"),
    ],
    ids=range(15),
)
def test_an_avif_whose_boxes_do_not_add_up_is_refused(data):
    with pytest.raises(ImageError, match="the avif image is not whole"):
        inspect(data)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (FTYP + box(b"meta", b"\0\0\0\0" + IPRP) + box(b"mdat"), (5, 4)),
        (
            FTYP + box(b"meta", b"\0\0\0\0" + IPRP) + box(b"mdat", length=0),
            (5, 4),
        ),  # 0: up to the end of the file
        (
            FTYP
            + struct.pack(">I4sQ", 1, b"meta", 20 + len(IPRP))
            + bytes(4)
            + IPRP
            + box(b"mdat"),
            (5, 4),
        ),
        (
            FTYP
            + iloc(b"\0\0\0\0\x44\x00" + b"\0\1" + b"\0\1\0\0" + b"\0\1" + b"\0" * 8)
            + box(b"mdat"),
            (5, 4),
        ),
        (
            box(b"ftyp", b"mif1\0\0\0\0mif1avif") + box(b"meta", b"\0\0\0\0" + IPRP) + box(b"mdat"),
            (5, 4),
        ),
    ],
    ids=range(5),
)
def test_unusual_but_correct_boxes_are_read(data, size):
    assert inspect(data)[:3] == ("avif", *size)


def located(version, base, offset, length, method=0):
    """An AVIF whose one item lies at base + offset; field widths as real encoders choose them."""
    wide = "I" if version == 2 else "H"
    how = struct.pack(">H", method) if version else b""
    item = struct.pack(f">{wide}", 1) + how + struct.pack(">HIHII", 0, base, 1, offset, length)
    return (
        FTYP
        + iloc(bytes([version, 0, 0, 0, 0x44, 0x40]) + struct.pack(f">{wide}", 1) + item)
        + box(b"mdat", b"1234")
    )


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_item_may_end_where_the_file_ends_and_not_one_byte_later(version):
    whole = len(located(version, 0, 0, 0))
    for base, offset, length in (
        (whole - 4, 0, 4),
        (0, whole - 4, 4),
        (whole - 6, 2, 4),
        (0, 0, whole),
    ):
        assert inspect(located(version, base, offset, length))[:3] == ("avif", 5, 4)
        for late in (
            (base + 1, offset, length),
            (base, offset + 1, length),
            (base, offset, length + 1),
        ):
            with pytest.raises(ImageError, match="the end is missing"):
                inspect(located(version, *late))


@pytest.mark.parametrize("version", [1, 2])
def test_an_item_inside_the_header_is_not_measured_by_the_file(version):
    """Construction method 1 counts from the idat box, which lies in the meta box."""

    def inside(offset, length):
        data = located(version, 0, offset, length, method=1)
        start = data.index(b"meta") - 4
        end = start + int.from_bytes(data[start : start + 4], "big")
        meta = box(b"meta", data[start + 8 : end] + box(b"idat", b"1234"))
        return data[:start] + meta

    assert inspect(inside(1, 3))[:3] == ("avif", 5, 4)
    for offset, length in ((2, 3), (0, 5), (10**6, 10**6)):
        with pytest.raises(ImageError, match="the end is missing"):
            inspect(inside(offset, length))
    with pytest.raises(ImageError, match="the end is missing"):  # without the box
        inspect(located(version, 0, 0, 4, method=1))


@pytest.mark.parametrize(
    "filler", [b"\xff\x01", b"\xff\xd0", b"\xff\xd7", b"\xff\xd8", b"\xff", b"\xff\xff\xff"]
)
def test_marks_without_a_length_and_fill_bytes_are_passed_over_in_a_jpeg(filler):
    for times in (1, 2, 3):
        data = IMAGES["jpeg"]
        assert inspect(data[:2] + filler * times + data[2:])[:3] == ("jpeg", WIDE, HIGH)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",  # nothing between start and end
        b"\xff\xd8\xff\xff\xff\xff",
        b"\xff\xd8" + b"\xff" * 5000,
        b"\xff\xd8" + b"\xff\xd0" * 5000,
        b"\xff\xd8\xff\xe0\x00\x00" + bytes(50),
        b"\xff\xd8\xff\xe0\x00\x01" + bytes(50),
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(50),
        b"\xff\xd8\xff\xc0\x00\x02\xff\xd9" + bytes(9),  # a frame without a size
        b"\xff\xd8\xff\xda\x00\x02\xff\xd9",  # a scan without a frame
        b"\xff\xd8\xff\xda\x00\x02" + b"\xff\x00" * 5000,
        b"GIF89a",
        b"GIF89a" + bytes(7) + b"\x3b",
        b"GIF89a\x05\x00\x05\x00\xf7\x00\x00\x3b",
        b"GIF89a\x05\x00\x05\x00\x00\x00\x00" + b"\x21\xff\x00" * 5000,
        b"GIF89a\x05\x00\x05\x00\x00\x00\x00" + b"\x2c" * 5000,
        b"GIF89a\x05\x00\x05\x00\x00\x00\x00\x99",
        b"RIFF\x04\x00\x00\x00WEBP",
        b"RIFF\x00\x00\x00\x00WEBP" + bytes(40),
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(40),
        b"RIFF\x20\x00\x00\x00WEBPVP8X\xff\xff\xff\xff" + bytes(40),
        b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(10),  # a canvas and no image
        b"RIFF\x0c\x00\x00\x00WEBPVP8 \x00\x00\x00\x00",
        b"RIFF\x24\x00\x00\x00WEBP" + b"JUNK\x00\x00\x00\x00" * 4,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_hostile_headers_end_in_an_image_error(data):
    with pytest.raises(ImageError):
        inspect(data)


MAGICS = [
    IMAGES[name][:length]
    for name in ("png", "jpeg", "gif", "webp lossy", "avif")
    for length in (8, 16, 40)
]


@given(st.sampled_from([b"", *MAGICS]), st.binary(max_size=120))
def test_random_bytes_are_a_look_or_an_image_error(head, tail):
    look = looked(head + tail)
    assert look is None or min(look.width, look.height) >= 1


@each_image
def test_flipped_bytes_are_a_look_or_an_image_error(name):
    for data in damaged_copies(IMAGES[name]):
        look = looked(data)
        assert look is None or min(look.width, look.height) >= 1


@pytest.mark.parametrize("name", [name for name in IMAGES if name.startswith("png")])
def test_any_flipped_byte_inside_a_png_is_noticed(name):
    """Its checksums cover everything but the lengths, and those no longer lead to a chunk."""
    data = IMAGES[name]
    for at in range(8, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 0x55
        with pytest.raises(ImageError):
            inspect(bytes(damaged))
