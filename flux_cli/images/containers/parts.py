"""The parts of a container, one after the other: where each begins, and where its content lies. Nothing is copied.

They raise ValueError or IndexError where bytes do not add up. Whether an image is whole is for `containers` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.whole import PNG_MAGIC, boxes, palette, u16, u32


class Part(NamedTuple):
    """One chunk, segment, block or box: `start` to `end` with head and checksum, `body` to `stop` its content."""

    kind: bytes
    start: int
    body: int
    stop: int
    end: int


def png(data: bytes) -> Iterator[Part]:
    """Chunks, up to and with IEND."""
    at, kind = len(PNG_MAGIC), b""
    while kind != b"IEND":
        length, kind = u32(data, at), data[at + 4 : at + 8]
        yield Part(kind, at, at + 8, at + 8 + length, at + 12 + length)
        at += 12 + length


def jpeg(data: bytes) -> Iterator[Part]:
    """Segments before the first scan; `kind` is the marker's second byte."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("lost between segments")
        marker = data[at + 1]
        if marker in (0xD9, 0xDA):
            return
        if marker == 0xFF:
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            length = u16(data, at + 2)
            if length < 2 or at + 2 + length > len(data):
                raise ValueError("a segment is cut")
            yield Part(bytes([marker]), at, at + 4, at + 2 + length, at + 2 + length)
            at += 2 + length


def webp(data: bytes) -> Iterator[Part]:
    """Chunks of the RIFF."""
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    while at < end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + length
        if stop > len(data):
            raise ValueError("a chunk is cut")
        yield Part(data[at : at + 4], at, at + 8, stop, min(stop + length % 2, len(data)))
        at = stop + length % 2


def gif(data: bytes) -> Iterator[Part]:
    """Blocks up to the trailer; `kind` is the byte of an image, or the two of an extension."""
    at = 13 + palette(data[10])
    while data[at] != 0x3B:
        start = at
        kind = data[at : at + 2] if data[at] == 0x21 else data[at : at + 1]
        body = at = at + 2 if data[at] == 0x21 else at + 11 + palette(data[at + 9])
        while data[at]:
            at += 1 + data[at]
        at += 1
        yield Part(kind, start, body, at, at)
    yield Part(b";", at, at + 1, at + 1, at + 1)


def avif(data: bytes) -> Iterator[Part]:
    """Boxes of the file."""
    return inside(data, 0, len(data))


def inside(data: bytes, at: int, end: int) -> Iterator[Part]:
    """Boxes between two places."""
    for kind, body, stop in boxes(data, at, end):
        yield Part(kind, at, body, stop, stop)
        at = stop


WALKERS: dict[str, Callable[[bytes], Iterator[Part]]] = {
    "png": png,
    "jpeg": jpeg,
    "gif": gif,
    "webp": webp,
    "avif": avif,
}


def sub_blocks(data: bytes, at: int) -> bytes:
    """The content of a GIF's run of sub-blocks."""
    pieces = []
    while data[at]:
        pieces.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(pieces)
