"""GIF: a screen descriptor, then images and extensions made of sub-blocks. Source: GIF89a."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from flux_cli.images.containers.container import (
    LARGE,
    Block,
    Colors,
    Container,
    Mending,
    Payload,
)
from flux_cli.images.containers.parts import (
    MAX_CONTENT,
    MAX_PARTS,
    Edit,
    Part,
    TooManyPartsError,
    start_of_padding,
)

MAGICS = (b"GIF87a", b"GIF89a")
IMAGE, EXTENSION, TRAILER = b",", b"!", b";"
_BLOCK = re.compile(rb"[,!;]")  # how a block begins
CONTROL, COMMENT, APPLICATION = b"!\xf9", b"!\xfe", b"!\xff"
XMP_NAME, ICC_NAME, C2PA_NAME = b"XMP DataXMP", b"ICCRGBG1012", b"C2PA_GIF"
USUAL = 64  # bytes of a sub-block, which may have 255; a file has few that are much shorter
CODE_BITS = 7  # of an image, whose codes all have one bit more
NAME_END = 12  # where the content of an application extension begins
# XMP in a GIF is not split into sub-blocks. Readers that take one of its bytes for a length land
# in this ramp of descending bytes, which leads them to the terminator.
RAMP = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


def matches(data: bytes) -> bool:
    """Whether a file starts like a GIF."""
    return data.startswith(MAGICS)


def walk(data: bytes) -> Iterator[Part]:
    """The blocks up to and including the trailer; an extension's `kind` is its first two bytes."""
    at = 13 + _palette(data[10])
    sub_blocks = MAX_PARTS + len(data) // USUAL
    for _ in range(MAX_PARTS):
        if data[at] == TRAILER[0]:
            yield Part(TRAILER, at, at + 1, at + 1, at + 1)
            return
        if data[at] not in (EXTENSION[0], IMAGE[0]):
            raise ValueError("an unknown block")
        kind, body = _head(data, at)
        start = at
        at, sub_blocks = _skip_sub_blocks(data, body, sub_blocks)
        yield Part(kind, start, body, at, at)
    raise TooManyPartsError


