"""What the properties of an AVIF say about its primary image: size, turns and colors.

A file describes other images, too: alpha, thumbnails, gain maps, tiles. Sources: ISO/IEC 23008-12
(6.5, 9.3 ipma), ISO/IEC 23000-22, ISO 21496-1 (gain maps).
"""

from __future__ import annotations

from collections.abc import Sequence

from flux_cli.images.containers import boxes
from flux_cli.images.containers.boxes import Meta
from flux_cli.images.containers.container import Colors
from flux_cli.images.containers.parts import Part, u16, u32

DESCRIBED = 256  # bytes of a property that say how pixels are stored
SUBSAMPLING = {0x00: "4:4:4", 0x08: "4:2:2", 0x0C: "4:2:0"}
# EXIF's number for a rotation (quarters, against the clock) and the mirroring that follows it:
# None, top and bottom, left and right.
ORIENTATIONS = (
    {None: 1, 0: 4, 1: 2},
    {None: 8, 0: 5, 1: 7},
    {None: 3, 0: 2, 1: 4},
    {None: 6, 0: 7, 1: 5},
)


def size(data: bytes, meta: Meta) -> tuple[int, int]:
    """Width and height in pixels as stored. Raises ValueError if they are missing."""
    found = [part for part in _of_primary(data, meta) if part.kind == b"ispe"]
    if not found:  # tables that do not say what belongs to what
        found = [part for part in boxes.properties(data, meta) if part.kind == b"ispe"]
    sizes = [(u32(data, part.body + 4), u32(data, part.body + 8)) for part in found]
    if not sizes:
        raise ValueError("no size")
    return max(sizes)


def orientation(data: bytes, meta: Meta) -> int:
    """How the image must be turned, as EXIF numbers it. EXIF itself does not count in an AVIF."""
    quarters, axis = 0, None
    for part in _of_primary(data, meta):
        if part.kind == b"irot":
            quarters = data[part.body] & 3
        elif part.kind == b"imir":
            axis = data[part.body] & 1
    return ORIENTATIONS[quarters][axis]


def colors(data: bytes, meta: Meta, frames: int) -> Colors:
    """How the pixels are stored. A grid of tiles has the properties of its tiles."""
    everything = list(boxes.properties(data, meta))
    own = _contents(data, _of_primary(data, meta))
    found = _contents(data, everything)
    flags = (own.get(b"av1C") or found.get(b"av1C") or [b"\0\0\0\0"])[0][2]
    depth = 8
    if flags & 0x40:
        depth = 12 if flags & 0x20 else 10
    subsampling = SUBSAMPLING.get(flags & 0x0C, "?")
    model = "gray" if flags & 0x10 else f"YUV {subsampling}"
    kinds = found.get(b"auxC", [])
    alpha = any(b"auxid:1" in body or b":alpha" in body for body in kinds)
    items = boxes.read_items(data, meta)
    gain_map = items.find(b"tmap") is not None or any(b"hdrgainmap" in body for body in kinds)
    codes = None
    for body in own.get(b"colr") or found.get(b"colr") or []:
        if body[:4] == b"nclx":
            codes = (u16(body, 4), u16(body, 6))
            break
    return Colors(model, depth, alpha, frames, codes=codes, gain_map=gain_map)


def _contents(data: bytes, parts: Sequence[Part]) -> dict[bytes, list[bytes]]:
    """The beginning of each property, by kind."""
    found: dict[bytes, list[bytes]] = {}
    for part in parts:
        body = data[part.body : min(part.stop, part.body + DESCRIBED)]
        found.setdefault(part.kind, []).append(body)
    return found


def _of_primary(data: bytes, meta: Meta) -> list[Part]:
    """The properties of the primary image, in their order; none if the tables do not say which."""
    primary = boxes.read_items(data, meta).primary
    everything = list(boxes.properties(data, meta))
    indexes = boxes.read_associations(data, meta).get(primary, ())
    return [everything[index - 1] for index in indexes if 0 < index <= len(everything)]
