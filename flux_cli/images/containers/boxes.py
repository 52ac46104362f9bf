"""ISO boxes, and the items of a meta box with the places of their bytes.

Source: ISO/IEC 14496-12, 8.11. Construction methods 0 (in the file) and 1 (in the idat box) are
read; the content of an item that is built from other items (2) is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.parts import (
    MAX_CONTENT,
    MAX_PARTS,
    Part,
    TooManyPartsError,
    u16,
    u32,
)

IN_FILE, IN_IDAT = 0, 1  # construction methods
MAX_ITEMS = 10_000  # and about as many extents; files with more are rejected


class Extent(NamedTuple):
    """One run of bytes of an item. The construction method says what `offset` is relative to."""

    offset: int
    length: int
    reference: int = 0  # which referenced item it is taken from; 0 and 1 for most files


class Item(NamedTuple):
    """One item: its number, type, content type (of a mime item), and where its bytes are."""

    number: int
    kind: bytes = b""
    content_type: bytes = b""
    method: int = IN_FILE
    reference: int = 0
    extents: tuple[Extent, ...] = ()


class Meta(NamedTuple):
    """The meta box of a file and the boxes in it."""

    part: Part
    children: tuple[Part, ...]

    def child(self, kind: bytes) -> Part | None:
        """The first box of a kind."""
        return next((part for part in self.children if part.kind == kind), None)


class Items(NamedTuple):
    """The items of a meta box, and the number of the primary one (0: none)."""

    primary: int
    all: tuple[Item, ...]

    def find(self, kind: bytes, content_type: bytes = b"") -> Item | None:
        """The first item of a type."""
        for item in self.all:
            if item.kind == kind and item.content_type == content_type:
                return item
        return None


def walk(data: bytes, at: int, end: int) -> Iterator[Part]:
    """The boxes from offset `at` to `end`. Raises ValueError if one does not fit."""
    for _ in range(MAX_PARTS):
        if at >= end:
            return
        length, kind, head = u32(data, at), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = end - at
        if length < head or at + length > end:
            raise ValueError(f"box {kind!r} is cut")
        yield Part(kind, at, at + head, at + length, at + length)
        at += length
    raise TooManyPartsError


def read_meta(data: bytes, part: Part) -> Meta:
    """The boxes of a meta box."""
    return Meta(part, tuple(walk(data, part.body + 4, part.stop)))


def properties(data: bytes, meta: Meta) -> Iterator[Part]:
    """The properties of all items, such as sizes and color profiles."""
    table = meta.child(b"iprp")
    if table is None:
        return
    for container in walk(data, table.body, table.stop):
        if container.kind == b"ipco":  # there is only one
            yield from walk(data, container.body, container.stop)
            return


def read_associations(data: bytes, meta: Meta) -> dict[int, tuple[int, ...]]:
    """The properties of each item, by number: their places among all properties, from 1.

    Raises ValueError for tables that are cut or too long.
    """
    table = meta.child(b"iprp")
    found: dict[int, tuple[int, ...]] = {}
    if table is None:
        return found
    left = 2 * MAX_ITEMS
    for part in walk(data, table.body, table.stop):
        if part.kind != b"ipma":
            continue
        reader = _Reader(data, part.body, part.stop)
        number_size = 4 if reader.take(1) else 2  # bytes
        index_size = 2 if reader.take(3) & 1 else 1
        last = 0x7FFF if index_size == 2 else 0x7F  # the highest bit says whether it is essential
        for _ in range(reader.take(4)):
            number, count = reader.take(number_size), reader.take(1)
            left -= 1 + count
            if left < 0:
                raise ValueError("more properties than any image has")
            indexes = tuple(reader.take(index_size) & last for _ in range(count))
            found[number] = found.get(number, ()) + indexes
    return found


def read_items(data: bytes, meta: Meta) -> Items:
    """Read the item tables. Raises ValueError or IndexError for tables that do not add up."""
    infos, pitm = meta.child(b"iinf"), meta.child(b"pitm")
    types = _read_types(data, infos) if infos else {}
    located = {item.number: item for item in read_locations(data, meta)}
    items = []
    for number in {**types, **located}:
        kind, content_type = types.get(number, (b"", b""))
        item = located.get(number, Item(number))
        items.append(item._replace(kind=kind, content_type=content_type))
    primary = 0
    if pitm:
        has_long_number = data[pitm.body] > 0
        primary = u32(data, pitm.body + 4) if has_long_number else u16(data, pitm.body + 4)
    return Items(primary, tuple(items))


def read_locations(data: bytes, meta: Meta) -> Iterator[Item]:
    """Where the bytes of each item are: number, method and extents, with bases added to offsets.

    Raises ValueError for an item location box of an unknown version, one that is cut, and one with
    too many items or extents.
    """
    part = meta.child(b"iloc")
    if part is None:
        return
    reader = _Reader(data, part.body, part.stop)
    version = reader.take(1)
    if version > 2:
        raise ValueError(f"an item location box of version {version}")
    reader.take(3)  # flags
    sizes = reader.take(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    number_size = 4 if version == 2 else 2  # bytes
    left = 2 * MAX_ITEMS
    for _ in range(reader.take(number_size)):
        number = reader.take(number_size)
        method = reader.take(2) & 15 if version else IN_FILE
        reference, base = reader.take(2), reader.take(base_size)
        count = reader.take(2)
        if count > 1 and not (offset_size or length_size or index_size):
            raise ValueError("extents without an address")
        left -= 1 + count
        if left < 0:
            raise ValueError("more items than any image has")
        extents = []
        for _ in range(count):
            index = reader.take(index_size)
            offset = base + reader.take(offset_size)
            extents.append(Extent(offset, reader.take(length_size), index))
        yield Item(number, b"", b"", method, reference, tuple(extents))


def read_content(data: bytes, meta: Meta, item: Item) -> bytes:
    """The bytes of an item, at most MAX_CONTENT; empty if it is built from other items."""
    start, end = 0, len(data)
    idat = meta.child(b"idat")
    if item.method == IN_IDAT and idat:
        start, end = idat.body, idat.stop
    elif item.method != IN_FILE:
        return b""
    pieces, left = [], MAX_CONTENT
    for extent in item.extents:
        first = start + extent.offset
        pieces.append(data[first : min(end, first + min(extent.length, left))])
        left -= len(pieces[-1])
    return b"".join(pieces)


def item_kinds(data: bytes, infos: Part) -> Iterator[tuple[int, int, int]]:
    """The number of each item, and where its type starts and its entry ends.

    Entries before version 2 name no type.
    """
    count = 0
    for part in walk(data, infos.body + (8 if data[infos.body] else 6), infos.stop):
        version = data[part.body]
        if part.kind != b"infe" or version not in (2, 3):
            continue
        at = part.body + (6 if version == 2 else 8)
        yield int.from_bytes(data[part.body + 4 : at], "big"), at + 2, part.stop
        count += 1
        if count > MAX_ITEMS:
            raise ValueError("more items than any image has")


def _read_types(data: bytes, infos: Part) -> dict[int, tuple[bytes, bytes]]:
    """Number -> type and content type."""
    types = {}
    for number, at, stop in item_kinds(data, infos):
        kind, texts = data[at : at + 4], data[at + 4 : stop].split(b"\0", 2)
        content_type = texts[1] if kind == b"mime" and len(texts) > 1 else b""
        types[number] = kind, content_type
    return types


class _Reader:
    """Big-endian integers of any width, one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    def take(self, width: int) -> int:
        """The next integer. Raises ValueError at the end."""
        start, self._at = self._at, self._at + width
        if self._at > self._end:
            raise ValueError("the end is missing")
        return int.from_bytes(self._data[start : self._at], "big")
