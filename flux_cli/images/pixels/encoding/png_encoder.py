"""Encodes PNGs: tries filters, strategies of zlib, and fewer bits per pixel where that pays.

Photographs are smallest with filtered rows and zlib's run-length strategy, drawings with its
default, and text without filters. Which of them fits an image is found on bands of its rows.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TypeAlias

from PIL import Image

from flux_cli.images.containers import png
from flux_cli.images.pixels.encoding.palette import COLORS, exact_palette
from flux_cli.images.pixels.pillow import save

Settings: TypeAlias = Mapping[str, object]
Way: TypeAlias = Callable[[Image.Image], bytes]

COLOR_TYPES = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
GRAYS = 16  # with more levels, a palette takes as many bits per pixel as gray itself
SMALL = 1 << 17  # pixels; everything is tried on a smaller image
SAMPLE = 20  # of so many pixels of a larger one, one is tried
BAND = 16  # rows of the sample that are neighbors, as filters and zlib need them
STRIP = 1 << 16  # bytes that are compressed at a time


def encode_png(image: Image.Image, settings: Settings, effort: str) -> bytes:
    """The smallest of several PNGs, all with the same pixels; `fast` makes only one.

    Gray stays gray. `small` tries everything, `balanced` what makes a sample smallest.
    """
    if effort == "fast":
        return save(image, "png", settings)
    default = {name: value for name, value in settings.items() if name != "compress_type"}
    few = _few_bits(image)
    files = _with_few_bits(few, settings, default) if few else iter(())
    is_small = image.width * image.height <= SMALL
    if not few or is_small or effort == "small":
        ways: Sequence[Way] = (
            partial(save, file_format="png", settings=settings),
            partial(save, file_format="png", settings=default),
            partial(_unfiltered, settings=default),
        )
        if not is_small and effort != "small":
            ways = (_best_for_sample(image, ways),)
        files = chain(files, (way(image) for way in ways))
    return _smallest(files)


def _smallest(files: Iterable[bytes]) -> bytes:
    """The smallest file; no more than two are in memory."""
    smallest = b""
    for data in files:
        if not smallest or len(data) < len(smallest):
            smallest = data
    return smallest


def _best_for_sample(image: Image.Image, ways: Sequence[Way]) -> Way:
    """The way that makes the smallest file of some bands of rows, evenly spread."""
    high = min(BAND, image.height)
    rows = max(SMALL, image.width * image.height // SAMPLE) // image.width
    count = min(max(1, rows // high), image.height // high)
    sample = Image.new(image.mode, (image.width, count * high))
    for number in range(count):
        top = (image.height - high) * (2 * number + 1) // (2 * count)
        sample.paste(image.crop((0, top, image.width, top + high)), (0, number * high))
    return min(ways, key=lambda way: len(way(sample)))


def _few_bits(image: Image.Image) -> Image.Image | None:
    """The image as black and white, or with a palette, if that takes fewer bits per pixel."""
    if image.mode == "LA":
        return None
    if image.mode == "L":
        levels = image.getcolors(GRAYS)
        if levels and {level for _, level in levels} <= {0, 255}:
            return image.convert("1", dither=Image.Dither.NONE)
        return exact_palette(image, GRAYS)
    return exact_palette(image, COLORS)


def _with_few_bits(few: Image.Image, settings: Settings, default: Settings) -> Iterator[bytes]:
    yield save(few, "png", settings)
    yield save(few, "png", default)
    if few.mode == "P":
        yield _filtered(few, default)


def _filtered(few: Image.Image, settings: Settings) -> bytes:
    """A PNG with a palette and filtered rows, which makes drawings a tenth smaller.

    Pillow does not filter rows of palette indexes, so the file is encoded as gray and its header is
    changed afterwards.
    """
    gray = save(Image.frombytes("L", few.size, few.tobytes()), "png", settings)
    pixels = next(part.start for part in png.walk(gray) if part.kind == b"IDAT")
    colors = png.chunk(b"PLTE", bytes(few.getpalette() or []))
    clear = png.chunk(b"tRNS", few.info["transparency"]) if "transparency" in few.info else b""
    header = png.chunk(b"IHDR", gray[16:25] + b"\3" + gray[26:29])
    return b"".join((gray[:8], header, gray[33:pixels], colors, clear, gray[pixels:]))


def _unfiltered(image: Image.Image, settings: Settings) -> bytes:
    """A PNG without filters, which makes text a fifth smaller. Pillow always filters colors."""
    header = struct.pack(">IIBBBBB", *image.size, 8, COLOR_TYPES[image.mode], 0, 0, 0)
    parts = [png.MAGIC, png.chunk(b"IHDR", header)]
    profile = settings.get("icc_profile")
    if isinstance(profile, bytes):
        parts.append(png.chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    level = settings["compress_level"]
    assert isinstance(level, int)  # noqa: S101 - our own table
    compressor = zlib.compressobj(level)
    pixels = [compressor.compress(strip) for strip in _strips(image)]
    pixels.append(compressor.flush())
    parts += (png.chunk(b"IDAT", b"".join(pixels)), png.chunk(b"IEND", b""))
    return b"".join(parts)


def _strips(image: Image.Image) -> Iterator[bytes]:
    """The rows of an image as PNG has them: before each, a zero says that it is not filtered."""
    width = image.width * len(image.getbands())
    height = max(1, STRIP // width)
    for top in range(0, image.height, height):
        rows = min(height, image.height - top)
        strip = image.crop((0, top, image.width, top + rows)).tobytes()
        marked = Image.new("L", (width + 1, rows))
        marked.paste(Image.frombytes("L", (width, rows), strip), (1, 0))
        yield marked.tobytes()
