"""Reads the few EXIF fields about how an image was made. Source: TIFF 6.0, EXIF 2.32 (4.6)."""

from collections.abc import Iterator
from typing import Literal

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
ORIENTATION, COLOR_SPACE, SUB_IFD = 0x0112, 0xA001, 0x8769
MAX_ENTRIES = 1000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}  # bytes per value, for the types that these fields can have


def texts(data: bytes) -> dict[str, str]:
    """The text fields by name. If the table is damaged, only those before the damage."""
    order = "big" if data[:2] == b"MM" else "little"
    found = {}
    for tag, _, value in _entries(data):
        name = TAGS.get(tag)
        if name is None:
            continue
        has_head = name == "UserComment"
        text = _comment(value, order) if has_head else read_text(value)
        if text := text.strip("\0 "):
            found[name] = text
    return found


def number(data: bytes, field: int) -> int | None:
    """The first value of an integer field, by tag number; None if the field is missing."""
    for tag, kind, value in _entries(data):
        if tag == field and kind in (3, 4):
            return int.from_bytes(value[: _SIZES[kind]], "big" if data[:2] == b"MM" else "little")
    return None


def _entries(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Tag, type and value of each field in the first table, then in the table of EXIF fields."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return
    order: Literal["big", "little"] = "big" if data[:2] == b"MM" else "little"

    def whole(at: int, width: int) -> int:
        return int.from_bytes(data[at : at + width], order)

    tables = [whole(4, 4)]
    for table in tables:
        for place in range(table + 2, table + 2 + 12 * min(whole(table, 2), MAX_ENTRIES), 12):
            tag, kind, count = whole(place, 2), whole(place + 2, 2), whole(place + 4, 4)
            length = count * _SIZES.get(kind, 0)
            start = place + 8 if length <= 4 else whole(place + 8, 4)
            if tag == SUB_IFD and len(tables) == 1:
                tables.append(whole(place + 8, 4))
            elif length:
                yield tag, kind, data[start : start + length]


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
