"""Parts of a file and edits of its bytes, shared by all formats. Nothing is copied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flux_cli.core.lite import NamedTuple

MAX_PARTS = 100_000  # of one file; no image has so many, and walking more would take seconds
MAX_CONTENT = 17 << 20  # bytes of metadata that are read; longer XMP (16 MiB) is refused elsewhere
MIN_PADDING = 3  # equal bytes at the end of a file; fewer may be its data
MAX_PADDINGS = 4  # one behind the other
EXTENDED = 0x8000  # marks the length of a length
MIN_TEXT = 16  # letters at the end of a file
TEXT = b"\t\n\r" + bytes(range(0x20, 0x7F))
RESOURCE, IPTC_RESOURCE = b"8BIM", 0x0404  # of Photoshop
MAX_RESOURCES = 200  # of Photoshop, in one piece
EXIF_HEAD = b"Exif\0\0"  # how EXIF begins in a JPEG; some writers put it into other formats as well


class TooManyPartsError(ValueError):
    """The file has more parts than any image: it was made to take time."""

    def __init__(self) -> None:
        super().__init__(f"it has more than {MAX_PARTS:,} parts")


class Part(NamedTuple):
    """One chunk, segment, block or box.

    `start` to `end` is the whole part with its head and checksum, `body` to `stop` its content.
    """

    kind: bytes
    start: int
    body: int
    stop: int
    end: int


class IptcField(NamedTuple):
    """One field of IPTC, and where its value is."""

    record: int
    number: int
    start: int
    end: int


class Edit(NamedTuple):
    """Replace the bytes from `start` to `end` with `new`."""

    start: int
    end: int
    new: bytes = b""


def content(data: bytes, part: Part) -> bytes:
    """The content of a part, cut at MAX_CONTENT."""
    return data[part.body : min(part.stop, part.body + MAX_CONTENT)]


def read_text(data: bytes) -> str:
    """A text in UTF-8 or, as several standards ask, in Latin-1: programs write both.

    Damaged UTF-8 stays UTF-8: more of its characters are sound than not.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        damaged = text.count("\ufffd")
        sound = sum(not char.isascii() for char in text) - damaged
        return text if sound > damaged else data.decode("cp1252", "replace")


def splice(data: bytes, edits: Iterable[Edit]) -> tuple[memoryview | bytes, ...]:
    """Apply edits and return the result as pieces: slices of the original and new bytes.

    Edits at the same place keep their order. Raises ValueError if edits overlap.
    """
    view, at = memoryview(data), 0
    pieces: list[memoryview | bytes] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not at <= edit.start <= edit.end <= len(data):
            raise ValueError("edits overlap")
        pieces += [view[at : edit.start], edit.new]
        at = edit.end
    pieces.append(view[at:])
    return tuple(piece for piece in pieces if len(piece))


def iptc_parts(segments: Sequence[bytes]) -> Iterator[bytes]:
    """The IPTC in Photoshop's resources, which may take several segments of a JPEG."""
    wholes: list[bytearray] = []
    for segment in segments:
        if wholes and not segment.startswith(RESOURCE):
            wholes[-1] += segment
        else:
            wholes.append(bytearray(segment))
    yield from (iptc_of(bytes(whole)) for whole in wholes)


def iptc_of(data: bytes) -> bytes:
    """The IPTC resource among Photoshop's resources; empty if there is none."""
    at = 0
    for _ in range(MAX_RESOURCES):
        if data[at : at + 4] != RESOURCE or at + 6 >= len(data):
            break
        name = 1 + data[at + 6]
        body = at + 6 + name + name % 2
        if body + 4 > len(data):
            break
        length = u32(data, body)
        if u16(data, at + 4) == IPTC_RESOURCE:
            return data[body + 4 : body + 4 + length]
        at = body + 4 + length + length % 2
    return b""


def iptc_fields(data: bytes) -> Iterator[IptcField]:
    """The fields of IPTC. Each is a mark, two numbers, a length, and the value.

    If the first bit of the length is set, the rest of it says how many bytes of length follow.
    """
    at = 0
    while data[at : at + 1] == b"\x1c" and at + 5 <= len(data):
        length, start = u16(data, at + 3), at + 5
        if length & EXTENDED:
            wide = start + (length & ~EXTENDED)
            length, start = int.from_bytes(data[start:wide], "big"), wide
        if start > len(data):
            return
        end = min(start + length, len(data))
        yield IptcField(data[at + 1], data[at + 2], start, end)
        at = end


def first_of_each_kind(parts: Iterable[Part]) -> dict[bytes, Part]:
    """The first part of each kind."""
    found: dict[bytes, Part] = {}
    for part in parts:
        found.setdefault(part.kind, part)
    return found


def start_of_padding(data: bytes, start: int, end: int) -> int:
    """Where the equal bytes or the text begin that fill data up to `end`; `end` if there are none.

    Downloads that stop, and disks that lose power, leave files that end with zeros; proxies add
    pages.
    """
    for _ in range(MAX_PADDINGS):
        last = data[end - 1 : end]
        tail = data[max(start, end - MIN_TEXT) : end]
        if len(tail) >= MIN_PADDING and tail.endswith(last * MIN_PADDING):
            end = start + len(data[start:end].rstrip(last))
        elif len(tail) == MIN_TEXT and not tail.strip(TEXT):
            end = start + len(data[start:end].rstrip(TEXT))
        else:
            break
    return end


def u32(data: bytes, at: int) -> int:
    """Read four bytes, big-endian. Raises ValueError at the end of the data."""
    if at + 4 > len(data):
        raise ValueError("the end is missing")
    return int.from_bytes(data[at : at + 4], "big")


def u16(data: bytes, at: int) -> int:
    """Read two bytes, big-endian. Raises IndexError at the end of the data."""
    return data[at] << 8 | data[at + 1]
