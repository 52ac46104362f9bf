"""WebP: chunks in a RIFF container. Source: RFC 9649."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from flux_cli.images.containers.container import (
    LARGE,
    Block,
    BlockKind,
    Colors,
    Container,
    Mending,
    Payload,
)
from flux_cli.images.containers.parts import (
    EXIF_HEAD,
    MAX_PARTS,
    Edit,
    Part,
    TooManyPartsError,
    content,
    first_of_each_kind,
)

SIMPLE = (b"VP8 ", b"VP8L")  # lossy and lossless image data
EXTENDED = b"VP8X"  # the head of files with more than one image chunk
FRAME = b"ANMF"  # of an animation
IMAGES = (*SIMPLE, FRAME)
NEEDED = (*IMAGES, EXTENDED, b"ALPH", b"ANIM")  # to decode the pixels
BLOCKS: dict[bytes, BlockKind] = {b"XMP ": "xmp", b"EXIF": "exif", b"ICCP": "icc", b"C2PA": "c2pa"}
HAS_XMP, HAS_EXIF, HAS_ALPHA = 0x04, 0x08, 0x10  # flags of the extended head


def matches(data: bytes) -> bool:
    """Whether a file starts like a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def walk(data: bytes) -> Iterator[Part]:
    """The chunks of the RIFF; each ends on an even byte."""
    at, end = 12, 8 + _u32(data, 4)
    if end > len(data):
        raise ValueError(f"{end - len(data):,} bytes are missing")
    for _ in range(MAX_PARTS):
        if at >= end:
            return
        body = at + 8
        stop = body + _u32(data, at + 4)
        if stop > end:
            raise ValueError("a chunk is cut")
        if not _is_name(data[at : at + 4]):
            raise ValueError("expected a chunk")
        after = stop + stop % 2
        yield Part(data[at : at + 4], at, body, stop, min(after, len(data)))
        at = after
    raise TooManyPartsError


def check(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a complete WebP.

    Raises ValueError if lengths do not add up, or the size or the image data is missing.
    """
    size, images = None, 0
    for part in walk(data):
        images += part.kind in IMAGES
        size = size or _size(part.kind, data[part.body : part.body + 10])
    if not size or not images:
        raise ValueError("no image data")
    return size


def blocks(data: bytes) -> Iterator[Block]:
    """XMP, EXIF, the color profile and signed credentials."""
    for part in walk(data):
        if kind := BLOCKS.get(part.kind):
            yield Block(kind, content(data, part).removeprefix(EXIF_HEAD))


def colors(data: bytes) -> Colors:
    """How the pixels are stored. Alpha is the same bit in the extended and the lossless head."""
    parts = list(walk(data))
    first = first_of_each_kind(parts)
    lossless = first.get(b"VP8L")
    frames = sum(part.kind == b"ANMF" for part in parts)
    alpha = False
    if extended := first.get(EXTENDED):
        alpha = data[extended.body] & HAS_ALPHA != 0
    elif lossless:
        alpha = data[lossless.body + 4] & HAS_ALPHA != 0
    return Colors("RGB" if lossless else "YUV 4:2:0", 8, alpha, max(1, frames))


def edits(data: bytes, payload: Payload) -> list[Edit]:
    """Write an XMP chunk at the end of the RIFF and set its flag in the extended head.

    A simple file gets an extended head. Raises ValueError for a file that would exceed 4 GiB.
    """
    old = next((part for part in walk(data) if part.kind == b"XMP "), None)
    packet = payload.packet(content(data, old) if old else None)
    return _with_chunk(data, b"XMP ", packet, HAS_XMP)


def add(data: bytes, block: Block) -> list[Edit]:
    """Write XMP or EXIF as a chunk at the end of the RIFF."""
    kind, flag = (b"XMP ", HAS_XMP) if block.kind == "xmp" else (b"EXIF", HAS_EXIF)
    return _with_chunk(data, kind, block.data, flag)


def _with_chunk(data: bytes, kind: bytes, body: bytes, flag: int) -> list[Edit]:
    """A new chunk at the end in place of all of its kind."""
    chunks = list(walk(data))
    first, end = chunks[0], chunks[-1].end
    chunk = kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    changes = [
        _announce(data, first, flag),
        *(Edit(part.start, part.end) for part in chunks if part.kind == kind),
        Edit(end, end, bytes(end % 2) + chunk),
    ]
    size = end - 8 + sum(len(edit.new) - (edit.end - edit.start) for edit in changes)
    if size >= 1 << 32:
        raise ValueError("a WebP cannot be longer than 4 GiB")
    return [Edit(4, 8, struct.pack("<I", size)), *changes]


def mend(data: bytes) -> Mending:
    """Leave out what is cut behind the pixels, and correct the length of the RIFF.

    Raises ValueError if a chunk with pixels is cut, or frames of an animation may be missing.
    """
    at, is_animated = 12, False
    for _ in range(MAX_PARTS):
        kind = data[at : at + 4]
        if at + 8 > len(data) or not _is_name(kind):
            break
        stop = at + 8 + _u32(data, at + 4)
        if stop > len(data):
            if kind in NEEDED:
                raise ValueError("a chunk is cut")
            break
        is_animated = is_animated or kind == FRAME
        at = stop + stop % 2
    else:
        raise TooManyPartsError
    if is_animated and at < 8 + _u32(data, 4):
        raise ValueError("a frame may be missing")
    end = min(at, len(data))
    length = Edit(4, 8, struct.pack("<I", at - 8))
    return Mending([[length, Edit(end, len(data), bytes(at - end))]])


def _is_name(kind: bytes) -> bool:
    """Whether this may be the name of a chunk. Zeros, which fill a cut file, are none."""
    return kind.isascii() and kind.decode().isprintable()


def _announce(data: bytes, first: Part, flag: int) -> Edit:
    """Set a flag of the extended head, or put such a head before the image."""
    if first.kind == EXTENDED:
        return Edit(first.body, first.body + 1, bytes([data[first.body] | flag]))
    head = data[first.body : first.body + 10]
    size = _size(first.kind, head)
    if size is None:
        raise ValueError("the first chunk is not an image")
    alpha = HAS_ALPHA if first.kind == b"VP8L" and head[4] & HAS_ALPHA else 0
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    extended = EXTENDED + struct.pack("<II", 10, flag | alpha) + sides
    return Edit(first.start, first.start, extended)


def _size(kind: bytes, head: bytes) -> tuple[int, int] | None:
    """Width and height from the first bytes of a chunk; None if it does not contain them."""
    if kind == EXTENDED:
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
        return width & 0x3FFF, height & 0x3FFF
    return None


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


HELD = dict.fromkeys(("xmp", "exif"), LARGE)
CONTAINER = Container(matches, check, blocks, colors, edits, mend, add=add, holds=HELD)
