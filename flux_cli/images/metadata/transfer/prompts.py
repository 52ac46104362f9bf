"""Leaves prompts and parameters out of images without touching anything else, as edits of bytes.

What the XMP of an AVIF and every EXIF says is overwritten in place; elsewhere it is cut out. If
anything changes, signed credentials go as well, because they no longer hold.
"""

from __future__ import annotations

import re
import struct

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers import avif, boxes, gif, jpeg, png, webp
from flux_cli.images.containers.parts import EXIF_HEAD, RESOURCE, Edit, iptc_fields, iptc_of, splice
from flux_cli.images.metadata import exif
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.strip import UNUSED
from flux_cli.images.metadata.transfer.carried import (
    is_prompt_field,
    is_prompt_property,
    is_prompt_text,
)
from flux_cli.images.metadata.xmp_scan import REMOTE, Span, XmpError, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flux_cli.images.containers.boxes import Meta
    from flux_cli.images.containers.parts import Part

EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"  # further pieces of XMP in a JPEG
JUMBF = b"JP"  # how the segments with credentials begin
CAPTION, TITLE, AUTHOR = 120, 5, 0x9C9D  # datasets of IPTC, and a field of Windows
_GRAPH = re.compile(rb"\w{1,40}:\s*[\[{]")  # how programs write a graph into a field of EXIF


class Rules(NamedTuple):
    """What goes. `is_made`: by a program, so that what describes the image is a prompt."""

    is_made: bool
    is_unsigned: bool = False  # signed credentials go as well


def without_prompts(data: bytes, file_format: str, *, is_made: bool) -> bytes:
    """The image without prompts and parameters: the same bytes if it has none.

    Raises ValueError or IndexError for an image whose parts do not add up.
    """
    edit = _EDITS[file_format]
    changes = list(edit(data, Rules(is_made)))
    if changes and has_credentials(data):
        changes = list(edit(data, Rules(is_made, is_unsigned=True)))
    return b"".join(splice(data, changes)) if changes else data


def clean_xmp(packet: bytes, rules: Rules, *, is_filled: bool) -> bytes:
    """A packet without prompts, and without all that flux wrote; `is_filled` up to its length.

    Nothing is left of one that cannot be read: it might hold a prompt.
    """
    start = len(packet) - len(packet.lstrip(b"\0"))
    try:
        if b"\0" in packet.strip(b"\0"):
            raise XmpError("UTF-16")
        found = scan(packet.strip(b"\0"))
    except XmpError:
        return b" " * len(packet) if is_filled else b""
    spans = [
        (span.start, span.end)
        for span in found.spans
        if _goes(span.name, rules) and not _is_inside(span, found.ours)
    ]
    for first, end in sorted([*spans, *found.ours], reverse=True):
        filling = b" " * (end - first) if is_filled else b""
        packet = packet[: start + first] + filling + packet[start + end :]
    return packet


def _is_inside(span: Span, others: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span.start < end for start, end in others)


def clean_exif(block: bytes, rules: Rules) -> bytes:
    """A block of EXIF of the same length, with zeros in place of prompts."""
    cleaned = bytearray(block)
    for field in exif.fields(block):
        value = block[field.start : field.end]
        if field.tag in exif.WINDOWS:
            goes = rules.is_made and field.tag != AUTHOR
        else:
            text = value[:100].decode("latin-1")
            name = exif.TAGS.get(field.tag, "")
            goes = is_prompt_field(name, text, is_made=rules.is_made)
            goes = goes or (field.kind == exif.TEXT and _GRAPH.match(value) is not None)
        if goes and value.strip(b"\0"):
            cleaned[field.start : field.end] = bytes(len(value))
    return bytes(cleaned)


def _goes(name: str, rules: Rules) -> bool:
    is_prompt = is_prompt_property(name, is_made=rules.is_made)
    return is_prompt or (rules.is_unsigned and name == REMOTE)


def _png(data: bytes, rules: Rules) -> Iterator[Edit]:
    for part in png.walk(data):
        body = data[part.body : part.stop]
        new = None
        if part.kind in png.TEXT_KINDS:
            new = _png_text(data, part, rules)
        elif part.kind == b"eXIf":
            cleaned = clean_exif(body, rules)
            new = png.chunk(b"eXIf", cleaned) if cleaned != body else None
        elif part.kind == b"caBX" and rules.is_unsigned:
            new = b""
        if new is not None:
            yield Edit(part.start, part.end, new)


def _png_text(data: bytes, part: Part, rules: Rules) -> bytes | None:
    """The chunk that takes the place of a text; None if it stays."""
    block = png.read_text_chunk(data, part, png.MAX_UNPACKED)
    if block.kind == "xmp":
        packet = clean_xmp(block.data, rules, is_filled=False)
        return None if packet == block.data else packet and png.text_chunk(png.XMP_KEYWORD, packet)
    is_profile = block.key.startswith("Raw profile type ")  # EXIF, IPTC or XMP as a text
    goes = is_prompt_text(block.key, is_made=rules.is_made) or (is_profile and rules.is_made)
    return b"" if goes else None


def _jpeg(data: bytes, rules: Rules) -> Iterator[Edit]:
    for part in jpeg.walk_with_scans(data):
        body = data[part.body : part.stop]
        new = _jpeg_segment(part.kind, body, rules)
        if new != body:
            head = b"\xff" + part.kind + struct.pack(">H", 2 + len(new))
            yield Edit(part.start, part.end, head + new if new else b"")


