"""Makes small copies of images to look at, alone or on a contact sheet."""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

from PIL import Image, ImageDraw, ImageFont

from flux_cli.core.errors import ImageError
from flux_cli.images import sheet
from flux_cli.images.containers.registry import look
from flux_cli.images.details import ImageDetails, describe, turn_size
from flux_cli.images.formats import FOREIGN
from flux_cli.images.metadata.strip import for_decoder
from flux_cli.images.pixels.color import normalize, to_srgb
from flux_cli.images.pixels.memory import (
    LIMIT,
    MEMORY,
    coefficients,
    estimate_small,
    too_large_error,
)
from flux_cli.images.pixels.pillow import FAULTS, opened, turn
from flux_cli.images.sheet import Grid

Source: TypeAlias = str | bytes  # the path of an image, or its bytes
Small: TypeAlias = Image.Image  # for modules that must not import Pillow
PAPER, INK, FAINT = (32, 32, 32), (220, 220, 220), (56, 56, 56)
CHECKS = ((204, 204, 204), (153, 153, 153))  # the checkerboard behind transparent pixels
SQUARE = 8  # pixels
SAMPLE = 16_000  # pixels a palette is chosen from: twenty times faster than all of them
SMALLEST = 9  # pixels of a font that can still be read
LEVELS = (0, 95, 135, 175, 215, 255)  # of the 6×6×6 cube of colors in terminals with 256
CUBE = tuple((red, green, blue) for red in LEVELS for green in LEVELS for blue in LEVELS)
GRAYS = tuple((level, level, level) for level in range(8, 248, 10))
FIRST = 16  # the first of the fixed colors; users can change those before it


class Indexed(NamedTuple):
    """An image of few colors: one palette index per byte."""

    pixels: bytes
    size: tuple[int, int]
    palette: tuple[tuple[int, int, int], ...]


def measure(source: Source) -> tuple[int, int]:
    """Width and height of the upright image. Raises ImageError."""
    with _opened(source) as (_, details, _):
        return details.seen


def small(source: Source, box: tuple[int, int]) -> Image.Image:
    """A copy that fits into a box of pixels: upright, sRGB, transparent parts over a checkerboard.

    It is never enlarged, and JPEG is decoded no larger than needed. Raises ImageError.
    """
    with _opened(source) as (image, details, data):
        width, height = turn_size(box, details.orientation)
        image.draft(None, (2 * width, 2 * height))
        held = coefficients(data, details.format)
        memory = estimate_small(details.format, image.width * image.height, held)
        if memory > LIMIT:
            raise too_large_error(image.size)
        with MEMORY.reserve(memory):
            copy = turn(normalize(image, details), details.orientation)
            copy.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=3.0)
            return _flat(copy)


