"""What image bytes are, how large, and whether they are whole: by their own structure, without decoding.

Truncation shows in a container's own lengths, checksums and end marks, for microseconds a megabyte. A full decode would
cost a hundred times as much and still miss cuts in the last bytes of PNG and GIF.
Sources: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), GIF89a, WebP container (RFC 9649), AVIF (ISO/IEC 23000-22, 14496-12).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator

from flux_cli.core.errors import ImageError
from flux_cli.core.lite import NamedTuple

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
AVIF_BRANDS = (b"avif", b"avis")
_MARK = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
MAX_PIXELS = 1 << 28  # the largest WebP; models draw four million. More is a bomb for whoever opens the file


class Inspection(NamedTuple):
    """What the bytes themselves say: format name, width and height in pixels."""

    format: str
    width: int
    height: int


def sniff(data: bytes) -> str | None:
    """The format by its magic bytes; None for anything flux does not know."""
    if data.startswith(PNG_MAGIC):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        end = min(u32(data, 0), 256) if len(data) >= 16 else 0
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
        return "avif" if brands.intersection(AVIF_BRANDS) else None
    return None


def inspect(data: bytes) -> Inspection:
    """Walk the whole container. Raises ImageError for unknown, damaged, truncated or monstrous images."""
    name = sniff(data)
    if name is None:
        message = f"this is no image: it begins with {_shown(data)}"
        raise ImageError(message)
    try:
        width, height = _WALKERS[name](data)
    except (IndexError, ValueError) as fault:
        message = f"the {name} image is not whole ({len(data):,} bytes: {fault})"
        raise ImageError(message) from fault
    if width < 1 or height < 1:
        message = f"the {name} image has no pixels ({width}x{height})"
        raise ImageError(message)
    if width * height > MAX_PIXELS:
        message = f"the {name} image claims {width}x{height} pixels, more than any should have"
        raise ImageError(message)
    return Inspection(name, width, height)


def _png(data: bytes) -> tuple[int, int]:
    """Chunks with right checksums from IHDR over IDAT to IEND."""
    at = len(PNG_MAGIC)
    seen: set[bytes] = set()
    while b"IEND" not in seen:
        length, kind = u32(data, at), data[at + 4 : at + 8]
        if not seen and (kind != b"IHDR" or length != 13):
            raise ValueError("does not begin with IHDR")
        if u32(data, at + 8 + length) != zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]):
            raise ValueError(f"wrong checksum in {kind!r}")
        seen.add(kind)
        at += 12 + length
    if b"IDAT" not in seen:
        raise ValueError("no image data")
    return u32(data, 16), u32(data, 20)


def _jpeg(data: bytes) -> tuple[int, int]:
    """Segments up to the end mark; the frame header among them has the size."""
    at, size, scans = 2, None, 0
    while True:
        if data[at] != 0xFF:
            raise ValueError("lost between segments")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0xD9:
            break
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # marks without a length
            at += 2
        else:
            length = u16(data, at + 2)
            if length < 2:
                raise ValueError("a segment of no length")
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                size = u16(data, at + 7), u16(data, at + 5)
            at += 2 + length
            if marker == 0xDA:
                scans += 1
                at = _after_scan(data, at)
    if size is None or not scans:
        raise ValueError("no image data")
    return size


def _after_scan(data: bytes, at: int) -> int:
    """The next mark after compressed data, where FF00 is a data byte and FFD0..FFD7 are restarts."""
    mark = _MARK.search(data, at)
    if mark is None:
        raise ValueError("the end is missing")
    return mark.start()


def _gif(data: bytes) -> tuple[int, int]:
    """Blocks from the screen descriptor to the trailer, with at least one image among them."""
    at, images = 13 + palette(data[10]), 0
    while data[at] != 0x3B:
        if data[at] == 0x21:
            at += 2
        elif data[at] == 0x2C:
            images += 1
            at += 11 + palette(data[at + 9])
        else:
            raise ValueError("an unknown block")
        while data[at]:
            at += 1 + data[at]
        at += 1
    if not images:
        raise ValueError("no image data")
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def palette(flags: int) -> int:
    """Bytes of the color table that the flags of a GIF's screen or image announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes) -> tuple[int, int]:
    """RIFF lengths that add up, and the size from whichever image chunk is there."""
    end, size = 8 + int.from_bytes(data[4:8], "little"), None
    at = 12
    if end > len(data):
        raise ValueError(f"{end - len(data):,} bytes are missing")
    bodies = 0
    while at < end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = at + 8
        if body + length > end:
            raise ValueError("a chunk is cut")
        bodies += kind in (b"VP8 ", b"VP8L", b"ANMF")
        size = size or _webp_size(kind, data[body : body + 10])
        at = body + length + length % 2
    if not size or not bodies:
        raise ValueError("no image data")
    return size


