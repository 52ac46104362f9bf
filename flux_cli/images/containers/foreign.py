"""Formats that flux neither makes nor decodes: recognized by their bytes, checked for their end.

Images in them are saved as received. Sizes are read where they are easy to find.

Sources: TIFF 6.0; the Windows documentation of bitmaps; ISO/IEC 23008-12 (HEIC); ISO/IEC 18181-2
(JPEG XL); ISO/IEC 15444-1 (JPEG 2000); the specifications of the other formats.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers import avif, boxes, svg
from flux_cli.images.containers.container import Container
from flux_cli.images.containers.parts import TEXT, TooManyPartsError

BITMAP_HEADS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes
UNCOMPRESSED = (0, 3, 6)  # kinds of compression of a bitmap
HEIC_BRANDS = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
}  # fmt: skip
JXL_BOXES = b"\0\0\0\x0cJXL \r\n\x87\n"
JP2_BOXES = b"\0\0\0\x0cjP  \r\n\x87\n"
PPM_HEAD = re.compile(rb"P[36]\s+(?:#[^\n]{0,200}\n\s*){0,20}(\d{1,6})\s+(\d{1,6})\s+(\d{1,5})\s")
PPM_TEXT = re.compile(rb"(?:[\d\s]++|#[^\n]*+)*+")
PPM_VALUE = re.compile(rb"\d+")
PSD_HEAD = 26  # bytes
HDR_SIZE = re.compile(rb"\n\n[+-]([XY]) (\d{1,6}) [+-](?!\1)([XY]) (\d{1,6})\n")
HDR_HEAD = 1 << 16  # bytes in which the size stands
MAX_ATTRIBUTES = 1000  # of an EXR
WIDTH, HEIGHT = 256, 257  # tags of TIFF
PLACES, LENGTHS = (273, 324, 513), (279, 325, 514)  # tags: strips, tiles, or a JPEG
READ_TAGS = {WIDTH, HEIGHT, *PLACES, *LENGTHS}
MAX_VALUES = 100_000  # of one tag
MAX_PAGES = 1000  # of a TIFF
MAX_TAGS = 65_535  # of all pages of a TIFF
TYPES = {1: "B", 3: "H", 4: "I"}  # of numbers that are read
BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)  # by type


class _Tags(NamedTuple):
    """The tags of a page of a TIFF, how many there are, and where the next page is (0: nowhere)."""

    values: dict[int, Sequence[int]]
    entries: int
    next_page: int

    def first(self, tag: int) -> int:
        """The first value of a tag; 0 if it is missing."""
        return next(iter(self.values.get(tag, ())), 0)

    def all(self, tags: tuple[int, ...]) -> Sequence[int]:
        """All values of the first of these tags that is there."""
        return next((self.values[tag] for tag in tags if tag in self.values), ())


def _is_tiff(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _check_tiff(data: bytes) -> tuple[int, int]:
    """The size of the first page. Raises ValueError or IndexError if data of a page is missing."""
    if data[2:4] in (b"+\0", b"\0+"):  # of more than 4 GB: nobody sends one
        return 0, 0
    order = "<" if data.startswith(b"II") else ">"
    (page,) = struct.unpack(f"{order}I", _take(data, 4, 4))
    size, left = (0, 0), MAX_TAGS
    for _ in range(MAX_PAGES):
        tags = _read_tags(data, page)
        left -= tags.entries
        if left < 0:
            raise TooManyPartsError
        _check_page(data, tags)
        if not any(size):
            size = tags.first(WIDTH), tags.first(HEIGHT)
        page = tags.next_page
        if not page:
            return size
    raise TooManyPartsError


def _check_page(data: bytes, tags: _Tags) -> None:
    """Raise ValueError if strips or tiles of a page are missing."""
    places, lengths = tags.all(PLACES), tags.all(LENGTHS)
    if not places or not tags.first(WIDTH):
        raise ValueError("no image data")
    ends = (place + length for place, length in zip(places, lengths, strict=False))
    if max(max(ends, default=0), max(places) + 1) > len(data):
        raise ValueError("the end is missing")


def _read_tags(data: bytes, table: int) -> _Tags:
    order = "<" if data[:2] == b"II" else ">"
    try:
        (count,) = struct.unpack_from(f"{order}H", data, table)
        found: dict[int, Sequence[int]] = {}
        end = table + 2 + 12 * count
        for at in range(table + 2, end, 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", data, at)
            size = BYTES[kind] * length if kind < len(BYTES) else 0
            place = at + 8
            if size > 4:
                (place,) = struct.unpack_from(f"{order}I", data, at + 8)
            if place + size > len(data):
                raise ValueError("the end is missing")
            if tag not in READ_TAGS or tag in found or kind not in TYPES:
                continue
            if length > MAX_VALUES:
                raise ValueError("more strips than any image has")
            found[tag] = struct.unpack_from(f"{order}{length}{TYPES[kind]}", data, place)
        (next_page,) = struct.unpack_from(f"{order}I", data, end)
    except struct.error as fault:
        raise ValueError("the end is missing") from fault
    return _Tags(found, count, next_page)


def _is_bmp(data: bytes) -> bool:
    """Two letters alone may begin a text, so the head must fit, too."""
    head = int.from_bytes(data[14:18], "little")
    pixels = int.from_bytes(data[10:14], "little")
    return data.startswith(b"BM") and head in BITMAP_HEADS and pixels >= 14 + head


def _check_bmp(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if rows are missing."""
    try:
        (pixels, head) = struct.unpack_from("<II", data, 10)
        if head < 40:
            width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
            compression = 0
        else:
            width, height, _, bits, compression, length = struct.unpack_from("<iiHHII", data, 18)
    except struct.error as fault:
        raise ValueError("the end is missing") from fault
    if compression in UNCOMPRESSED:
        length = (width * bits + 31) // 32 * 4 * abs(height)
    if pixels + length > len(data):
        raise ValueError("the end is missing")
    return width, abs(height)


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and bool(avif.brands(data) & HEIC_BRANDS)


