"""PNG: chunks with checksums. Source: ISO/IEC 15948."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from flux_cli.images.containers.container import (
    LARGE,
    SRGB,
    Block,
    Colors,
    Container,
    Mending,
    Payload,
)
from flux_cli.images.containers.parts import (
    MAX_PARTS,
    Edit,
    Part,
    TooManyPartsError,
    content,
    first_of_each_kind,
    read_text,
    u32,
)

MAGIC = b"\x89PNG\r\n\x1a\n"
TEXT_KINDS = (b"tEXt", b"zTXt", b"iTXt")
XMP_KEYWORD = b"XML:com.adobe.xmp"
PARAMETERS = "parameters"  # the keyword under which image generators store their parameters
COLOR_MODELS = {0: "gray", 2: "RGB", 3: "palette", 4: "gray", 6: "RGB"}
ALPHA_MODELS = (4, 6)
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by color model
FRAME_KINDS = (b"fdAT", b"fcTL", b"acTL")  # they hold pixels, although readers may ignore them
UNIT = 100_000  # what stands for 1 in gAMA and cHRM
WINDOW = 1 << 16  # bytes that are unpacked at a time
MAX_UNPACKED = 4 << 20  # bytes of all texts and profiles of one image together, once unpacked


def matches(data: bytes) -> bool:
    """Whether a file starts like a PNG."""
    return data.startswith(MAGIC)


def walk(data: bytes) -> Iterator[Part]:
    """The chunks up to and including IEND. Raises ValueError if the end is missing."""
    at = len(MAGIC)
    for _ in range(MAX_PARTS):
        length, kind = u32(data, at), data[at + 4 : at + 8]
        yield Part(kind, at, at + 8, at + 8 + length, at + 12 + length)
        if kind == b"IEND":
            return
        at += 12 + length
    raise TooManyPartsError


def check(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a complete PNG.

    Raises ValueError if IHDR, IDAT or IEND is missing, or a checksum is wrong.
    """
    view = memoryview(data)
    seen: set[bytes] = set()
    for part in walk(data):
        if not seen and (part.kind != b"IHDR" or part.stop - part.body != 13):
            raise ValueError("does not begin with IHDR")
        if u32(data, part.stop) != zlib.crc32(view[part.start + 4 : part.stop]):
            raise ValueError(f"wrong checksum in {part.kind!r}")
        seen.add(part.kind)
    if b"IDAT" not in seen:
        raise ValueError("no image data")
    return _size(data)


def blocks(data: bytes) -> Iterator[Block]:
    """Texts, XMP, EXIF, the color profile and signed credentials."""
    left = MAX_UNPACKED
    for part in walk(data):
        if part.kind in TEXT_KINDS:
            block = read_text_chunk(data, part, left)
            left -= len(block.data)
            yield block
        elif part.kind == b"eXIf":
            yield Block("exif", content(data, part))
        elif part.kind == b"pHYs":
            yield Block("density", content(data, part))
        elif part.kind == b"caBX":
            yield Block("c2pa", b"")
        elif part.kind == b"iCCP":
            _, _, compressed = content(data, part).partition(b"\0")
            block = Block("icc", _unpack(compressed[1:], left))
            left -= len(block.data)
            yield block


def colors(data: bytes) -> Colors:
    """How the pixels are stored, according to IHDR and the chunks beside it."""
    parts = first_of_each_kind(walk(data))
    depth, model = data[24], data[25]
    animation = parts.get(b"acTL")
    frames = u32(data, animation.body) if animation else 1
    alpha = model in ALPHA_MODELS or b"tRNS" in parts
    found = Colors(COLOR_MODELS.get(model, "?"), depth, alpha, frames)
    # Of several descriptions, the first of these counts (ISO/IEC 15948, third edition).
    if code := parts.get(b"cICP"):
        codes = data[code.body], data[code.body + 1]
        return found._replace(codes=codes, has_first_codes=True)
    if b"sRGB" in parts:
        return found._replace(codes=SRGB)
    if gamma := parts.get(b"gAMA"):
        found = found._replace(gamma=u32(data, gamma.body) / UNIT)
    if chroma := parts.get(b"cHRM"):
        places = range(chroma.body, chroma.body + 32, 4)
        found = found._replace(chroma=tuple(u32(data, at) / UNIT for at in places))
    return found


def edits(data: bytes, payload: Payload) -> list[Edit]:
    """Write XMP and `parameters` as texts after the header.

    If another program wrote `parameters`, they stay and ours are not added.
    """
    removed: list[Edit] = []
    existing, has_others, left = None, False, MAX_UNPACKED
    for part in walk(data):
        if part.kind not in TEXT_KINDS:
            continue
        block = read_text_chunk(data, part, left)
        left -= len(block.data)
        if left < 0:
            raise ValueError("a PNG with too many texts")
        if block.kind == "xmp":
            existing = block.data
        elif block.key != PARAMETERS:
            continue
        elif not payload.is_ours(block.data):
            has_others = True
            continue
        removed.append(Edit(part.start, part.end))
    header = next(walk(data))
    width, height = _size(data)
    new = text_chunk(XMP_KEYWORD, payload.packet(existing))
    if not has_others:
        new += text_chunk(PARAMETERS.encode(), payload.parameters(f"{width}x{height}"))
    return [*removed, Edit(header.end, header.end, new)]


