"""The items of an AVIF's meta box: which there are, and where their bytes lie.

Source: ISO/IEC 14496-12, 8.11. The meaning of `iloc` version 0 to 2 and of construction methods 0 (in the file) and 1
(in the idat box) is known here; an item built from other items (2) is left alone.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.parts import Part, inside
from flux_cli.images.containers.whole import u16, u32

XMP_TYPE = b"application/rdf+xml"
MAX_ITEMS = 10_000
MAX_CONTENT = 16 << 20  # bytes of an item worth reading


class Extent(NamedTuple):
    """One run of bytes of an item, counted from where its construction method says."""

    offset: int
    length: int


class Item(NamedTuple):
    """One item: its number, type, content type (of a mime item), and where its bytes are."""

    number: int
    kind: bytes
    content: bytes = b""
    method: int = 0
    reference: int = 0
    extents: tuple[Extent, ...] = ()


class Meta(NamedTuple):
    """The meta box of a file, and the boxes in it that matter."""

    part: Part
    children: tuple[Part, ...]
    primary: int
    items: tuple[Item, ...]

    def child(self, kind: bytes) -> Part | None:
        """The first box of a kind."""
        return next((part for part in self.children if part.kind == kind), None)

    def item(self, kind: bytes, content: bytes = b"") -> Item | None:
        """The first item of a kind."""
        return next((item for item in self.items if (item.kind, item.content) == (kind, content)), None)


def read_meta(data: bytes, part: Part) -> Meta:
    """Read the item tables. Raises ValueError or IndexError for what is broken or of an unknown version."""
    children = tuple(inside(data, part.body + 4, part.stop))
    meta = Meta(part, children, 0, ())
    primary, infos, places = (meta.child(kind) for kind in (b"pitm", b"iinf", b"iloc"))
    located = _locations(data[places.body : places.stop]) if places else {}
    named = _names(data, infos) if infos else {}
    items = []
    for number in {**named, **located}:
        kind, content = named.get(number, (b"", b""))
        items.append(located.get(number, Item(number, kind))._replace(kind=kind, content=content))
    number = 0
    if primary:
        number = u32(data, primary.body + 4) if data[primary.body] else u16(data, primary.body + 4)
    return meta._replace(primary=number, items=tuple(items))


def content_of(data: bytes, meta: Meta, item: Item) -> bytes:
    """The bytes of an item; empty where it is not built from bytes of the file."""
    start, end = 0, len(data)
    if item.method == 1 and (idat := meta.child(b"idat")):
        start, end = idat.body, idat.stop
    elif item.method:
        return b""
    runs, left = [], MAX_CONTENT
    for run in item.extents:
        first = start + run.offset
        runs.append(data[first : min(end, first + min(run.length, left))])
        left -= len(runs[-1])
    return b"".join(runs)


def _names(data: bytes, infos: Part) -> dict[int, tuple[bytes, bytes]]:
    """Number -> type and content type, from the item info box. Entries before version 2 name no type."""
    first = infos.body + (8 if data[infos.body] else 6)
    named = {}
    for part in inside(data, first, infos.stop):
        version = data[part.body]
        if part.kind != b"infe" or version not in (2, 3):
            continue
        wide = 2 if version == 2 else 4
        at = part.body + 4 + wide
        number = int.from_bytes(data[part.body + 4 : at], "big")
        kind, words = data[at + 2 : at + 6], data[at + 6 : part.stop].split(b"\0", 2)
        named[number] = kind, words[1] if kind == b"mime" and len(words) > 1 else b""
        if len(named) > MAX_ITEMS:
            raise ValueError("more items than any image has")
    return named


def _locations(box: bytes) -> dict[int, Item]:
    """Number -> where the bytes are, from the item location box; bases are added to the offsets."""
    version = box[0]
    if version > 2:
        raise ValueError(f"an item location box of version {version}")
    sizes = box[4] >> 4, box[4] & 15, box[5] >> 4, (box[5] & 15) if version else 0
    reader = _Reader(box, 6)
    located: dict[int, Item] = {}
    runs = 0
    wide = 4 if version == 2 else 2
    for _ in range(reader.take(wide)):
        number = reader.take(wide)
        method = reader.take(2) & 15 if version else 0
        reference, base = reader.take(2), reader.take(sizes[2])
        extents = []
        for _ in range(reader.take(2)):
            index = reader.take(sizes[3])
            extents.append(Extent(base + reader.take(sizes[0]), reader.take(sizes[1])))
            runs += 1
            if index > 1 or runs > MAX_ITEMS:
                raise ValueError("an item made of others, or of too many pieces")
        located[number] = Item(number, b"", b"", method, reference, tuple(extents))
    return located


class _Reader:
    """Whole numbers of any width, one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def take(self, width: int) -> int:
        """The next number. Raises ValueError at the end."""
        end = self._at + width
        if end > len(self._data):
            raise ValueError("the end is missing")
        number = int.from_bytes(self._data[self._at : end], "big")
        self._at = end
        return number