def _is_jxl(data: bytes) -> bool:
    return data.startswith((b"\xff\x0a", JXL_BOXES))


def _is_ico(data: bytes) -> bool:
    """Four bytes alone may begin anything, so the first entry must fit, too."""
    offset = int.from_bytes(data[18:22], "little")
    count = int.from_bytes(data[4:6], "little")
    is_head = data.startswith(b"\0\0\1\0") and len(data) > 22 and data[9] == 0
    return is_head and 0 < count < 256 and offset >= 6 + 16 * count


def _check_ico(data: bytes) -> tuple[int, int]:
    """The size of the first image. Raises ValueError if an image is cut."""
    for at in range(6, 6 + 16 * data[4], 16):
        length, offset = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (8, 12))
        if offset + length > len(data):
            raise ValueError("the end is missing")
    return data[6] or 256, data[7] or 256


def _check_jxl(data: bytes) -> tuple[int, int]:
    """No size. Raises ValueError if a box is cut. Bare data does not say where it ends."""
    if data.startswith(JXL_BOXES):
        _check_boxes(data, {b"jxlc", b"jxlp"})
    elif not data[2:].strip(TEXT):
        raise ValueError("it is text")
    return 0, 0


def _check_jp2(data: bytes) -> tuple[int, int]:
    """No size. Raises ValueError if a box is cut."""
    return _check_boxes(data, {b"jp2c"})


def _check_boxes(data: bytes, pixels: set[bytes]) -> tuple[int, int]:
    """No size. Raises ValueError if a box is cut, or none is one of `pixels`."""
    kinds = {part.kind for part in boxes.walk(data, 0, len(data))}
    if not kinds & pixels:
        raise ValueError("no image data")
    return 0, 0


