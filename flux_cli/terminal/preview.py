"""Shows images in the terminal: decides whether, chooses the protocol and size, and writes them."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from flux_cli.core.errors import ImageError
from flux_cli.terminal import capabilities, messages
from flux_cli.terminal.capabilities import ImageProtocol, Window
from flux_cli.terminal.environment import is_terminal

if TYPE_CHECKING:
    from flux_cli.images.pixels.thumbnails import Small, Source

MIN_CELLS = (14, 5)  # columns and rows that an image needs to be recognizable among several
MAX_PIXELS = (1600, 1000)  # more would be a megabyte of text, which takes seconds over ssh
MAX_SIXEL_PIXELS = (1000, 800)


def wants_preview(
    option: bool | None,  # noqa: FBT001 - it has three values
    stream: TextIO,
    *,
    silent: bool,
    environ: Mapping[str, str] | None = None,
) -> bool:
    """Whether to show images on a stream.

    `option` is --preview; None means: only on a terminal with colors that shows real images, or if
    FLUX_PREVIEW names half blocks. `silent` means that the user requested only data. Raises
    ConfigError if FLUX_PREVIEW is invalid, so call it before anything is paid for.
    """
    environ = os.environ if environ is None else environ
    if option is False or stream.closed or not stream.isatty():
        return False
    if not option and (silent or environ.get("NO_COLOR") or not is_terminal(stream, environ)):
        return False
    protocol = capabilities.choose_protocol(environ)
    return protocol is not None and (bool(option) or capabilities.is_automatic(protocol, environ))


def show_preview(images: Sequence[Source], *, is_on: bool, option: bool | None) -> None:
    """Show images (paths or bytes) on stderr if `is_on`.

    `option` is --preview: if the user gave it, a missing preview is explained. A failure is only a
    note, because the result is complete without it.
    """
    shown = 0
    if is_on and images:
        try:
            shown = write_preview(images, sys.stderr)
        except ImageError as fault:
            messages.err(f"flux: note: no preview: {fault.message}")
            return
    if option and images and not shown:
        messages.err(f"flux: note: no preview: {_why_not()}")
    elif 0 < shown < len(images):
        messages.err(f"flux: note: the preview shows the first {shown} of {len(images)}")


def _why_not() -> str:
    """Why stderr shows no images."""
    if sys.stderr.closed or not sys.stderr.isatty():
        return "stderr is not a terminal"
    protocols = ", ".join(capabilities.PROTOCOLS)
    hint = f"set {capabilities.PREVIEW_VARIABLE} to one of {protocols}"
    return f"this is not a terminal known to show images; {hint}"


def write_preview(
    images: Sequence[Source],
    stream: TextIO,
    environ: Mapping[str, str] | None = None,
    columns: int | None = None,
    rows: int | None = None,
) -> int:
    """Write images (paths or bytes) to a terminal: one alone, several as a contact sheet.

    Returns how many are shown: fewer if there is no room for all, 0 if this terminal shows none.
    Raises ImageError if the only image cannot be read, ConfigError if FLUX_PREVIEW is invalid.
    """
    environ = os.environ if environ is None else environ
    protocol = capabilities.choose_protocol(environ)
    if protocol is None or not images:
        return 0
    if protocol not in capabilities.PIXEL_PROTOCOLS and not _can_encode_blocks(stream):
        return 0
    window = capabilities.usable_area(_window(stream, columns, rows))
    room = (window.columns // MIN_CELLS[0]) * (window.rows // MIN_CELLS[1])
    shown = images[: max(1, room)]
    _write(stream, _encode(shown, protocol, window))
    return len(shown)


def _encode(images: Sequence[Source], protocol: ImageProtocol, window: Window) -> str:
    from flux_cli.images.pixels import thumbnails
    from flux_cli.terminal import graphics

    image = _draw(images, protocol, window)
    has_blocks = protocol not in capabilities.PIXEL_PROTOCOLS
    columns, rows = capabilities.size_in_cells(image.size, window, half_blocks=has_blocks)
    if protocol == "kitty":
        return graphics.kitty(thumbnails.png(image), columns)
    if protocol == "iterm":
        return graphics.iterm(thumbnails.png(image), columns, rows)
    if protocol == "sixel":
        few = thumbnails.few_colors(image)
        return graphics.sixel(few.pixels, few.size[0], few.palette)
    image = image.resize((columns, 2 * rows))
    if protocol == "256":
        return graphics.half_blocks(thumbnails.terminal_colors(image), columns, numbered=True)
    return graphics.half_blocks(image.tobytes(), columns)


def _draw(images: Sequence[Source], protocol: ImageProtocol, window: Window) -> Small:
    """One image, or several on a sheet, in the pixels of the window or at most MAX_PIXELS."""
    from flux_cli.images.pixels import thumbnails

    cell_width, cell_height = window.cell
    most = MAX_SIXEL_PIXELS if protocol == "sixel" else MAX_PIXELS
    box = (min(window.columns * cell_width, most[0]), min(window.rows * cell_height, most[1]))
    if len(images) == 1:
        return thumbnails.small(images[0], box)
    caption = cell_height if protocol in capabilities.PIXEL_PROTOCOLS else 0
    return thumbnails.preview_sheet(images, box, gap=cell_width, caption=caption)


def _can_encode_blocks(stream: TextIO) -> bool:
    try:
        "\u2580".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _window(stream: TextIO, columns: int | None, rows: int | None) -> Window:
    """The size of the window: as the operating system knows it, else the usual 80 x 24."""
    try:
        import fcntl
        import termios

        answer = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8))
        known_rows, known_columns, width, height = struct.unpack("HHHH", answer)
    except (ImportError, OSError, ValueError):  # Windows, or not a terminal
        known_rows = known_columns = width = height = 0
    columns, rows = columns or known_columns or 80, rows or known_rows or 24
    if known_columns and known_rows and width >= known_columns and height >= known_rows:
        return Window(columns, rows, (width // known_columns, height // known_rows))
    return Window(columns, rows)


def _write(stream: TextIO, text: str) -> None:
    """Write an image. An interrupted image is ended: it would swallow the text that follows."""
    from flux_cli.terminal import graphics

    try:
        stream.write(text + "\n")
        stream.flush()
    except BaseException as fault:
        with contextlib.suppress(OSError):
            stream.write(graphics.END + "\n")
        if not isinstance(fault, OSError):  # an OSError means that the terminal is gone
            raise
