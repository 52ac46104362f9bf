"""JPEG: segments, and compressed scans between them. Source: ITU-T T.81."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from flux_cli.images.containers.container import (
    LARGE,
    Block,
    Colors,
    Container,
    Mending,
    Payload,
    PayloadTooLongError,
)
from flux_cli.images.containers.jpeg_ends import (
    FRAMES,
    PROGRESSIVE,
    SCAN,
    fill_scans,
    has_all_scans,
)
from flux_cli.images.containers.parts import (
    EXIF_HEAD,
    MAX_CONTENT,
    MAX_PARTS,
    Edit,
    Part,
    TooManyPartsError,
    iptc_parts,
    u16,
)

XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
ICC_HEAD = b"ICC_PROFILE\0"
JFIF_HEAD, JFIF_DENSITY = b"JFIF\0", slice(7, 12)
PHOTOSHOP_HEAD = b"Photoshop 3.0\0"
# What the segments of an image with a gain map contain: Android's XMP, and ISO 21496-1.
GAIN_MAPS = {b"\xe1": (b"hdrgm:Version",), b"\xe2": (b"urn:iso:std:iso:ts:21496:-1",)}
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"  # in the second image
COLOR_MODELS = {1: "gray", 3: "YCbCr", 4: "CMYK"}
WINDOW = 1 << 20  # bytes
LONGEST_SEGMENT = 65_533  # bytes that a segment can hold behind its length
END = 0xD9
BARE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
END_MARK = b"\xff\xd9"
_MARK = re.compile(rb"\xff[\x01-\xfe]")  # FF00 is data, and FF before FF fills a gap
# The marker that ends compressed data, where FF00 is a data byte and FFD0 to FFD7 are restarts.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)


def matches(data: bytes) -> bool:
    """Whether a file starts like a JPEG."""
    return data.startswith(b"\xff\xd8\xff")


def walk(data: bytes) -> Iterator[Part]:
    """The segments up to the end mark; `kind` is the second byte of the marker.

    Compressed data is skipped lazily: only when the next segment is requested. Raises ValueError
    for a damaged file, IndexError if it ends early.
    """
    at = 2
    for _ in range(MAX_PARTS):
        if data[at] != 0xFF:
            raise ValueError("expected a segment")
        marker = data[at + 1]
        if marker == END:
            return
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in BARE:
            at += 2
        else:
            end = at + 2 + u16(data, at + 2)
            if end < at + 4 or end > len(data):
                raise ValueError("a segment is cut")
            yield Part(bytes([marker]), at, at + 4, end, end)
            at = end if marker != SCAN else _end_of_scan(data, end)
    raise TooManyPartsError


def check(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a complete JPEG.

    Raises ValueError or IndexError if the end mark, the frame header or all scans are missing.
    """
    size, scans = None, 0
    for part in walk(data):
        marker = part.kind[0]
        if marker in FRAMES:
            size = u16(data, part.body + 3), u16(data, part.body + 1)
        elif marker == SCAN:
            scans += 1
    if size is None or not scans:
        raise ValueError("no image data")
    return size


def blocks(data: bytes) -> Iterator[Block]:
    """XMP, EXIF, IPTC, comments, the color profile and signed credentials."""
    profile: list[tuple[bytes, bytes]] = []  # its pieces, with their numbers
    resources: list[bytes] = []
    room = MAX_CONTENT
    for part in _head(data):
        body = data[part.body : part.stop]
        if part.kind == b"\xe1" and body.startswith(XMP_HEAD):
            yield Block("xmp", body[len(XMP_HEAD) :])
        elif part.kind == b"\xe1" and body.startswith(EXIF_HEAD):
            yield Block("exif", body[len(EXIF_HEAD) :])
        elif part.kind == b"\xe2" and body.startswith(ICC_HEAD):
            start = len(ICC_HEAD)  # of the number, of the count, and of the piece
            number, piece = body[start : start + 1], body[start + 2 : start + 2 + room]
            profile.append((number, piece))
            room -= len(piece)
        elif part.kind == b"\xeb" and _is_c2pa(body):
            yield Block("c2pa", body)
        elif part.kind == b"\xed" and body.startswith(PHOTOSHOP_HEAD):
            resources.append(body[len(PHOTOSHOP_HEAD) :])
        elif part.kind == b"\xe0" and body.startswith(JFIF_HEAD):
            yield Block("density", body[JFIF_DENSITY])
        elif part.kind == b"\xfe":
            yield Block("comment", body)
    yield from (Block("iptc", one) for one in iptc_parts(resources))
    if profile:  # writers may have its pieces in another order
        yield Block("icc", b"".join(piece for _, piece in sorted(profile)))


def colors(data: bytes) -> Colors:
    """How the pixels are stored, according to the frame header and Adobe's mark for RGB."""
    model, depth, adobe = "?", 8, None
    gain_map = APPLE_GAIN_MAP in data
    for part in _head(data):
        if part.kind[0] in FRAMES:
            depth, model = data[part.body], COLOR_MODELS.get(data[part.body + 5], "?")
        elif part.kind == b"\xee" and data[part.body : part.body + 5] == b"Adobe":
            adobe = data[part.body + 11]
        elif part.kind in GAIN_MAPS and not gain_map:
            body = data[part.body : part.stop]
            gain_map = any(mark in body for mark in GAIN_MAPS[part.kind])
    model = "RGB" if model == "YCbCr" and adobe == 0 else model
    return Colors(model, depth, gain_map=gain_map)