def check(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a complete GIF.

    Raises ValueError or IndexError if the trailer is missing or no block is an image.
    """
    frames = [part.start for part in walk(data) if part.kind == IMAGE]
    if not frames:
        raise ValueError("no image data")
    # Decoders enlarge the screen for a first frame that goes beyond it.
    left, top, width, height = (_u16(data, frames[0] + at) for at in (1, 3, 5, 7))
    screen = _size(data)
    return max(screen[0], left + width), max(screen[1], top + height)


def blocks(data: bytes) -> Iterator[Block]:
    """Comments, XMP, the color profile and signed credentials."""
    for part in walk(data):
        if part.kind == COMMENT:
            yield Block("comment", _content(data, part.body))
        elif part.kind == APPLICATION:
            name = _name(data, part)
            if name == XMP_NAME:
                yield Block("xmp", _packet(data, part))
            elif name.startswith(C2PA_NAME):
                yield Block("c2pa", b"")
            elif name == ICC_NAME:
                yield Block("icc", _content(data, part.body + NAME_END))


def colors(data: bytes) -> Colors:
    """Depth of the palette, transparency, and how many frames there are."""
    frames, alpha = 0, False
    for part in walk(data):
        frames += part.kind == IMAGE
        alpha = alpha or (part.kind == CONTROL and data[part.body + 1] & 1 == 1)
    return Colors("palette", (data[10] & 7) + 1, alpha, frames)


def edits(data: bytes, payload: Payload) -> list[Edit]:
    """Write XMP and a comment before the first frame, where other tools look for them.

    They come after the loop count. Raises ValueError or IndexError for a damaged file.
    """
    changes, existing = [Edit(0, 6, b"GIF89a")], None
    place = 0
    for part in walk(data):
        if part.kind == APPLICATION and _name(data, part) == XMP_NAME:
            existing = _packet(data, part)
            changes.append(Edit(part.start, part.end))
        elif part.kind == COMMENT and payload.is_ours(_content(data, part.body)):
            changes.append(Edit(part.start, part.end))
        if not place and part.kind not in (APPLICATION, COMMENT):
            place = part.start
    width, height = _size(data)
    comment = COMMENT + _sub_blocks(payload.parameters(f"{width}x{height}"))
    return [*changes, Edit(place, place, comment + _xmp(payload.packet(existing)))]


def add(data: bytes, block: Block) -> list[Edit]:
    """Write XMP or a comment before the first frame."""
    parts = walk(data)
    place = next(part.start for part in parts if part.kind not in (APPLICATION, COMMENT))
    comment = COMMENT + _sub_blocks(block.data)
    new = _xmp(block.data) if block.kind == "xmp" else comment
    return [Edit(0, 6, b"GIF89a"), Edit(place, place, new)]


def _xmp(packet: bytes) -> bytes:
    return APPLICATION + b"\x0b" + XMP_NAME + packet + RAMP


def mend(data: bytes) -> Mending:
    """Leave out bytes between blocks and a cut extension, and add an end that is missing.

    Raises ValueError if an image is cut, also if equal bytes fill the file behind the cut.
    """
    changes: list[Edit] = []
    at = 13 + _palette(data[10])
    received, data = data, data[: start_of_padding(data, 0, len(data))]
    sub_blocks, is_control = MAX_PARTS + len(data) // USUAL, False
    for _ in range(MAX_PARTS):
        found = _BLOCK.search(data, at)
        if found is None:
            if is_control:
                raise ValueError("a frame is missing")
            return _end(received, changes, min(at, len(data)), TRAILER)
        start = found.start()
        if start > at:
            changes.append(Edit(at, start))
        if data[start] == TRAILER[0]:
            return Mending([changes])
        is_image = data[start] == IMAGE[0]
        is_control = CONTROL.startswith(data[start : start + 2])  # an image follows
        try:
            at, sub_blocks = _skip_sub_blocks(data, _head(data, start)[1], sub_blocks)
        except IndexError:
            if is_control:
                raise ValueError("a frame is missing") from None
            if not is_image:
                return _end(received, changes, start, TRAILER)
            end = _end_of_image(received, _head(data, start)[1], len(data))
            return _end(received, changes, end, b"\0" + TRAILER)
    raise TooManyPartsError


def _end(data: bytes, changes: Sequence[Edit], at: int, end: bytes) -> Mending:
    """The changes, and an end instead of everything from `at` on."""
    return Mending([[*changes, Edit(at, len(data), end)]])


def _end_of_image(data: bytes, at: int, length: int) -> int:
    """Where the last sub-block of an image ends. `length` is that of the file without padding.

    Raises ValueError if it is cut. One zero of the padding may be its last byte: if codes have
    eight bits or more, that byte is a part of the end code and holds no pixels.
    """
    has_long_codes = data[at - 1] >= CODE_BITS
    while at < length:
        at += 1 + data[at]
    if at == length + 1 and has_long_codes and data[length : length + 1] == b"\0":
        return at
    if at > length:
        raise ValueError("the end is missing")
    return at


def _head(data: bytes, at: int) -> tuple[bytes, int]:
    """The kind of the extension or image at an offset, and where its sub-blocks begin."""
    if data[at] == EXTENSION[0]:
        return data[at : at + 2], at + 2
    return IMAGE, at + 11 + _palette(data[at + 9])


def _size(data: bytes) -> tuple[int, int]:
    return _u16(data, 6), _u16(data, 8)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _palette(flags: int) -> int:
    """Size in bytes of the color table, from the flags of a screen or image descriptor."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _name(data: bytes, part: Part) -> bytes:
    """The name and version of an application extension."""
    return data[part.body + 1 : part.body + NAME_END]


def _packet(data: bytes, part: Part) -> bytes:
    start = part.body + NAME_END
    stop = min(part.stop - len(RAMP), start + MAX_CONTENT)
    return data[start : max(start, stop)]


def _skip_sub_blocks(data: bytes, at: int, most: int) -> tuple[int, int]:
    """The place behind a run of sub-blocks, and how many of `most` are left."""
    for left in range(most, 0, -1):
        length = data[at]
        at += 1 + length
        if not length:
            return at, left - 1
    raise TooManyPartsError


def _content(data: bytes, at: int) -> bytes:
    """The content of a run of sub-blocks, cut at MAX_CONTENT."""
    found = bytearray()
    while data[at] and len(found) < MAX_CONTENT:
        found += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
    return bytes(found)


def _sub_blocks(content: bytes) -> bytes:
    pieces = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


HELD = dict.fromkeys(("xmp", "comment"), LARGE)
CONTAINER = Container(matches, check, blocks, colors, edits, mend, add=add, holds=HELD)
