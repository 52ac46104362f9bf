"""Reads and writes the few EXIF fields about whose an image is, and how it was made.

Source: TIFF 6.0, EXIF 2.32 (4.6).
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Literal

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.parts import read_text

TAGS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9286: "UserComment",
}
NUMBERS = {name: number for number, name in TAGS.items()}
ORIENTATION, COLOR_SPACE, SUB_IFD = 0x0112, 0xA001, 0x8769
# Texts of Windows, in UTF-16: title, comment, author, keywords and subject.
WINDOWS = range(0x9C9B, 0x9CA0)
MAX_ENTRIES = 1000
MAX_VALUES = 64 << 20  # bytes of all values; fields may name the same bytes again and again
BYTE, TEXT, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7  # types
# Bytes per value, for the types that these fields can have.
_SIZES = {BYTE: 1, TEXT: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1}


class Field(NamedTuple):
    """One field: its tag, its type, and where its value is in the block. See `build` for values."""

    tag: int
    kind: int
    start: int
    end: int


Value = str | bytes | int | tuple[int, int]


def texts(data: bytes) -> dict[str, str]:
    """The text fields by name. If the table is damaged, only those before the damage."""
    order = _order(data)
    found: dict[str, str] = {}
    for field in fields(data):
        name = TAGS.get(field.tag)
        if name is None:
            continue
        value = data[field.start : field.end]
        has_head = name == "UserComment"
        text = _comment(value, order) if has_head else read_text(value)
        if text := text.strip("\0 "):
            found[name] = text
    return found


def number(data: bytes, field: int) -> int | None:
    """The first value of an integer field, by tag number; None if the field is missing."""
    order = _order(data)
    for one in fields(data):
        if one.tag == field and one.kind in (SHORT, LONG):
            return int.from_bytes(data[one.start : one.start + _SIZES[one.kind]], order)
    return None


def ratio(data: bytes, field: int) -> float | None:
    """The first value of a field of fractions, by tag number; None if it is missing."""
    order = _order(data)
    for one in fields(data):
        if one.tag == field and one.kind == RATIONAL:
            above = int.from_bytes(data[one.start : one.start + 4], order)
            below = int.from_bytes(data[one.start + 4 : one.start + 8], order)
            return above / below if below else None
    return None


def fields(data: bytes) -> Iterator[Field]:
    """Each field in the first table, then in the table of EXIF fields."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return
    order = _order(data)

    def whole(at: int, width: int) -> int:
        return int.from_bytes(data[at : at + width], order)

    tables, left = [whole(4, 4)], MAX_VALUES
    for table in tables:
        for place in range(table + 2, table + 2 + 12 * min(whole(table, 2), MAX_ENTRIES), 12):
            tag, kind, count = whole(place, 2), whole(place + 2, 2), whole(place + 4, 4)
            length = count * _SIZES.get(kind, 0)
            start = place + 8 if length <= 4 else whole(place + 8, 4)
            if tag == SUB_IFD and len(tables) == 1:
                tables.append(whole(place + 8, 4))
            elif length:
                end = max(start, min(start + length, len(data)))
                left -= end - start
                if left < 0:
                    return
                yield Field(tag, kind, start, end)


def build(main: Mapping[int, Value], extra: Mapping[int, Value]) -> bytes:
    """A block with the fields of the first table, and of the table of EXIF fields, by tag.

    Text becomes a text, a number a short one, a pair a fraction; bytes are written as they are.
    Texts are in UTF-8, which programs read, although the standard names only ASCII.
    """
    first = dict(main)
    if not extra:
        return b"MM\0*" + struct.pack(">I", 8) + _table(first, 8)
    offset = 8 + len(_table({**first, SUB_IFD: b"\0\0\0\0"}, 8))
    first[SUB_IFD] = struct.pack(">I", offset)
    return b"MM\0*" + struct.pack(">I", 8) + _table(first, 8) + _table(extra, offset)


def _table(values: Mapping[int, Value], at: int) -> bytes:
    """A table of fields that begins at this offset, and what does not fit into its rows."""
    rows = [struct.pack(">H", len(values))]
    behind = bytearray()
    start = at + 2 + 12 * len(values) + 4
    for tag in sorted(values):
        kind, count, packed = _packed(tag, values[tag])
        if len(packed) > 4:
            place = struct.pack(">I", start + len(behind))
            behind += packed + bytes(len(packed) % 2)
        else:
            place = packed.ljust(4, b"\0")
        rows.append(struct.pack(">HHI", tag, kind, count) + place)
    return b"".join((*rows, bytes(4), behind))


def _packed(tag: int, value: Value) -> tuple[int, int, bytes]:
    """The type, the count and the bytes of a value."""
    if isinstance(value, str):
        text = value.replace("\0", "\ufffd").encode("utf-8", "replace") + b"\0"
        return TEXT, len(text), text
    if isinstance(value, int):
        return SHORT, 1, struct.pack(">H", value)
    if isinstance(value, bytes):
        return (LONG, 1, value) if tag == SUB_IFD else (UNDEFINED, len(value), value)
    return RATIONAL, 1, struct.pack(">II", *value)


def user_comment(text: str) -> bytes:
    """The value of a user comment, as AUTOMATIC1111 and the programs after it write it."""
    return b"UNICODE\0" + text.encode("utf-16-be", "replace")


def _order(data: bytes) -> Literal["big", "little"]:
    return "big" if data[:2] == b"MM" else "little"


def _comment(value: bytes, order: str) -> str:
    """The text of a user comment, which starts with eight bytes that name its encoding.

    Writers disagree on the byte order of UTF-16, so it is guessed from the zero bytes.
    """
    head, body = value[:8], value[8:]
    if head != b"UNICODE\0":
        has_head = head in (b"ASCII\0\0\0", bytes(8))
        return read_text(body if has_head else value)
    high, low = body[0:400:2].count(0), body[1:400:2].count(0)
    big = high > low or (high == low and order == "big")
    return body.decode("utf-16-be" if big else "utf-16-le", "replace")
