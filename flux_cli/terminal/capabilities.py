"""Detects from the environment how a terminal can show images, and computes how large they may be.

The terminal itself is not queried: without an answer, flux would hang, and a late answer would
appear as typed text in the shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from flux_cli.core.errors import ConfigError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import variable_text
from flux_cli.terminal.emulators import is_multiplexed, name_emulator

ImageProtocol = Literal["kitty", "iterm", "sixel", "truecolor", "256"]
PROTOCOLS: tuple[ImageProtocol, ...] = get_args(ImageProtocol)
PIXEL_PROTOCOLS = PROTOCOLS[:3]  # the others draw two pixels per cell, with half blocks
# In multiplexers, these are swallowed, or drawn where the text has scrolled away.
NOT_IN_MULTIPLEXERS = ("kitty", "iterm")
PREVIEW_VARIABLE = "FLUX_PREVIEW"

# By the name of the terminal. VS Code, Windows Terminal and xterm can show more, but only in some
# versions or settings.
_BEST: Mapping[str, ImageProtocol] = {
    "kitty": "kitty",
    "ghostty": "kitty",
    "warp": "kitty",
    "iterm2": "iterm",
    "wezterm": "iterm",
    "mintty": "iterm",
    "rio": "iterm",
    "foot": "sixel",
    "mlterm": "sixel",
    "contour": "sixel",
    "yaft": "sixel",
    "vscode": "truecolor",
    "hyper": "truecolor",
    "vte": "truecolor",
    "konsole": "truecolor",
    "windows": "truecolor",
    "alacritty": "truecolor",
    "apple": "256",
    "xterm": "256",
}
RESERVED_ROWS = 4  # for the path, the notes and the prompt below an image
FULL_ROWS = 20  # images may fill a window up to this height, and half of a taller one
DEFAULT_CELL = (10, 20)  # pixels; what sixel terminals report, and the shape of most fonts


class Window(NamedTuple):
    """The size of a terminal window in cells, and of one cell in pixels."""

    columns: int
    rows: int
    cell: tuple[int, int] = DEFAULT_CELL


def choose_protocol(environ: Mapping[str, str]) -> ImageProtocol | None:
    """The best protocol that certainly works on this terminal, or None.

    FLUX_PREVIEW overrides it. Raises ConfigError if FLUX_PREVIEW is invalid.
    """
    asked = variable_text(environ, PREVIEW_VARIABLE).lower()
    if asked == "off":
        return None
    colors, has_multiplexer = _color_depth(environ), is_multiplexed(environ)
    if asked:
        found = _parse_protocol(asked)
        return colors if has_multiplexer and found in NOT_IN_MULTIPLEXERS else found
    if has_multiplexer:
        return colors  # it may pass on more than this, but that cannot be detected
    known = _BEST.get(name_emulator(environ))
    if known in PIXEL_PROTOCOLS:
        return known
    return "truecolor" if "truecolor" in (known, colors) else known or colors


def is_automatic(protocol: ImageProtocol | None, environ: Mapping[str, str]) -> bool:
    """Whether to show images by this protocol although nobody asked for them.

    Half blocks show little of an image, so they are only for people who name them.
    """
    asked = variable_text(environ, PREVIEW_VARIABLE).lower()
    return protocol is not None and (protocol in PIXEL_PROTOCOLS or protocol == asked)


def _parse_protocol(text: str) -> ImageProtocol:
    for name in PROTOCOLS:
        if text == name:
            return name
    hint = did_you_mean(text, PROTOCOLS) or f"use one of {', '.join(PROTOCOLS)}, off"
    raise ConfigError(f"invalid {PREVIEW_VARIABLE} {text!r}", hint=hint)


def _color_depth(environ: Mapping[str, str]) -> ImageProtocol | None:
    """The half-block protocol for the colors of this terminal; None if it has too few."""
    term = environ.get("TERM", "")
    if term == "dumb":
        return None
    if environ.get("COLORTERM") in ("truecolor", "24bit") or term.endswith("-direct"):
        return "truecolor"
    return "256" if "256" in term else None


def usable_area(window: Window) -> Window:
    """The part of a window that an image may fill, so that earlier output stays visible."""
    rows = min(window.rows - RESERVED_ROWS, max(FULL_ROWS, window.rows // 2))
    return Window(max(1, window.columns - 1), max(1, rows), window.cell)


def size_in_cells(size: tuple[int, int], window: Window, *, half_blocks: bool) -> tuple[int, int]:
    """Columns and rows for an image of `size` pixels: as large as possible, but never enlarged."""
    (width, height), (cell_width, cell_height) = size, window.cell
    to_width = window.columns * cell_width / width
    to_height = window.rows * cell_height / height
    largest = cell_width if half_blocks else 1  # a half block shows one pixel per column
    scale = min(to_width, to_height, largest)
    return max(1, round(width * scale / cell_width)), max(1, round(height * scale / cell_height))