def _check_j2k(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if the end mark is missing."""
    if not data.rstrip(b"\0\r\n").endswith(b"\xff\xd9"):
        raise ValueError("the end is missing")
    right, bottom, left, top = (int.from_bytes(data[at : at + 4], "big") for at in (8, 12, 16, 20))
    return max(0, right - left), max(0, bottom - top)


def _check_ppm(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if values are missing, or text stands among them."""
    head = PPM_HEAD.match(data)
    if head is None:
        raise ValueError("no size")
    width, height, most = map(int, head.groups())
    values = 3 * width * height
    if data.startswith(b"P6"):
        found = (len(data) - head.end()) // (1 if most < 256 else 2)
    elif PPM_TEXT.fullmatch(data, head.end()) is None:
        raise ValueError("expected numbers")
    else:
        found = sum(1 for _ in PPM_VALUE.finditer(data, head.end()))
    if found < values:
        raise ValueError("the end is missing")
    return width, height


def _check_psd(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if a section is missing, or pixels that are not packed."""
    channels, height, width, depth = struct.unpack(">HIIH", _take(data, 12, 12))
    at = PSD_HEAD
    for _ in range(3):  # palette, resources, layers
        at += 4 + int.from_bytes(_take(data, at, 4), "big")
    compression = int.from_bytes(_take(data, at, 2), "big")
    at, rows = at + 2, channels * height
    length = rows * ((width * depth + 7) // 8)
    if compression == 1:
        counts = struct.unpack(f">{rows}H", _take(data, at, 2 * rows))
        length = 2 * rows + sum(counts)
    elif compression > 1:
        length = 1
    if at + length > len(data):
        raise ValueError("the end is missing")
    return width, height


def _check_hdr(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if there is none, or less data than the smallest packed image."""
    size = HDR_SIZE.search(data[:HDR_HEAD])
    if size is None:
        raise ValueError("no size")
    numbers = {size[1]: int(size[2]), size[3]: int(size[4])}
    if len(data) - size.end() < numbers[b"Y"]:
        raise ValueError("the end is missing")
    return numbers[b"X"], numbers[b"Y"]


def _check_exr(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError or IndexError if the attributes are cut or lack the size."""
    at, size = 8, None
    for _ in range(MAX_ATTRIBUTES):
        if data[at] == 0:
            break
        start = data.find(b"\0", data.find(b"\0", at) + 1) + 1  # behind a name and a type
        if start <= at:
            raise ValueError("the end is missing")
        length = int.from_bytes(_take(data, start, 4), "little")
        body = _take(data, start + 4, length)
        if data.startswith(b"dataWindow\0box2i\0", at) and length == 16:
            left, top, right, bottom = struct.unpack("<iiii", body)
            size = size or (max(0, right - left + 1), max(0, bottom - top + 1))
        at = start + 4 + length
    if size is None or at + 1 >= len(data):
        raise ValueError("no image data")
    return size


def _take(data: bytes, at: int, length: int) -> bytes:
    """The bytes at an offset. Raises ValueError if there are fewer than `length`."""
    if at + length > len(data):
        raise ValueError("the end is missing")
    return data[at : at + length]


def _check_qoi(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if the end mark is missing."""
    if not data.rstrip(b"\r\n").endswith(bytes(7) + b"\1"):
        raise ValueError("the end is missing")
    return int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")


# In the order of FOREIGN.
CONTAINERS = {
    "svg": Container(svg.matches, svg.check),
    "tiff": Container(_is_tiff, _check_tiff),
    "bmp": Container(_is_bmp, _check_bmp),
    "heic": Container(_is_heic, avif.check),
    "jxl": Container(_is_jxl, _check_jxl),
    "jp2": Container(lambda data: data.startswith(JP2_BOXES), _check_jp2),
    "j2k": Container(lambda data: data.startswith(b"\xff\x4f\xff\x51"), _check_j2k),
    "ico": Container(_is_ico, _check_ico),
    "psd": Container(lambda data: data.startswith(b"8BPS\0\1"), _check_psd),
    "qoi": Container(lambda data: data.startswith(b"qoif"), _check_qoi),
    "exr": Container(lambda data: data.startswith(b"\x76\x2f\x31\x01"), _check_exr),
    "hdr": Container(lambda data: data.startswith((b"#?RADIANCE\n", b"#?RGBE\n")), _check_hdr),
    "ppm": Container(lambda data: PPM_HEAD.match(data) is not None, _check_ppm),
}
