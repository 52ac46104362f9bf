"""Images made to take time or memory: of tiny parts, of huge parts, of parts without end."""

import itertools
import struct
import tracemalloc
import zlib

import pytest

from flux_cli.core.errors import ImageError
from flux_cli.images.containers.parts import MAX_PARTS
from flux_cli.images.containers.registry import MAX_BLOCKS, MAX_PACKETS, inspect, read_blocks
from flux_cli.images.details import read_details
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import Record
from flux_cli.images.metadata.write import write_record

MANY = MAX_PARTS + 10
MIB = 1 << 20
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>provenance</a></x:xmpmeta> '


# --- files ----------------------------------------------------------------------------------------


def chunk(kind, body=b""):
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def png(inside):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(4)))
    return b"\x89PNG\r\n\x1a\n" + head + inside + pixels + chunk(b"IEND")


def riff(kind, body=b""):
    return kind + struct.pack("<I", len(body)) + body


def webp(inside):
    return riff(
        b"RIFF", b"WEBP" + riff(b"VP8X", bytes(10)) + inside + riff(b"VP8L", b"\x2f" + bytes(5))
    )


def gif(inside, pixels=b"\1x\0"):
    return b"GIF89a\1\0\1\0\0\0\0" + inside + b",\0\0\0\0\1\0\1\0\0\2" + pixels + b";"


def segment(marker, body=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body


def jpeg(inside, scan=b""):
    frame = segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0")
    return b"\xff\xd8" + inside + frame + segment(0xDA) + scan + b"\xff\xd9"


def box(kind, body=b""):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def avif(inside, behind=b""):
    meta = box(b"meta", bytes(4) + inside)
    return box(b"ftyp", b"avif\0\0\0\0avif") + meta + behind + box(b"mdat")


ISPE = box(b"ispe", struct.pack(">III", 0, 1, 1))
PROPERTIES = box(b"iprp", box(b"ipco", ISPE))
TOO_MANY = {
    "PNG of empty chunks": lambda: png(chunk(b"abCd") * MANY),
    "WebP of empty chunks": lambda: webp(riff(b"abcd") * MANY),
    "GIF of empty extensions": lambda: gif(b"!\xfe\0" * MANY),
    "GIF of 1-byte blocks": lambda: gif(b"", b"\1x" * (2 * MANY) + b"\0"),
    "GIF of short comments": lambda: gif((b"!\xfe" + b"\1x" * 9 + b"\0") * (MANY // 5)),
    "JPEG of empty segments": lambda: jpeg(segment(0xE5) * MANY),
    "JPEG of fill bytes": lambda: jpeg(b"\xff" * MANY),
    "JPEG of markers": lambda: jpeg(b"\xff\xd0" * MANY),
    "AVIF of empty boxes": lambda: avif(PROPERTIES, box(b"free") * MANY),
    "AVIF of empty boxes in its meta box": lambda: avif(PROPERTIES + box(b"free") * MANY),
    "AVIF of properties": lambda: avif(box(b"iprp", box(b"ipco", ISPE * MANY))),
    "AVIF of empty tables of properties": lambda: avif(box(b"iprp", box(b"abcd") * MANY)),
}  # fmt: skip


@pytest.mark.parametrize("make", TOO_MANY.values(), ids=TOO_MANY)
def test_a_file_of_too_many_parts_is_refused_in_a_sentence(make):
    with pytest.raises(
        ImageError, match=r"cannot be used \([0-9,]+ bytes\): it has more than 100,000 parts"
    ):
        inspect(make())


@pytest.mark.parametrize(
    "sizes", [struct.pack(">BI", 0x01, MANY), struct.pack(">BI", 0x11, 1)], ids=["items", "extents"]
)
def test_an_avif_of_too_many_items_is_refused(sizes):
    """Version 2, index fields of one byte: each extent takes one byte of the file."""
    body = b"\2\0\0\0" + b"\0" + sizes + struct.pack(">IHHH", 1, 0, 0, 0xFFFF) + bytes(MIB)
    with pytest.raises(ImageError, match="more items than any image has"):
        inspect(avif(PROPERTIES + box(b"iloc", body)))


WHOLE = {
    "many chunks": lambda: png(chunk(b"abCd") * (MAX_PARTS - 10)),
    "a GIF of usual blocks": lambda: gif(b"", (b"\xff" + bytes(255)) * (MAX_PARTS + 10) + b"\0"),
    "many frames": lambda: gif(b"!\xfe\0" * (MAX_PARTS - 10)),
    "a long scan": lambda: jpeg(b"", b"\xff\0" * (2 * MIB)),
    "a marker between two windows": lambda: jpeg(b"", bytes(MIB - 1)),
}


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_a_file_below_the_limits_is_whole(make):
    assert inspect(make())[1:3] == (1, 1)


# --- memory and time ------------------------------------------------------------------------------


def numbered_texts(count):
    return b"".join(chunk(b"tEXt", b"k%d\0v" % number) for number in range(count))


XMP_TEXT = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
RESOURCES = b"Photoshop 3.0\0" + b"8BIM\4\5\0\0\0\0\0\0" * 5000
PROFILE = box(b"colr", b"prof" + bytes(64 * MIB))
BOMB = zlib.compress(bytes(64 * MIB), 9)
HUGE = {
    "PNG with EXIF": lambda: png(chunk(b"eXIf", bytes(64 * MIB))),
    "PNG with a text": lambda: png(chunk(b"tEXt", b"parameters\0" + b"x" * (64 * MIB))),
    "PNG of packed texts": lambda: png(chunk(b"zTXt", b"k\0\0" + BOMB) * 100),
    "PNG of color profiles": lambda: png(chunk(b"iCCP", b"p\0\0" + BOMB) * 100),
    "PNG of texts": lambda: png(numbered_texts(30_000)),
    "PNG of XMP packets": lambda: png(XMP_TEXT * 30_000),
    "WebP with EXIF": lambda: webp(riff(b"EXIF", b"Exif\0\0" + bytes(64 * MIB))),
    "WebP of XMP packets": lambda: webp(riff(b"XMP ", XMP) * 30_000),
    "GIF with a comment": lambda: gif(b"!\xfe" + (b"\xff" + bytes(255)) * (64 * 4096) + b"\0"),
    "JPEG with a profile": lambda: jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000)) * 1000),
    "JPEG of Photoshop resources": lambda: jpeg(segment(0xED, RESOURCES) * 150),
    "AVIF with a profile": lambda: avif(box(b"iprp", box(b"ipco", ISPE + PROFILE))),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("make", HUGE.values(), ids=HUGE)
def test_metadata_is_read_and_written_within_limits(make):
    """Below 64 MiB beside the bytes of the file."""
    data = make()
    tracemalloc.start()
    try:
        inspect(data)
        assert not has_credentials(data)
        write_record(data, Record(prompt="a fox"))
        read_details(data)
        read_metadata(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * MIB


def test_few_blocks_and_packets_of_an_image_are_read():
    assert sum(1 for _ in read_blocks("png", png(numbered_texts(2000)))) == MAX_BLOCKS
    packets = webp(riff(b"XMP ", XMP) * 100 + riff(b"EXIF", b"MM"))
    kinds = [block.kind for block in read_blocks("webp", packets)]
    assert kinds == [*itertools.repeat("xmp", MAX_PACKETS), "exif"]


def test_all_color_profiles_together_are_unpacked_within_the_limit():
    profiles = png(chunk(b"iCCP", b"p\0\0" + BOMB) * 100)
    assert sum(len(block.data) for block in read_blocks("png", profiles)) <= 17 * MIB
