"""Leaves metadata out of images without touching their pixels, as edits of their bytes.

What stays is what decides how pixels look: color, transparency, animation, the shape of a pixel.
The orientation in EXIF is metadata: whoever strips an image that is not upright must turn it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from flux_cli.images.containers import avif, boxes, gif, jpeg, png, webp
from flux_cli.images.containers.parts import Edit, Part, splice

PNG_COLOR = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")
PNG_PIXELS = (b"tRNS",)  # beside the chunks that every decoder needs
JPEG_COLOR = (b"\xe0", b"\xee")  # JFIF and Adobe: how channels become colors
JPEG_ADOBE = b"Adobe"
JFIF_LENGTH = 18  # bytes of the segment without a thumbnail
JPEG_MARKS = (b"\xfe", *(bytes([0xE0 + number]) for number in range(16)))
WEBP_FLAGS = 0x0C  # of the extended head: EXIF and XMP
GIF_KEPT = (gif.IMAGE, gif.TRAILER, gif.CONTROL, b"!\x01")  # the last is text that is drawn
GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
AVIF_KEPT = (b"ftyp", b"meta", b"mdat", b"moov", b"moof")
UNUSED = b"free"  # the kind of boxes and items that readers skip


def without_metadata(data: bytes, file_format: str) -> bytes:
    """The image without texts, EXIF, XMP, IPTC, credentials, density, and what is behind its end.

    Raises ValueError or IndexError for an image whose parts do not add up.
    """
    return _edited(data, _STRIPPED[file_format](data))


def for_decoder(data: bytes, file_format: str) -> bytes:
    """The image without everything that a decoder may stumble over and that holds no pixels.

    Of a PNG, only the first frame is left, and no color profile. The bytes come back as they are if
    their parts do not add up: then the decoder knows best.
    """
    strip = _FOR_DECODER.get(file_format)
    try:
        return _edited(data, strip(data)) if strip else data
    except (ValueError, IndexError, struct.error):
        return data


def _edited(data: bytes, edits: Iterator[Edit]) -> bytes:
    """The bytes themselves if nothing changes: an image may be large.

    Boxes may share what they describe, so the same edit may come twice.
    """
    changes = set(edits)
    return b"".join(splice(data, changes)) if changes else data


def _png_pixels(data: bytes) -> Iterator[Edit]:
    for part in png.walk(data):
        if not part.kind[:1].isupper() and part.kind not in PNG_PIXELS:
            yield Edit(part.start, part.end)


def _png(data: bytes) -> Iterator[Edit]:
    kept = (*PNG_PIXELS, *PNG_COLOR, *png.FRAME_KINDS)
    end = len(data)
    for part in png.walk(data):
        has_unit = part.kind != b"pHYs" or data[part.stop - 1] != 0
        if not part.kind[:1].isupper() and part.kind not in kept and has_unit:
            yield Edit(part.start, part.end)
        end = part.end
    if end < len(data):
        yield Edit(end, len(data))


def _jpeg_pixels(data: bytes) -> Iterator[Edit]:
    for part in jpeg.walk(data):
        if part.kind in JPEG_MARKS and part.kind not in JPEG_COLOR:
            yield Edit(part.start, part.end)


def _jpeg(data: bytes) -> Iterator[Edit]:
    for part in jpeg.walk_with_scans(data):
        body = data[part.body : part.body + len(jpeg.ICC_HEAD)]
        if part.kind == b"\xe0" and body.startswith(jpeg.JFIF_HEAD):
            yield from _bare_jfif(data, part)
            continue
        is_color = body == jpeg.ICC_HEAD
        if part.kind == b"\xee":
            is_color = body.startswith(JPEG_ADOBE)
        if part.kind in JPEG_MARKS and not is_color:
            yield Edit(part.start, part.end)
        elif part.kind[0] == jpeg.END and part.end < len(data):
            yield Edit(part.end, len(data))


def _bare_jfif(data: bytes, part: Part) -> Iterator[Edit]:
    """JFIF without a thumbnail, and with no more of the density than the shape of a pixel."""
    across, down = data[part.body + 8 : part.body + 10], data[part.body + 10 : part.body + 12]
    sides = b"\0\1\0\1" if across == down else across + down
    bare = b"\xff\xe0\0\x10" + data[part.body : part.body + 7] + b"\0" + sides + b"\0\0"
    if len(bare) == JFIF_LENGTH and data[part.start : part.end] != bare:
        yield Edit(part.start, part.end, bare)


def _webp(data: bytes) -> Iterator[Edit]:
    kept = (*webp.NEEDED, b"ICCP")
    size, end = 4, len(data)
    for part in webp.walk(data):
        end = part.end
        if part.kind not in kept:
            yield Edit(part.start, part.end)
            continue
        size += part.end - part.start
        flags = data[part.body]
        if part.kind == webp.EXTENDED and flags & WEBP_FLAGS:
            yield Edit(part.body, part.body + 1, bytes([flags & ~WEBP_FLAGS]))
    if size + 8 != len(data):
        yield Edit(4, 8, struct.pack("<I", size))
    if end < len(data):
        yield Edit(end, len(data))


def _gif(data: bytes) -> Iterator[Edit]:
    for part in gif.walk(data):
        name = data[part.body + 1 : part.body + gif.NAME_END]
        is_kept = part.kind in GIF_KEPT
        if part.kind == gif.APPLICATION:
            is_kept = name in (*GIF_LOOPS, gif.ICC_NAME)
        if not is_kept:
            yield Edit(part.start, part.end)
        elif part.kind == gif.TRAILER and part.end < len(data):
            yield Edit(part.end, len(data))


def _avif(data: bytes) -> Iterator[Edit]:
    """Overwrite what items and boxes describe, and their kinds: places in the file stay right."""
    for part in avif.walk(data):
        if part.kind == b"meta":
            yield from _avif_items(data, boxes.read_meta(data, part))
        elif part.kind == b"moov":
            for track in boxes.walk(data, part.body, part.stop):
                yield from _avif_track(data, track)
        elif part.kind not in AVIF_KEPT:
            yield Edit(part.start + 4, part.start + 8, UNUSED)
            yield Edit(part.body, part.stop, bytes(part.stop - part.body))


def _avif_track(data: bytes, track: Part) -> Iterator[Edit]:
    """A track of an animation has a meta box of its own."""
    if track.kind == b"trak":
        for part in boxes.walk(data, track.body, track.stop):
            if part.kind == b"meta":
                yield from _avif_items(data, boxes.read_meta(data, part))


def _avif_items(data: bytes, meta: boxes.Meta) -> Iterator[Edit]:
    infos, idat = meta.child(b"iinf"), meta.child(b"idat")
    if infos is None:
        return
    described = set()
    for number, place, _ in boxes.item_kinds(data, infos):
        if data[place : place + 4] in avif.DESCRIPTIONS:
            described.add(number)
            yield Edit(place, place + 4, UNUSED)
    for item in boxes.read_locations(data, meta):
        base = idat.body if item.method == boxes.IN_IDAT and idat else 0
        for extent in item.extents if item.number in described else ():
            start = base + extent.offset
            stop = min(start + extent.length, len(data))
            yield Edit(start, stop, bytes(stop - start))


_Strip = Callable[[bytes], Iterator[Edit]]
_STRIPPED: dict[str, _Strip] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "avif": _avif,
}
_FOR_DECODER: dict[str, _Strip] = {"png": _png_pixels, "jpeg": _jpeg_pixels, "avif": _avif}
