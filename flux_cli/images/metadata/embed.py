"""Writing a record into an image without touching a pixel: a few edits between slices of the bytes that came.

An image that carries signed credentials, or whose structure is not understood, stays as it is, and the reason is said.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers import parts
from flux_cli.images.containers.edits import Edit, spliced
from flux_cli.images.containers.parts import Part
from flux_cli.images.containers.whole import sniff
from flux_cli.images.metadata import xmp
from flux_cli.images.metadata.avif import edits as avif_edits
from flux_cli.images.metadata.blocks import EXIF_HEAD, XMP_GIF, XMP_HEAD, XMP_TEXT, carries_c2pa, text_of
from flux_cli.images.metadata.record import SIGNED, Record
from flux_cli.images.metadata.tools import is_ours, parameters_text

LONGEST_SEGMENT = 65_533  # bytes a JPEG's segment can hold behind its length
CUT_TO = (8000, 4000, 2000, 1000, 250, 0)  # characters of a prompt, until the record fits into a segment
# A GIF's XMP is no sub-blocks: whatever byte of it a reader takes for a length, this ramp leads it to the end.
RAMP = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


class _TooLongError(ValueError):
    """A packet that does not fit into one segment."""


class Embedded(NamedTuple):
    """The image as pieces to be written one after the other, and what a person should know of it ("": nothing)."""

    pieces: tuple[memoryview | bytes, ...]
    written: bool
    reason: str = ""


def embed(data: bytes, record: Record) -> Embedded:
    """The image with the record in it, in place of what an earlier call wrote. Never raises: images are paid for.

    Pixels, and everything else the image says of itself, stay as they are. An unwritten image comes back whole.
    """
    name = sniff(data)
    if name is None:
        return Embedded((data,), written=False, reason="it is no image")
    if carries_c2pa(data):
        return Embedded((data,), written=False, reason=SIGNED)
    try:
        edits, note = _fitting(data, record) if name == "jpeg" else (_EDITS[name](data, record), "")
        return Embedded(spliced(data, edits), written=True, reason=note)
    except xmp.XmpError as fault:
        return Embedded((data,), written=False, reason=str(fault))
    except (ValueError, IndexError, OverflowError, struct.error) as fault:
        return Embedded((data,), written=False, reason=f"its structure is not understood: {fault}")


def _fitting(data: bytes, record: Record) -> tuple[list[Edit], str]:
    """The edits of a JPEG with the longest prompt that fits, and what to say of it. Raises XmpError where none does."""
    for length in (None, *CUT_TO):
        note = "" if length is None else f"a JPEG has room for the first {length:,} characters of the prompt"
        try:
            return _jpeg(data, record if length is None else _cut(record, length)), note
        except _TooLongError:
            continue
    raise xmp.XmpError("there is no room for the details in a JPEG")


def _cut(record: Record, length: int) -> Record:
    def shorter(text: str) -> str:
        return text if len(text) <= length else f"{text[:length]}…"

    return record._replace(
        prompt=shorter(record.prompt),
        revised_prompt=shorter(record.revised_prompt),
        negative_prompt=shorter(record.negative_prompt),
    )


def _png(data: bytes, record: Record) -> list[Edit]:
    """XMP and `parameters` as texts behind the header; somebody else's `parameters` stay the only ones."""
    edits, existing, foreign, place = [], None, False, 0
    for part in parts.png(data):
        place = place or part.end
        if part.kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        block = text_of(part.kind, data[part.body : part.stop])
        ours = block.key == "parameters" and is_ours(block.data.decode("utf-8", "replace"))
        foreign = foreign or (block.key == "parameters" and not ours)
        if block.kind == "xmp":
            existing = block.data
        if ours or block.kind == "xmp":
            edits.append(Edit(part.start, part.end))
    width, height = struct.unpack_from(">II", data, 16)
    new = _text_chunk(XMP_TEXT, xmp.packet(record, existing))
    if not foreign:
        new += _text_chunk(b"parameters", _utf8(parameters_text(record, f"{width}x{height}")))
    return [*edits, Edit(place, place, new)]