def _jpeg_segment(kind: bytes, body: bytes, rules: Rules) -> bytes:
    """What is left of the content of a segment; nothing if it goes."""
    if kind == b"\xe1" and body.startswith(jpeg.XMP_HEAD):
        packet = clean_xmp(body[len(jpeg.XMP_HEAD) :], rules, is_filled=False)
        return jpeg.XMP_HEAD + packet if packet else b""
    if kind == b"\xe1" and body.startswith(EXIF_HEAD):
        return EXIF_HEAD + clean_exif(body[len(EXIF_HEAD) :], rules)
    if kind == b"\xed" and body.startswith(jpeg.PHOTOSHOP_HEAD) and rules.is_made:
        return _clean_iptc(body)
    is_comment = kind == b"\xfe" and is_prompt_text("comment", is_made=rules.is_made)
    is_more_xmp = kind == b"\xe1" and body.startswith(EXTENDED_XMP) and rules.is_made
    is_signature = kind == b"\xeb" and body.startswith(JUMBF) and rules.is_unsigned
    return b"" if is_comment or is_more_xmp or is_signature else body


def _clean_iptc(body: bytes) -> bytes:
    """The resources of Photoshop with blanks in place of caption and title.

    Nothing is left of a segment that continues another, where a caption has no beginning.
    """
    resources = body[len(jpeg.PHOTOSHOP_HEAD) :]
    if not resources.startswith(RESOURCE):
        return b""
    found = iptc_of(resources)
    at, cleaned = body.find(found), bytearray(body)
    for field in iptc_fields(found):
        if field.record == 2 and field.number in (CAPTION, TITLE):
            cleaned[at + field.start : at + field.end] = b" " * (field.end - field.start)
    return bytes(cleaned)


def _webp(data: bytes, rules: Rules) -> Iterator[Edit]:
    changes = []
    for part in webp.walk(data):
        body = data[part.body : part.stop]
        new = body
        if part.kind == b"XMP ":
            new = clean_xmp(body, rules, is_filled=False)
        elif part.kind == b"EXIF":
            head = EXIF_HEAD if body.startswith(EXIF_HEAD) else b""
            new = head + clean_exif(body[len(head) :], rules)
        elif part.kind == b"C2PA" and rules.is_unsigned:
            changes.append(Edit(part.start, part.end))
        if new != body:
            packed = part.kind + struct.pack("<I", len(new)) + new + bytes(len(new) % 2)
            changes.append(Edit(part.start, part.end, packed))
    yield from changes
    grown = sum(len(edit.new) - (edit.end - edit.start) for edit in changes)
    if grown:
        size = int.from_bytes(data[4:8], "little")
        yield Edit(4, 8, struct.pack("<I", size + grown))


def _gif(data: bytes, rules: Rules) -> Iterator[Edit]:
    for part in gif.walk(data):
        name = data[part.body + 1 : part.body + gif.NAME_END]
        if part.kind == gif.COMMENT and is_prompt_text("comment", is_made=rules.is_made):
            yield Edit(part.start, part.end)
        elif part.kind == gif.APPLICATION and name == gif.XMP_NAME:
            first, end = part.body + gif.NAME_END, part.stop - len(gif.RAMP)
            packet = clean_xmp(data[first:end], rules, is_filled=False)
            if packet != data[first:end]:
                yield Edit(first, end, packet) if packet else Edit(part.start, part.end)
        elif part.kind == gif.APPLICATION and name.startswith(gif.C2PA_NAME) and rules.is_unsigned:
            yield Edit(part.start, part.end)


def _avif(data: bytes, rules: Rules) -> Iterator[Edit]:
    """Nothing moves: items and boxes keep their lengths."""
    for part in avif.walk(data):
        is_signature = data[part.body : part.body + 16] == avif.C2PA_BOX
        if part.kind == b"uuid" and is_signature and rules.is_unsigned:
            yield Edit(part.start + 4, part.start + 8, UNUSED)
            yield Edit(part.body, part.stop, bytes(part.stop - part.body))
        elif part.kind == b"meta":
            yield from _avif_items(data, boxes.read_meta(data, part), rules)


def _avif_items(data: bytes, meta: Meta, rules: Rules) -> Iterator[Edit]:
    idat = meta.child(b"idat")
    for item in boxes.read_items(data, meta).all:
        body = boxes.read_content(data, meta, item)
        if item.kind == b"mime" and item.content_type == avif.XMP_TYPE:
            new = clean_xmp(body, rules, is_filled=True)
        elif item.kind == b"Exif":
            start = 4 + int.from_bytes(body[:4], "big")
            start += len(EXIF_HEAD) if body.startswith(EXIF_HEAD, start) else 0
            new = body[:start] + clean_exif(body[start:], rules)
        else:
            continue
        base = idat.body if item.method == boxes.IN_IDAT and idat else 0
        at = 0
        for extent in item.extents if new != body else ():
            piece = new[at : at + extent.length]
            first = base + extent.offset
            yield Edit(first, first + len(piece), piece)
            at += extent.length


_EDITS: dict[str, Callable[[bytes, Rules], Iterator[Edit]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "avif": _avif,
}
