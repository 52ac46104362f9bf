"""AVIF: ISO boxes. The meta box describes the items, mdat boxes hold their bytes.

Sources: ISO/IEC 23000-22, ISO/IEC 14496-12 (8.11.3 iloc, 8.11.6 iinf, 8.11.12 iref), ISO/IEC
23008-12 (6.9.3 metadata items).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator, Sequence

from flux_cli.images.containers import avif_properties, boxes
from flux_cli.images.containers.boxes import IN_FILE, IN_IDAT, Extent, Item, Items, Meta
from flux_cli.images.containers.container import (
    LARGE,
    Block,
    Colors,
    Container,
    Mending,
    Payload,
)
from flux_cli.images.containers.parts import EXIF_HEAD, MAX_CONTENT, Edit, Part, content, u32

STILL, SEQUENCE = b"avif", b"avis"  # brands
XMP_TYPE = b"application/rdf+xml"
BOX_HEAD = 8  # bytes: length and kind
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
DESCRIPTIONS = (b"mime", b"Exif", b"uri ")  # kinds of items without pixels
# Files with other boxes stay as they are.
EDITABLE = {b"ftyp", b"meta", b"mdat", b"free", b"skip", b"uuid"}


def matches(data: bytes) -> bool:
    """Whether a file starts like an AVIF."""
    return data[4:8] == b"ftyp" and bool(brands(data) & {STILL, SEQUENCE})


def walk(data: bytes) -> Iterator[Part]:
    """The boxes of the file."""
    return boxes.walk(data, 0, len(data))


def check(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a complete AVIF.

    Raises ValueError or IndexError if a box is cut, the size is missing, or an item ends behind the
    end of the file.
    """
    meta, kinds = None, set()
    for part in walk(data):
        kinds.add(part.kind)
        if part.kind == b"meta" and meta is None:
            meta = boxes.read_meta(data, part)
    if meta is None or not (b"mdat" in kinds or meta.child(b"idat")):
        raise ValueError("no image data")
    idat = meta.child(b"idat")
    ends = {IN_FILE: len(data), IN_IDAT: idat.stop - idat.body if idat else 0}
    for item in boxes.read_locations(data, meta):
        for extent in item.extents:
            if extent.offset + extent.length > ends.get(item.method, len(data)):
                raise ValueError("the end is missing")
    return avif_properties.size(data, meta)


def blocks(data: bytes) -> Iterator[Block]:
    """The color profile, XMP, EXIF and signed credentials."""
    meta = None
    for part in walk(data):
        if part.kind == b"uuid" and data[part.body : part.body + 16] == C2PA_BOX:
            yield Block("c2pa", b"")
        elif part.kind == b"meta" and meta is None:
            meta = boxes.read_meta(data, part)
    if meta is None:
        return
    items = boxes.read_items(data, meta)
    for part in boxes.properties(data, meta):
        if part.kind == b"colr" and data[part.body : part.body + 4] in (b"prof", b"rICC"):
            yield Block("icc", content(data, part)[4:])
    if xmp := items.find(b"mime", XMP_TYPE):
        yield Block("xmp", boxes.read_content(data, meta, xmp))
    if exif := items.find(b"Exif"):
        body = boxes.read_content(data, meta, exif)
        yield Block("exif", body[4 + u32(body, 0) :].removeprefix(EXIF_HEAD))


def colors(data: bytes) -> Colors:
    """How the pixels are stored. The frames of a sequence are not counted."""
    return avif_properties.colors(data, _meta(data), 0 if SEQUENCE in brands(data) else 1)


def orientation(data: bytes) -> int:
    """How the image must be turned, as EXIF numbers it."""
    return avif_properties.orientation(data, _meta(data))


def edits(data: bytes, payload: Payload) -> list[Edit]:
    """Write XMP as an item that describes the primary image, in an mdat box at the end of the file.

    The tables of the meta box grow, and with them every offset behind it; pixel data stays in
    order. Raises ValueError for files that cannot be rewritten without guessing.
    """
    return _with_item(data, b"mime", XMP_TYPE, payload.packet)


