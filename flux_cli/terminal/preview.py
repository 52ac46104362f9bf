"""Images shown in the terminal: their room, their way, the writing. Pixels are `thumbnails`' work."""

import contextlib
import os
import struct
from collections.abc import Mapping, Sequence
from typing import TextIO

from flux_cli.images.pixels import thumbnails
from flux_cli.terminal import capabilities, graphics
from flux_cli.terminal.capabilities import Way, Window

LEAST = (14, 5)  # columns and rows that an image among several must have to be told from the others
PIXELS, SIXEL_PIXELS = (1600, 1000), (1000, 800)  # a megabyte of text and more takes terminals and ssh seconds


def preview(
    images: Sequence[thumbnails.Source],
    stream: TextIO,
    environ: Mapping[str, str] | None = None,
    columns: int | None = None,
    rows: int | None = None,
) -> int:
    """Show images, paths or bytes, on a stream that is a terminal: one alone, several as a contact sheet.

    Returns how many are shown, the first ones if there is no room for all; 0 where this terminal shows none.
    Raises ImageError where the only one cannot be read, and ConfigError for a wrong FLUX_PREVIEW.
    """
    environ = os.environ if environ is None else environ
    way = capabilities.way(environ)
    if way is None or not images or (way not in capabilities.IMAGES and not _writes_blocks(stream)):
        return 0
    window = capabilities.room(_window(stream, columns, rows))
    shown = images[: max(1, (window.columns // LEAST[0]) * (window.rows // LEAST[1]))]
    _write(stream, _encoded(shown, way, window))
    return len(shown)


def _encoded(images: Sequence[thumbnails.Source], way: Way, window: Window) -> str:
    image = _image(images, way, window)
    columns, rows = capabilities.fit(image.size, window, blocks=way not in capabilities.IMAGES)
    if way == "kitty":
        return graphics.kitty(thumbnails.png(image), columns)
    if way == "iterm":
        return graphics.iterm(thumbnails.png(image), columns, rows)
    if way == "sixel":
        few = thumbnails.few_colors(image)
        return graphics.sixel(few.pixels, few.size[0], few.palette)
    image = image.resize((columns, 2 * rows))
    if way == "256":
        return graphics.half_blocks(thumbnails.terminal_colors(image), columns, numbered=True)
    return graphics.half_blocks(image.tobytes(), columns)


def _image(images: Sequence[thumbnails.Source], way: Way, window: Window) -> thumbnails.Small:
    """The one image, or all of them on a sheet, in as many pixels as the window has, within reason."""
    across, down = window.cell
    most = SIXEL_PIXELS if way == "sixel" else PIXELS
    box = (min(window.columns * across, most[0]), min(window.rows * down, most[1]))
    if len(images) == 1:
        return thumbnails.small(images[0], box)
    return thumbnails.preview_sheet(images, box, gap=across, caption=down if way in capabilities.IMAGES else 0)


def _writes_blocks(stream: TextIO) -> bool:
    try:
        "\u2580".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _window(stream: TextIO, columns: int | None, rows: int | None) -> Window:
    """The window's size as the system knows it, without a word to the terminal; what it does not know is usual."""
    try:
        import fcntl
        import termios

        answer = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8))
        down, across, width, height = struct.unpack("HHHH", answer)
    except (ImportError, OSError, ValueError):  # not this system, or no terminal
        down = across = width = height = 0
    columns, rows = columns or across or 80, rows or down or 24
    if across and down and width >= across and height >= down:
        return Window(columns, rows, (width // across, height // down))
    return Window(columns, rows)


def _write(stream: TextIO, text: str) -> None:
    """An image and a line's end. An interrupted one is closed, or the terminal would swallow what follows."""
    try:
        stream.write(text + "\n")
        stream.flush()
    except BaseException as fault:
        with contextlib.suppress(OSError):
            stream.write(graphics.END + "\n")
        if not isinstance(fault, OSError):  # those say that the terminal has gone, and nobody is left to be told
            raise