def count_scans(data: bytes) -> int:
    """How many scans a decoder goes through. Each one may take as long as all pixels.

    It stops behind the first scan of a file that is not progressive, if all channels are in it.
    """
    frame, scans = None, 0
    for part in walk(data):
        if part.kind[0] in FRAMES:
            frame = frame or part
        elif part.kind[0] == SCAN:
            scans += 1
            is_simple = frame and frame.kind[0] not in PROGRESSIVE
            if frame and is_simple and data[part.body] == data[frame.body + 5]:
                break
    return scans


def edits(data: bytes, payload: Payload) -> list[Edit]:
    """Write an XMP segment after JFIF and EXIF, or replace the existing one.

    Raises PayloadTooLongError if the packet does not fit into one segment.
    """
    old = next((part for part in _head(data) if _begins(data, part, b"\xe1", XMP_HEAD)), None)
    place = _place(data)
    existing = data[old.body + len(XMP_HEAD) : old.stop] if old else None
    segment = _segment(b"\xe1", XMP_HEAD + payload.packet(existing))
    return [Edit(old.start, old.end, segment) if old else Edit(place, place, segment)]


def add(data: bytes, block: Block) -> list[Edit]:
    """Write XMP, EXIF or a comment behind JFIF and EXIF, or a density into JFIF."""
    if block.kind == "density":
        place = 2
        jfif = next((one for one in _head(data) if _begins(data, one, b"\xe0", JFIF_HEAD)), None)
        end = place if jfif is None else jfif.end
        return [Edit(place, end, _segment(b"\xe0", JFIF_HEAD + b"\1\1" + block.data + b"\0\0"))]
    place, head = _place(data), XMP_HEAD if block.kind == "xmp" else EXIF_HEAD
    segment = _segment(b"\xe1", head + block.data)
    if block.kind == "comment":
        segment = _segment(b"\xfe", block.data)
    return [Edit(place, place, segment)]


def _begins(data: bytes, part: Part, kind: bytes, head: bytes) -> bool:
    return part.kind == kind and data.startswith(head, part.body, part.stop)


def _place(data: bytes) -> int:
    """Where JFIF and EXIF at the beginning of a file end."""
    place = 2
    for part in _head(data):
        is_first = part.kind == b"\xe0" or _begins(data, part, b"\xe1", EXIF_HEAD)
        if part.start == place and is_first:
            place = part.end
    return place


def _segment(kind: bytes, body: bytes) -> bytes:
    if len(body) > LONGEST_SEGMENT:
        raise PayloadTooLongError("the metadata is longer than a segment")
    return b"\xff" + kind + struct.pack(">H", 2 + len(body)) + body


def mend(data: bytes) -> Mending:
    """Leave out bytes between segments, as decoders do, and add an end mark that is missing.

    Raises ValueError if a scan is missing. Whether a scan is complete that no segment follows, only
    decoders know: there are several versions, see `fill_scans`.
    """
    changes: list[Edit] = []
    parts: list[Part] = []
    doubtful: list[Part] = []
    for part in walk_with_scans(data):
        end = parts[-1].end if parts else 2
        if part.start > end:
            changes.append(Edit(end, part.start))
            doubtful += [last for last in parts[-1:] if last.kind[0] == SCAN]
        parts.append(part)
    if parts and parts[-1].kind[0] == END:
        return fill_scans(data, doubtful, changes)
    if not has_all_scans(data, parts):
        raise ValueError("the end is missing")
    last = max(at for at, part in enumerate(parts) if part.kind[0] == SCAN)
    scan = parts[last]
    before = [edit for edit in changes if edit.end <= scan.start]
    others = [part for part in doubtful if part.start < scan.start]
    return fill_scans(data, [*others, scan], [*before, Edit(scan.end, len(data), END_MARK)])


def _head(data: bytes) -> Iterator[Part]:
    """The segments before the first scan, where all metadata is."""
    for part in walk(data):
        if part.kind[0] == SCAN:
            return
        yield part


def walk_with_scans(data: bytes) -> Iterator[Part]:
    """The segments, without what lies between them, up to the end mark or the first cut segment.

    A scan includes its data.
    """
    at = 2
    for _ in range(MAX_PARTS):
        mark = _MARK.search(data, at)
        if mark is None:
            return
        start, kind = mark.start(), data[mark.start() + 1]
        end = body = start + 2
        if kind != END and kind not in BARE:
            if len(data) < start + 4:
                return
            end, body = start + 2 + u16(data, start + 2), start + 4
            if end < body or end > len(data):
                return
        stop = end
        if kind == SCAN:
            found = _find_end_of_scan(data, end)
            end = len(data) if found is None else found
        yield Part(bytes([kind]), start, body, stop, end)
        if kind == END:
            return
        at = end
    raise TooManyPartsError


def _end_of_scan(data: bytes, at: int) -> int:
    found = _find_end_of_scan(data, at)
    if found is None:
        raise ValueError("the end is missing")
    return found


def _find_end_of_scan(data: bytes, at: int) -> int | None:
    """The next marker. Searched in windows, between which Python can serve other threads."""
    for start in range(at, len(data), WINDOW):
        found = _END_OF_SCAN.search(data, start, start + WINDOW + 1)
        if found:
            return found.start()
    return None


def _is_c2pa(body: bytes) -> bool:
    return body[:2] == b"JP" and body[12:16] == b"jumb" and b"c2pa" in body[:128]


HELD = {
    "xmp": LONGEST_SEGMENT - len(XMP_HEAD),
    "exif": LONGEST_SEGMENT - len(EXIF_HEAD),
    "comment": LONGEST_SEGMENT,
    "density": LARGE,
}
CONTAINER = Container(matches, check, blocks, colors, edits, mend, add=add, holds=HELD)