def contact_sheet(
    images: Iterable[Source], captions: Iterable[Sequence[str]], grid: Grid
) -> tuple[Image.Image, tuple[ImageError, ...]]:
    """A sheet with each image in its cell, and one error per image that cannot be read.

    The cells of unreadable images stay empty.
    """
    page = Image.new("RGB", grid.size, PAPER)
    pen = ImageDraw.Draw(page)
    (width, height), faults = grid.cell, []
    for number, (source, words) in enumerate(zip(images, captions, strict=True)):
        left, top = grid.place(number)
        try:
            copy = small(source, grid.cell)
            page.paste(copy, (left + (width - copy.width) // 2, top + (height - copy.height) // 2))
        except ImageError as fault:
            faults.append(fault)
            pen.rectangle((left, top, left + width - 1, top + height - 1), FAINT)
        if grid.caption:
            middle = left + width / 2, top + height + grid.caption / 2
            _write(pen, middle, words, width, grid.caption)
    return page, tuple(faults)


def draw_sheet(
    images: Sequence[Source], captions: Sequence[Sequence[str]]
) -> tuple[bytes, tuple[ImageError, ...]]:
    """A contact sheet as a PNG, sized for the number of images, and the errors."""
    sizes = tuple(_size(source) for source in images)
    page, faults = contact_sheet(images, captions, sheet.grid(sizes, sheet.page(len(sizes))))
    return png(page), faults


def preview_sheet(
    images: Sequence[Source], box: tuple[int, int], gap: int, caption: int
) -> Image.Image:
    """A contact sheet that fits into a box of pixels.

    `caption` is the height of the numbers below the images; 0 for no numbers.
    """
    sizes = tuple(_size(source) for source in images)
    grid = sheet.grid(sizes, box, gap, caption)
    numbers = ((str(number),) for number in range(1, len(images) + 1))
    return contact_sheet(images, numbers, grid)[0]


def png(image: Image.Image) -> bytes:
    """Encode a PNG quickly."""
    stream = io.BytesIO()
    image.save(stream, "png", compress_level=1)
    return stream.getvalue()


def few_colors(image: Image.Image) -> Indexed:
    """The image in the 256 colors that suit it best, chosen from a sample, dithered."""
    step = max(1, int((image.width * image.height / SAMPLE) ** 0.5))
    size = math.ceil(image.width / step), math.ceil(image.height / step)
    sample = image.resize(size, Image.Resampling.NEAREST)
    palette = sample.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1)
    indexed = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    colors = tuple(zip(*[iter(indexed.getpalette() or [])] * 3, strict=True))
    return Indexed(indexed.tobytes(), indexed.size, colors)


def terminal_colors(image: Image.Image) -> bytes:
    """One byte per pixel: the nearest fixed color of a terminal with 256 colors, dithered."""
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for color in (*CUBE, *GRAYS) for part in color])
    pixels = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).tobytes()
    return pixels.translate(bytes((index + FIRST) % 256 for index in range(256)))


def _size(source: Source) -> tuple[int, int]:
    """Like `measure`, but an unreadable image counts as square; it is reported when it is drawn."""
    try:
        return measure(source)
    except ImageError:
        return 1, 1


@contextmanager
def _opened(source: Source) -> Iterator[tuple[Image.Image, ImageDetails, bytes]]:
    """Open the image in a file or in bytes; also returns its details, and the bytes to decode.

    They are without damage beside the pixels. Every failure becomes an ImageError.
    """
    name = source if isinstance(source, str) else "the image"
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        found = look(data)
        if found.image.format in FOREIGN:
            raise ImageError(f"flux cannot read {found.image.format} images")
        details = describe(found.image, found.sound)
        sound = for_decoder(found.sound, details.format)
        with opened(sound, details.format) as image:
            yield image, details, sound
    except ImageError as error:
        message = f"{name} cannot be shown: {error.message}"
        raise ImageError(message, hint=error.hint) from error
    except FAULTS as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise ImageError(f"{name} cannot be shown: {reason}") from fault


def _flat(image: Image.Image) -> Image.Image:
    """The image in sRGB, with a checkerboard behind transparent parts."""
    has_alpha = image.mode in ("LA", "RGBA")
    shown = image.convert("RGBA" if has_alpha else "RGB")
    shown = to_srgb(shown, image.info.get("icc_profile") or b"")
    if not has_alpha:
        return shown
    board = _checkerboard(image.size)
    board.paste(shown, mask=shown.getchannel("A"))
    return board


def _checkerboard(size: tuple[int, int]) -> Image.Image:
    across, down = (math.ceil(length / SQUARE) for length in size)
    board = Image.new("RGB", (across, down))
    board.putdata([CHECKS[(x + y) % 2] for y in range(down) for x in range(across)])
    board = board.resize((across * SQUARE, down * SQUARE), Image.Resampling.NEAREST)
    return board.crop((0, 0, *size))


def _write(
    pen: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    words: Sequence[str],
    width: int,
    height: int,
) -> None:
    """Write the longest caption that fits, in a smaller font if needed.

    The last caption is the shortest, and is written even if it does not fit.
    """
    font = ImageFont.load_default(max(SMALLEST, height * 0.65))
    fitting = [text for text in words if font.getlength(text) <= width]
    if not fitting:
        font = ImageFont.load_default(SMALLEST)
        fitting = [text for text in words if font.getlength(text) <= width]
    pen.text(middle, (fitting or words[-1:])[0], INK, font, anchor="mm")
