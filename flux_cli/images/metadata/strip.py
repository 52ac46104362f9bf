"""Leaves metadata out of the bytes that a decoder gets: no broken text must cost the pixels."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from flux_cli.images.containers import avif, boxes, jpeg, png
from flux_cli.images.containers.parts import Edit, Part, splice

PNG_PIXELS = (b"tRNS",)  # beside the chunks that every decoder needs
JPEG_COLOR = (b"\xe0", b"\xee")  # JFIF and Adobe: how channels become colors
JPEG_MARKS = (b"\xfe", *(bytes([0xE0 + number]) for number in range(16)))
UNUSED = b"free"  # the kind of boxes and items that readers skip


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


def _jpeg_pixels(data: bytes) -> Iterator[Edit]:
    for part in jpeg.walk(data):
        if part.kind in JPEG_MARKS and part.kind not in JPEG_COLOR:
            yield Edit(part.start, part.end)


def _avif(data: bytes) -> Iterator[Edit]:
    """Overwrite what items and boxes describe, and their kinds: places in the file stay right."""
    for part in avif.walk(data):
        if part.kind == b"uuid":
            yield Edit(part.start + 4, part.start + 8, UNUSED)
            yield Edit(part.body, part.stop, bytes(part.stop - part.body))
        elif part.kind == b"moov":
            for track in boxes.walk(data, part.body, part.stop):
                yield from _avif_track(data, track)
        elif part.kind == b"meta":
            yield from _avif_items(data, boxes.read_meta(data, part))


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
_FOR_DECODER: dict[str, _Strip] = {"png": _png_pixels, "jpeg": _jpeg_pixels, "avif": _avif}