def _webp_size(kind: bytes, head: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    return None


def _avif(data: bytes) -> tuple[int, int]:
    """Boxes that fill the file, a size, and every item extent inside it."""
    kinds = [kind for kind, _, _ in boxes(data, 0, len(data))]
    if b"meta" not in kinds or not (b"mdat" in kinds or b"idat" in kinds):
        raise ValueError("no image data")
    meta_at, meta_end = next((start, end) for kind, start, end in boxes(data, 0, len(data)) if kind == b"meta")
    sizes = []
    for kind, start, end in boxes(data, meta_at + 4, meta_end):
        if kind == b"iloc":
            _check_extents(data[start:end], len(data))
        elif kind == b"iprp":
            sizes += [
                (u32(data, at + 4), u32(data, at + 8))
                for box, inner, stop in boxes(data, start, end)
                if box == b"ipco"
                for property_, at, _ in boxes(data, inner, stop)
                if property_ == b"ispe"
            ]
    if not sizes:
        raise ValueError("no size")
    return max(sizes)


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each ISO box. Raises ValueError where one does not fit."""
    while at < end:
        length, kind, head = u32(data, at), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = end - at
        if length < head or at + length > end:
            raise ValueError(f"box {kind!r} is cut")
        yield kind, at + head, at + length
        at += length


def _check_extents(iloc: bytes, length: int) -> None:
    """Raise ValueError where an item of an `iloc` box points behind the end of the file."""
    version, sizes = iloc[0], iloc[4:6]
    widths = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, (sizes[1] & 15) if version else 0
    offset_size, length_size, base_size, index_size = widths
    wide = 4 if version == 2 else 2
    at = 6 + wide
    for _ in range(int.from_bytes(iloc[6:at], "big")):
        method = iloc[at + wide + 1] & 15 if version else 0
        at += wide + (2 if version else 0) + 2
        base = int.from_bytes(iloc[at : at + base_size], "big")
        at += base_size
        extents = u16(iloc, at)
        at += 2
        if extents > 1 and not (offset_size or length_size or index_size):
            raise ValueError("extents without an address")
        for _ in range(extents):
            at += index_size
            offset = base + int.from_bytes(iloc[at : at + offset_size], "big")
            at += offset_size
            extent = int.from_bytes(iloc[at : at + length_size], "big")
            at += length_size
            if at > len(iloc) or (method == 0 and offset + extent > length):
                raise ValueError("the end is missing")


def u32(data: bytes, at: int) -> int:
    """Four bytes, the high one first. Raises ValueError where they are not there."""
    if at + 4 > len(data):
        raise ValueError("the end is missing")
    return int.from_bytes(data[at : at + 4], "big")


def u16(data: bytes, at: int) -> int:
    """Two bytes, the high one first. Raises IndexError where they are not there."""
    return data[at] << 8 | data[at + 1]


def _shown(data: bytes) -> str:
    head = data[:24].decode("utf-8", "replace")
    return repr(head) if data else "nothing"


_WALKERS: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "webp": _webp,
    "avif": _avif,
}