def add(data: bytes, block: Block) -> list[Edit]:
    """Write a block behind the header. Texts are written so that the most programs read them."""
    end = next(walk(data)).end
    if block.kind == "density":
        return [Edit(end, end, chunk(b"pHYs", block.data))]
    if block.kind == "exif":
        return [Edit(end, end, chunk(b"eXIf", block.data))]
    key = XMP_KEYWORD if block.kind == "xmp" else block.key.encode("latin-1", "replace")
    if block.kind == "text" and block.data.isascii():
        return [Edit(end, end, chunk(b"tEXt", key + b"\0" + block.data.replace(b"\0", b" ")))]
    return [Edit(end, end, text_chunk(key, block.data))]


def mend(data: bytes) -> Mending:
    """Leave out damaged chunks without pixels, and whatever is cut behind the pixels.

    Image data with a wrong checksum is right if its own, inner checksum says so. Raises ValueError
    if a chunk with pixels is cut or damaged.
    """
    changes: list[Edit] = []
    view, pixels, is_doubtful, end = memoryview(data), [], False, len(MAGIC)
    for part in _walk_as_far_as_possible(data):
        checksum = struct.pack(">I", zlib.crc32(view[part.start + 4 : part.stop]))
        is_right = data[part.stop : part.end] == checksum
        if part.kind == b"IDAT" and part.stop <= len(data):
            pixels.append(view[part.body : part.stop])
            if not is_right:
                is_doubtful = True
                changes.append(Edit(part.stop, min(part.end, len(data)), checksum))
        elif not is_right and _holds_pixels(part.kind):
            raise ValueError(f"wrong checksum in {part.kind!r}")
        elif not is_right and part.end <= len(data):
            changes.append(Edit(part.start, part.end))
        elif not is_right:
            break
        end = min(part.end, len(data))
    if is_doubtful:
        _check_stream(pixels, _unpacked_size(data))
    return Mending([[*changes, Edit(end, len(data), chunk(b"IEND", b""))]])


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def _size(data: bytes) -> tuple[int, int]:
    return u32(data, 16), u32(data, 20)


def _walk_as_far_as_possible(data: bytes) -> Iterator[Part]:
    """The chunks before IEND, or before what is no chunk. The last one may end behind the file."""
    at = len(MAGIC)
    for _ in range(MAX_PARTS):
        kind = data[at + 4 : at + 8]
        if kind == b"IEND" or not (len(kind) == 4 and kind.isalpha()):
            return
        body = at + 8
        stop = body + u32(data, at)
        yield Part(kind, at, body, stop, stop + 4)
        at = stop + 4
    raise TooManyPartsError


def _holds_pixels(kind: bytes) -> bool:
    """Whether a decoder needs the chunk. A small first letter marks those that it may ignore."""
    return kind in FRAME_KINDS or kind[:1].isupper()


def _unpacked_size(data: bytes) -> int:
    """How many bytes the image data has at most, once it is unpacked; rows have a few more."""
    width, height = _size(data)
    bits = data[24] * CHANNELS.get(data[25], 4)
    return (width * bits // 8 + 8) * height + 64


def _check_stream(pieces: Sequence[memoryview], limit: int) -> None:
    """Raise ValueError if the image data does not end with the right checksum of its pixels.

    Nothing is unpacked beyond `limit` bytes.
    """
    stream = zlib.decompressobj()
    windows = (piece[at : at + WINDOW] for piece in pieces for at in range(0, len(piece), WINDOW))
    try:
        for window in windows:
            if stream.eof or limit <= 0:
                break
            rest: memoryview | bytes = window
            while len(rest) and limit > 0:
                limit -= len(stream.decompress(rest, WINDOW))
                rest = stream.unconsumed_tail
    except zlib.error as fault:
        raise ValueError("the image data is damaged") from fault
    if not stream.eof:
        raise ValueError("the image data is damaged")


def read_text_chunk(data: bytes, part: Part, limit: int) -> Block:
    """A text chunk, as UTF-8. XMP is a text with a reserved keyword."""
    key, _, rest = content(data, part).partition(b"\0")
    compressed = part.kind == b"zTXt" or (part.kind == b"iTXt" and rest[:1] == b"\1")
    if part.kind == b"iTXt":
        rest = rest[2:].split(b"\0", 2)[-1]  # skips the language and the translated keyword
    elif part.kind == b"zTXt":
        rest = rest[1:]
    text = _unpack(rest, limit) if compressed else rest
    if part.kind != b"iTXt":
        text = read_text(text).encode()
    return Block("xmp" if key == XMP_KEYWORD else "text", text, key.decode("latin-1"))


def _unpack(compressed: bytes, limit: int) -> bytes:
    """The unpacked bytes, cut at the limit; empty if they are not a zlib stream."""
    try:
        return zlib.decompressobj().decompress(compressed, max(limit, 1))
    except zlib.error:
        return b""


def text_chunk(key: bytes, text: bytes) -> bytes:
    """A text in UTF-8, as it is."""
    return chunk(b"iTXt", key + b"\0\0\0\0\0" + text)


HELD = dict.fromkeys(("xmp", "exif", "text", "density"), LARGE)
CONTAINER = Container(matches, check, blocks, colors, edits, mend, add=add, holds=HELD)