def add(data: bytes, block: Block) -> list[Edit]:
    """Write XMP or EXIF as an item. Four bytes before EXIF say how far away it begins."""
    if block.kind == "xmp":
        return _with_item(data, b"mime", XMP_TYPE, lambda _: block.data)
    return _with_item(data, b"Exif", b"", lambda _: bytes(4) + block.data)


def _with_item(
    data: bytes, kind: bytes, content_type: bytes, make: Callable[[bytes | None], bytes]
) -> list[Edit]:
    """A new item in place of the one of its kind, if there is one: `make` gets its content."""
    parts = list(walk(data))
    meta = boxes.read_meta(data, _only_meta(parts))
    items = boxes.read_items(data, meta)
    _check_editable(data, meta, items, parts[-1])
    old = items.find(kind, content_type)
    body = make(boxes.read_content(data, meta, old) if old else None)
    replaced = _own_box(parts[-1], old)
    end = replaced.start if replaced else len(data)
    number = old.number if old else _free_number(items)
    # The place of the content depends on how much the meta box grows, so it is built twice.
    item = Item(number, kind, content_type, extents=(Extent(0, len(body)),))
    draft = _meta_box(data, meta, items, item, 0)
    shift = len(draft) - (meta.part.stop - meta.part.start)
    place = Extent(end + shift + BOX_HEAD, len(body))
    rewritten = _meta_box(data, meta, items, item._replace(extents=(place,)), shift)
    return [
        Edit(meta.part.start, meta.part.end, rewritten),
        Edit(end, len(data), _box(b"mdat", body)),
    ]


def mend(data: bytes) -> Mending:
    """Leave out bytes behind the last box, or fill up metadata that is cut.

    Raises ValueError or IndexError if pixels are cut, or if that cannot be known.
    """
    found: dict[bytes, Part] = {}
    at = 0
    with contextlib.suppress(ValueError):
        for part in walk(data):
            found.setdefault(part.kind, part)
            at = part.end
    if b"meta" not in found:
        raise ValueError("no image data")
    is_box_cut = len(data) - at >= BOX_HEAD or b"moov" not in found
    if SEQUENCE in brands(data) and is_box_cut:
        raise ValueError("a frame may be missing")
    meta = boxes.read_meta(data, found[b"meta"])
    items = boxes.read_items(data, meta).all
    if _end_of([item for item in items if item.kind not in DESCRIPTIONS]) > len(data):
        raise ValueError("the end is missing")
    if _end_of(items) <= at:
        return Mending([[Edit(at, len(data))]])
    missing = at + u32(data, at) - len(data)
    if not 0 < missing <= MAX_CONTENT:
        raise ValueError("the end is missing")
    return Mending([[Edit(len(data), len(data), bytes(missing))]])


def _end_of(items: Sequence[Item]) -> int:
    """Where in the file the last of the items ends; 0 for none."""
    ends = [0]
    for item in items:
        if item.method == IN_FILE:
            ends += [extent.offset + extent.length for extent in item.extents]
    return max(ends)


def brands(data: bytes) -> set[bytes]:
    """The major brand of the file and those it is compatible with."""
    end = min(u32(data, 0), 256)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}


def _meta(data: bytes) -> Meta:
    """The first meta box. Raises ValueError if there is none."""
    found = next((part for part in walk(data) if part.kind == b"meta"), None)
    if found is None:
        raise ValueError("no meta box")
    return boxes.read_meta(data, found)


def _only_meta(parts: Sequence[Part]) -> Part:
    """The meta box. Raises ValueError if there are several, or boxes that flux does not know."""
    others = [part.kind for part in parts if part.kind not in EDITABLE]
    if others:
        raise ValueError(f"an AVIF with a {others[0].decode('latin-1')!r} box")
    metas = [part for part in parts if part.kind == b"meta"]
    if len(metas) != 1:
        raise ValueError("an AVIF without exactly one meta box")
    return metas[0]


