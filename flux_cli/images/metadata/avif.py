"""Writing XMP into an AVIF: a metadata item that describes the primary image, its bytes behind everything else.

The tables of the meta box grow, and with them every offset behind it; pixel data are not moved among themselves.
Source: ISO/IEC 14496-12 (8.11.3 iloc, 8.11.6 iinf, 8.11.12 iref), ISO/IEC 23008-12 (6.9.3 metadata items).
"""

import struct
from collections.abc import Sequence

from flux_cli.images.containers import parts
from flux_cli.images.containers.edits import Edit
from flux_cli.images.containers.items import XMP_TYPE, Extent, Item, Meta, content_of, read_meta
from flux_cli.images.containers.parts import Part
from flux_cli.images.metadata import xmp
from flux_cli.images.metadata.record import Record

UNDERSTOOD = {b"ftyp", b"meta", b"mdat", b"free", b"skip", b"uuid"}


def edits(data: bytes, record: Record) -> list[Edit]:
    """A new meta box, and the packet in an mdat box at the end. Raises ValueError for what is not understood."""
    boxes = list(parts.avif(data))
    strange = [part.kind for part in boxes if part.kind not in UNDERSTOOD]
    metas = [part for part in boxes if part.kind == b"meta"]
    if strange or len(metas) != 1:
        raise ValueError(f"an AVIF with a {strange[0].decode('latin-1')!r} box" if strange else "no one meta box")
    meta = read_meta(data, metas[0])
    _check(data, meta, boxes[-1])
    old = meta.item(b"mime", XMP_TYPE)
    packet = xmp.packet(record, content_of(data, meta, old) if old else None)
    dropped = _alone(boxes[-1], old)
    end = dropped.start if dropped else len(data)
    item = Item(old.number if old else _free_number(meta), b"mime", XMP_TYPE)
    size = len(_meta(data, meta, item, 0, 0, 0))
    shift = size - (meta.part.stop - meta.part.start)
    rewritten = _meta(data, meta, item, shift, end + shift + 8, len(packet))
    mdat = struct.pack(">I4s", 8 + len(packet), b"mdat") + packet
    return [Edit(meta.part.start, meta.part.end, rewritten), Edit(end, len(data), mdat)]


def _check(data: bytes, meta: Meta, last: Part) -> None:
    """Raise ValueError where the tables cannot be rewritten without guessing."""
    if int.from_bytes(data[last.start : last.start + 4], "big") == 0:
        raise ValueError("an AVIF whose last box has no length")
    if not meta.primary or any(meta.child(kind) is None for kind in (b"iinf", b"iloc")):
        raise ValueError("an AVIF without a table of items")
    for item in meta.items:
        if item.method > 1 or item.reference or any(run.length == 0 for run in item.extents):
            raise ValueError("an AVIF with items that lie elsewhere")


def _alone(last: Part, old: Item | None) -> Part | None:
    """The last box, where it holds nothing but the packet of an earlier writing."""
    if old and last.kind == b"mdat" and old.extents == (Extent(last.body, last.stop - last.body),):
        return last
    return None


def _free_number(meta: Meta) -> int:
    number = 1 + max([meta.primary, *(item.number for item in meta.items)])
    if number > 0xFFFF:
        raise ValueError("an AVIF with no number left for an item")
    return number


def _meta(data: bytes, meta: Meta, new: Item, shift: int, offset: int, length: int) -> bytes:
    """The meta box with the packet's item at that offset, and every offset behind the box moved by `shift`."""
    new = new._replace(extents=(Extent(offset, length),))
    others = [item for item in meta.items if item.number != new.number]
    known = len(others) < len(meta.items)
    moved = [_moved(item, meta.part.stop, shift) for item in others]
    tables = {b"iloc": _iloc([*moved, new])}
    if not known:
        tables[b"iinf"] = _iinf(data, meta, new)
        tables[b"iref"] = _iref(data, meta, new)
    pieces = [tables.pop(part.kind, data[part.start : part.end]) for part in meta.children]
    body = data[meta.part.body : meta.part.body + 4] + b"".join([*pieces, *tables.values()])
    return _box(b"meta", body)


def _moved(item: Item, behind: int, shift: int) -> Item:
    if item.method:
        return item
    runs = (run._replace(offset=run.offset + shift * (run.offset >= behind)) for run in item.extents)
    return item._replace(extents=tuple(runs))


def _iloc(items: Sequence[Item]) -> bytes:
    """Version 1, without bases, each offset and length in four bytes."""
    rows = [struct.pack(">H", len(items))]
    for item in items:
        rows.append(struct.pack(">HHHH", item.number, item.method, 0, len(item.extents)))
        rows += [struct.pack(">II", *run) for run in item.extents]
    return _box(b"iloc", b"\1\0\0\0\x44\0" + b"".join(rows))


def _iinf(data: bytes, meta: Meta, new: Item) -> bytes:
    """The info box with one more entry, hidden from those who look for images."""
    part = meta.child(b"iinf")
    body = data[part.body : part.stop] if part else b"\0\0\0\0\0\0"
    wide = 4 if body[0] else 2
    count = 1 + int.from_bytes(body[4 : 4 + wide], "big")
    entry = b"\2\0\0\1" + struct.pack(">HH4s", new.number, 0, b"mime") + b"XMP\0" + XMP_TYPE + b"\0"
    return _box(b"iinf", body[:4] + count.to_bytes(wide, "big") + body[4 + wide :] + _box(b"infe", entry))


def _iref(data: bytes, meta: Meta, new: Item) -> bytes:
    """The reference box with one more: the packet describes the primary image."""
    part = meta.child(b"iref")
    body = data[part.body : part.stop] if part else b"\0\0\0\0"
    wide = ">IHI" if body[0] else ">HHH"
    return _box(b"iref", body + _box(b"cdsc", struct.pack(wide, new.number, 1, meta.primary)))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body
