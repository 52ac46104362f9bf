"""Images that are made to take time or memory: of tiny parts, of many pixels, of many scans."""

import struct
import zlib
from functools import cache

from fakes.messages import message
from fakes.server import Answer
from fakes.steps import repeated

from faults.row import Row, fine
from faults.rows.bodies import MIB, black, chunk, png

TIMES = 60  # MiB of parts
PIXEL = zlib.compress(bytes(4))


def built(head: bytes, part: bytes, tail: bytes) -> dict[str, tuple[Answer, ...]]:
    """An image of 60 MiB that consists of one part, again and again."""
    block = part * (MIB // len(part))
    first = message(head, content_length="", content_type="image/png")
    return {"/p": ((first, repeated(block, TIMES), tail),)}


def webp(part: bytes) -> tuple[bytes, bytes, bytes]:
    pixels = b"VP8L" + struct.pack("<I", 6) + b"\x2f" + bytes(5)
    size = 4 + MIB // len(part) * len(part) * TIMES + len(pixels)
    return b"RIFF" + struct.pack("<I", size) + b"WEBP", part, pixels


@cache
def scans(side: int, count: int) -> bytes:
    """A progressive JPEG of many scans without data, each of which walks over all pixels."""
    blocks = (side // 8) ** 2
    runs = blocks // 32_767 + 1
    bits = ("0000" + "1" * 14) * runs  # runs of blocks without coefficients
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    return b"".join((
        b"\xff\xd8",
        segment(0xDB, b"\0" + b"\1" * 64),
        segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0"),
        segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0"),
        segment(0xC4, b"\x10" + bytes([0, 0, 0, 1] + [0] * 12) + b"\xe0"),
        segment(0xDA, b"\1\1\0\0\0\0"),
        bytes((blocks + 7) // 8),
        *[segment(0xDA, b"\1\1\0\1\x3f\0") + scan] * count,
        b"\xff\xd9",
    ))  # fmt: skip


def once(data: bytes) -> dict[str, tuple[Answer, ...]]:
    return {"/p": ((message(data, content_type="image/png"),),)}


START = png(1, 1, PIXEL)[:33]
END = png(1, 1, PIXEL)[33:]
GIF = b"GIF89a\1\0\1\0\0\0\0"
FRAME = b",\0\0\0\0\1\0\1\0\0\2"
TINY = {
    "GIF of blocks of one byte": (GIF + FRAME, b"\1x", b"\0;"),
    "GIF of empty extensions": (GIF, b"!\xfe\0", FRAME + b"\1x\0;"),
    "WebP of empty chunks": webp(b"abcd\0\0\0\0"),
    "PNG of empty chunks": (START, chunk(b"abCd", b""), END),
    "JPEG of empty segments": (b"\xff\xd8", b"\xff\xe5\0\2", b"\xff\xd9"),
    "JPEG of fill bytes": (b"\xff\xd8", b"\xff", b"\xff\xd9"),
    "AVIF of empty boxes": (b"\0\0\0\x14ftypavif\0\0\0\0avif", b"\0\0\0\x08free", b""),
}
AS_RECEIVED = {"code": (1, 3), "billed": None, "memory": 1024}

HOSTILE = (
    *(Row(name, "60 MiB of parts without content", get=built(*parts), says=("more than 100,000 parts",)) for name, parts in TINY.items()),
    fine("PNG with 50 MB of EXIF", "more than any camera writes", get=once(START + chunk(b"eXIf", bytes(50 * MIB)) + END)),
    Row("100 million pixels, to AVIF", "in 300 kB; it would take 3 GB", get=once(black(10_000)), line=("-f", "avif"), files=1, says=("10000x10000", "memory", "saved as received"), **AS_RECEIVED),
    Row("eight images of 100 million pixels", "to be converted at once", get=once(black(10_000)), line=("-n", "8", "-f", "webp"), files=8, posts=8, says=("memory",), **AS_RECEIVED),
    Row("four images of 25 million pixels", "to be converted at once", get=once(black(5000)), line=("-n", "4", "-f", "webp"), code=0, files=4, posts=4, billed=False, memory=1024),
    Row("JPEG of 3,000 scans", "90 million pixels in 700 kB, to be converted to PNG", get=once(scans(9480, 3000)), line=("-f", "png"), files=1, says=("3,001 scans", "saved as received"), **AS_RECEIVED),
)  # fmt: skip
