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

BITMAP_HEADS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes
UNCOMPRESSED = (0, 3, 6)  # kinds of compression of a bitmap
HEIC_BRANDS = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
}  # fmt: skip
JXL_BOXES = b"\0\0\0\x0cJXL \r\n\x87\n"
JP2_BOXES = b"\0\0\0\x0cjP  \r\n\x87\n"
PPM_HEAD = re.compile(rb"P[36]\s+(?:#[^\n]{0,200}\n\s*){0,20}(\d{1,6})\s+(\d{1,6})\s+\d{1,5}\s")
WIDTH, HEIGHT = 256, 257  # tags of TIFF
PLACES, LENGTHS = (273, 324), (279, 325)  # tags: strips or tiles
READ_TAGS = {WIDTH, HEIGHT, *PLACES, *LENGTHS}
MAX_VALUES = 100_000  # of one tag
TYPES = {1: 1, 3: 2, 4: 4}  # bytes by type of number


class _Tags(NamedTuple):
    """The first table of tags of a TIFF."""

    values: dict[int, Sequence[int]]

    def first(self, tag: int) -> int:
        """The first value of a tag; 0 if it is missing."""
        return next(iter(self.values.get(tag, ())), 0)

    def all(self, tags: tuple[int, ...]) -> Sequence[int]:
        """All values of the first of these tags that is there."""
        return next((self.values[tag] for tag in tags if tag in self.values), ())


def _is_tiff(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _check_tiff(data: bytes) -> tuple[int, int]:
    """The size of the first image. Raises ValueError or IndexError if its data is cut."""
    if data[2:4] in (b"+\0", b"\0+"):  # of more than 4 GB: nobody sends one
        return 0, 0
    tags = _read_tags(data)
    places, lengths = tags.all(PLACES), tags.all(LENGTHS)
    ends = (place + length for place, length in zip(places, lengths, strict=False))
    if max(ends, default=0) > len(data):
        raise ValueError("the end is missing")
    return tags.first(WIDTH), tags.first(HEIGHT)


def _read_tags(data: bytes) -> _Tags:
    order = "<" if data[:2] == b"II" else ">"
    try:
        (table,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, table)
        found: dict[int, Sequence[int]] = {}
        for at in range(table + 2, table + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", data, at)
            if tag not in READ_TAGS or tag in found or kind not in TYPES:
                continue
            if length > MAX_VALUES:
                raise ValueError("more strips than any image has")
            place = at + 8
            if TYPES[kind] * length > 4:
                (place,) = struct.unpack_from(f"{order}I", data, at + 8)
            letter = {1: "B", 3: "H", 4: "I"}[kind]
            found[tag] = struct.unpack_from(f"{order}{length}{letter}", data, place)
    except struct.error as fault:
        raise ValueError("the end is missing") from fault
    return _Tags(found)


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


def _check_boxes(data: bytes) -> tuple[int, int]:
    """No size. Raises ValueError if a box is cut."""
    if data[4:5].isalpha():
        for _ in boxes.walk(data, 0, len(data)):
            pass
    return 0, 0


def _check_j2k(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if the end mark is missing."""
    if not data.rstrip(b"\0\r\n").endswith(b"\xff\xd9"):
        raise ValueError("the end is missing")
    right, bottom, left, top = (int.from_bytes(data[at : at + 4], "big") for at in (8, 12, 16, 20))
    return max(0, right - left), max(0, bottom - top)


def _check_ppm(data: bytes) -> tuple[int, int]:
    head = PPM_HEAD.match(data)
    return (int(head[1]), int(head[2])) if head else (0, 0)


def _check_psd(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[18:22], "big"), int.from_bytes(data[14:18], "big")


def _check_qoi(data: bytes) -> tuple[int, int]:
    """The size. Raises ValueError if the end mark is missing."""
    if not data.rstrip(b"\r\n").endswith(bytes(7) + b"\1"):
        raise ValueError("the end is missing")
    return int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")


def _no_size(_data: bytes) -> tuple[int, int]:
    return 0, 0


def _begins_with(*magics: bytes) -> Container:
    return Container(lambda data: data.startswith(magics), _no_size)


# In the order of FOREIGN.
CONTAINERS = {
    "svg": Container(svg.matches, svg.check),
    "tiff": Container(_is_tiff, _check_tiff),
    "bmp": Container(_is_bmp, _check_bmp),
    "heic": Container(_is_heic, avif.check),
    "jxl": Container(_is_jxl, _check_boxes),
    "jp2": Container(lambda data: data.startswith(JP2_BOXES), _check_boxes),
    "j2k": Container(lambda data: data.startswith(b"\xff\x4f\xff\x51"), _check_j2k),
    "ico": Container(_is_ico, _check_ico),
    "psd": Container(lambda data: data.startswith(b"8BPS\0\1"), _check_psd),
    "qoi": Container(lambda data: data.startswith(b"qoif"), _check_qoi),
    "exr": _begins_with(b"\x76\x2f\x31\x01"),
    "hdr": _begins_with(b"#?RADIANCE\n", b"#?RGBE\n"),
    "ppm": Container(lambda data: PPM_HEAD.match(data) is not None, _check_ppm),
}