def _text_chunk(key: bytes, text: bytes) -> bytes:
    body = b"iTXt" + key + b"\0\0\0\0\0" + text
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _utf8(text: str) -> bytes:
    """Text as a text chunk or a comment can hold it: half characters and NUL have no place there."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace")


def _jpeg(data: bytes, record: Record) -> list[Edit]:
    """A segment behind JFIF and EXIF, or in place of the one that is there. Raises _TooLongError."""
    place, existing = 2, None
    old: list[Part] = []
    for part in parts.jpeg(data):
        body = data[part.body : part.body + len(XMP_HEAD)]
        if part.kind == b"\xe1" and body == XMP_HEAD:
            old.append(part)
        elif place == part.start and (part.kind == b"\xe0" or (part.kind == b"\xe1" and body.startswith(EXIF_HEAD))):
            place = part.end
    if old:
        existing = data[old[0].body + len(XMP_HEAD) : old[0].stop]
    body = XMP_HEAD + xmp.packet(record, existing)
    if len(body) > LONGEST_SEGMENT:
        raise _TooLongError
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body
    return [Edit(old[0].start, old[0].end, segment)] if old else [Edit(place, place, segment)]


def _webp(data: bytes, record: Record) -> list[Edit]:
    """A chunk at the end of the RIFF, announced in a VP8X head, which simple files get."""
    chunks = list(parts.webp(data))
    first, last = chunks[0], chunks[-1]
    old = [part for part in chunks if part.kind == b"XMP "]
    existing = data[old[0].body : old[0].stop] if old else None
    packet = xmp.packet(record, existing)
    chunk = bytes(last.end % 2) + b"XMP " + struct.pack("<I", len(packet)) + packet
    chunk += bytes(len(packet) % 2)
    if first.kind == b"VP8X":
        head = Edit(first.body, first.body + 1, bytes([data[first.body] | 0x04]))
    elif first.kind in (b"VP8 ", b"VP8L"):
        head = Edit(first.start, first.start, _extended(data, first))
    else:
        raise ValueError("its first chunk is no image")
    end = last.end
    edits = [head, *(Edit(part.start, part.end) for part in old), Edit(end, end, chunk)]
    size = end - 8 + sum(len(edit.new) - (edit.end - edit.start) for edit in edits)
    if size >= 1 << 32:
        raise ValueError("a WebP cannot be longer than 4 GiB")
    return [Edit(4, 8, struct.pack("<I", size)), *edits]


def _extended(data: bytes, image: Part) -> bytes:
    """The VP8X head for a simple file: that it has XMP, whether it has alpha, and its size."""
    head = data[image.body : image.body + 10]
    if image.kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        width = (int.from_bytes(head[6:8], "little") & 0x3FFF) - 1
        height = (int.from_bytes(head[8:10], "little") & 0x3FFF) - 1
        alpha = 0
    sides = (width.to_bytes(3, "little"), height.to_bytes(3, "little"))
    return b"VP8X" + struct.pack("<II", 10, 0x04 | alpha << 4) + b"".join(sides)


def _gif(data: bytes, record: Record) -> list[Edit]:
    """XMP and a comment before the first frame, where other tools look for them, and behind a loop count."""
    edits, existing = [Edit(0, 6, b"GIF89a")], None
    place = 0
    for part in parts.gif(data):
        if part.kind == b"!\xff" and data[part.body + 1 : part.body + 12] == XMP_GIF:
            existing = data[part.body + 12 : max(part.body + 12, part.stop - len(RAMP))]
            edits.append(Edit(part.start, part.end))
        elif part.kind == b"!\xfe" and is_ours(parts.sub_blocks(data, part.body).decode("utf-8", "replace")):
            edits.append(Edit(part.start, part.end))
        if not place and part.kind not in (b"!\xff", b"!\xfe"):
            place = part.start
    width, height = struct.unpack_from("<HH", data, 6)
    text = _utf8(parameters_text(record, f"{width}x{height}"))
    comment = b"".join(bytes([len(text[at : at + 255])]) + text[at : at + 255] for at in range(0, len(text), 255))
    packet = b"!\xff\x0b" + XMP_GIF + xmp.packet(record, existing) + RAMP
    return [*edits, Edit(place, place, b"!\xfe" + comment + b"\0" + packet)]


_EDITS: dict[str, Callable[[bytes, Record], Sequence[Edit]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "avif": avif_edits,
}