def _check_editable(data: bytes, meta: Meta, items: Items, last: Part) -> None:
    """Raise ValueError if the tables cannot be rewritten without guessing."""
    if u32(data, last.start) == 0:
        raise ValueError("an AVIF whose last box has no length")
    if not items.primary or meta.child(b"iinf") is None or meta.child(b"iloc") is None:
        raise ValueError("an AVIF without a table of items")
    for item in items.all:
        odd = any(extent.length == 0 or extent.reference > 1 for extent in item.extents)
        if item.method not in (IN_FILE, IN_IDAT) or item.reference or odd:
            raise ValueError("an AVIF with items that lie elsewhere")


def _own_box(last: Part, old: Item | None) -> Part | None:
    """The last box if it contains only the packet that flux wrote before, else None."""
    if old and last.kind == b"mdat" and old.extents == (Extent(last.body, last.stop - last.body),):
        return last
    return None


def _free_number(items: Items) -> int:
    number = 1 + max([items.primary, *(item.number for item in items.all)])
    if number > 0xFFFF:
        raise ValueError("an AVIF with no number left for an item")
    return number


def _meta_box(data: bytes, meta: Meta, items: Items, new: Item, shift: int) -> bytes:
    """The meta box with the new item. Offsets behind the box are moved by `shift` bytes."""
    others = [item for item in items.all if item.number != new.number]
    moved = [_move(item, meta.part.stop, shift) for item in others]
    tables = {b"iloc": _iloc([*moved, new])}
    if len(others) == len(items.all):  # the item is not listed yet
        tables[b"iinf"] = _iinf(data, meta, new)
        tables[b"iref"] = _iref(data, meta, items.primary, new)
    pieces = [tables.pop(part.kind, data[part.start : part.end]) for part in meta.children]
    head = data[meta.part.body : meta.part.body + 4]
    return _box(b"meta", head + b"".join([*pieces, *tables.values()]))


def _move(item: Item, behind: int, shift: int) -> Item:
    """The item, with every offset at or after `behind` moved by `shift` bytes."""
    if item.method != IN_FILE:
        return item
    extents = []
    for extent in item.extents:
        moved = extent.offset + shift if extent.offset >= behind else extent.offset
        extents.append(extent._replace(offset=moved))
    return item._replace(extents=tuple(extents))


def _iloc(items: Sequence[Item]) -> bytes:
    """An item location box of version 1, without bases, each offset and length in four bytes."""
    rows = [struct.pack(">H", len(items))]
    for item in items:
        rows.append(struct.pack(">HHHH", item.number, item.method, 0, len(item.extents)))
        rows += [struct.pack(">II", extent.offset, extent.length) for extent in item.extents]
    return _box(b"iloc", b"\1\0\0\0\x44\0" + b"".join(rows))


def _iinf(data: bytes, meta: Meta, new: Item) -> bytes:
    """The item info box with one more entry, hidden from programs that look for images."""
    part = meta.child(b"iinf")
    body = data[part.body : part.stop] if part else b"\0\0\0\0\0\0"
    count_size = 4 if body[0] else 2  # bytes
    count = 1 + int.from_bytes(body[4 : 4 + count_size], "big")
    entry = b"\2\0\0\1" + struct.pack(">HH4s", new.number, 0, new.kind)
    entry += b"XMP\0" + XMP_TYPE + b"\0" if new.content_type else b"\0"
    rest = body[4 + count_size :] + _box(b"infe", entry)
    return _box(b"iinf", body[:4] + count.to_bytes(count_size, "big") + rest)


def _iref(data: bytes, meta: Meta, primary: int, new: Item) -> bytes:
    """The item reference box with one more: the packet describes the primary image."""
    part = meta.child(b"iref")
    body = data[part.body : part.stop] if part else b"\0\0\0\0"
    layout = ">IHI" if body[0] else ">HHH"
    return _box(b"iref", body + _box(b"cdsc", struct.pack(layout, new.number, 1, primary)))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", BOX_HEAD + len(body), kind) + body


HELD = dict.fromkeys(("xmp", "exif"), LARGE)
CONTAINER = Container(matches, check, blocks, colors, edits, mend, orientation, add, HELD)
