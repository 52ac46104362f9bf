"""What a terminal can show, told from its environment alone, and how much room an image gets on it.

Nothing is asked of the terminal: an answer that never comes would hang, and one that comes late would be typed text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from flux_cli.core.errors import ConfigError, did_you_mean
from flux_cli.core.lite import NamedTuple

Way = Literal["kitty", "iterm", "sixel", "truecolor", "256"]
WAYS: tuple[Way, ...] = get_args(Way)
IMAGES = WAYS[:3]  # the others draw two pixels a cell, with half-blocks
UNPASSED = ("kitty", "iterm")  # multiplexers swallow these, or hand them on to a place that has scrolled away
VARIABLE = "FLUX_PREVIEW"

# Names a terminal gives itself; ssh hands TERM on, and multiplexers replace it.
_BY_TERM: tuple[tuple[str, Way], ...] = (
    ("xterm-kitty", "kitty"),
    ("xterm-ghostty", "kitty"),
    ("wezterm", "iterm"),
    ("rio", "iterm"),
    ("foot", "sixel"),
    ("mlterm", "sixel"),
    ("contour", "sixel"),
    ("yaft", "sixel"),
)
# VS Code, Windows Terminal and xterm can show more than colors, but only some versions or settings of them do.
_BY_PROGRAM: Mapping[str, Way] = {
    "iTerm.app": "iterm",
    "WezTerm": "iterm",
    "mintty": "iterm",
    "rio": "iterm",
    "ghostty": "kitty",
    "WarpTerminal": "kitty",
    "vscode": "truecolor",
    "Hyper": "truecolor",
    "Apple_Terminal": "256",
}
# Weaker signs: a terminal that was started from another one inherits these.
_BY_SIGN: tuple[tuple[str, Way], ...] = (
    ("XTERM_VERSION", "256"),
    ("VTE_VERSION", "truecolor"),
    ("KITTY_WINDOW_ID", "kitty"),
    ("WEZTERM_PANE", "iterm"),
    ("KONSOLE_VERSION", "truecolor"),
    ("WT_SESSION", "truecolor"),
)
ROOM_KEPT = 4  # rows for the path, the notes and the prompt below an image
ROWS_ENOUGH = 20  # a taller terminal gives an image half of its rows


class Window(NamedTuple):
    """A terminal's window in cells, and one cell in pixels."""

    columns: int
    rows: int
    cell: tuple[int, int] = (10, 20)  # what sixel terminals pretend to have; the shape of most fonts


def way(environ: Mapping[str, str]) -> Way | None:
    """The best way to show an image; where signs are unclear, the one that surely works; None: there is none.

    FLUX_PREVIEW names one outright. Raises ConfigError where it names none.
    """
    asked = environ.get(VARIABLE, "").strip().lower()
    if asked == "off":
        return None
    colors, hidden = _colors(environ), _is_multiplexed(environ)
    if asked:
        found = _named(asked)
        return colors if hidden and found in UNPASSED else found
    if hidden:
        return colors  # it may hand on more, but does not say so
    known = _known(environ)
    if known in IMAGES:
        return known
    return "truecolor" if "truecolor" in (known, colors) else known or colors


def _named(text: str) -> Way:
    for name in WAYS:
        if text == name:
            return name
    hint = did_you_mean(text, WAYS) or f"one of {', '.join(WAYS)}, off"
    raise ConfigError(f"{VARIABLE} {text!r} is no way to show an image", hint=hint)


def _is_multiplexed(environ: Mapping[str, str]) -> bool:
    """Whether tmux, screen or zellij stand between flux and the terminal, be it on the other side of ssh."""
    inside = any(environ.get(name) for name in ("TMUX", "STY", "ZELLIJ"))
    return inside or environ.get("TERM", "").startswith(("tmux", "screen"))


def _known(environ: Mapping[str, str]) -> Way | None:
    """What the terminal that these variables name can do; None where they name none that is known."""
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    for name, found in _BY_TERM:
        if term == name or term.startswith(f"{name}-"):
            return found
    if environ.get("LC_TERMINAL") == "iTerm2":  # what iTerm2 hands on through ssh
        return "iterm"
    if program:
        return _BY_PROGRAM.get(program)
    return next((found for sign, found in _BY_SIGN if environ.get(sign)), None)


def _colors(environ: Mapping[str, str]) -> Way | None:
    term = environ.get("TERM", "")
    if term == "dumb":
        return None
    if environ.get("COLORTERM") in ("truecolor", "24bit") or term.endswith("-direct"):
        return "truecolor"
    return "256" if "256" in term else None


def room(window: Window) -> Window:
    """The part of a window that an image may fill, so that what was said before it stays in sight."""
    rows = min(window.rows - ROOM_KEPT, max(ROWS_ENOUGH, window.rows // 2))
    return Window(max(1, window.columns - 1), max(1, rows), window.cell)


def fit(size: tuple[int, int], window: Window, *, blocks: bool) -> tuple[int, int]:
    """Columns and rows of an image of `size` pixels: as large as the window allows, never beyond its own pixels."""
    (width, height), (across, down) = size, window.cell
    least = across if blocks else 1  # a half-block is one pixel across, however many the font has
    scale = min(window.columns * across / width, window.rows * down / height, least)
    return max(1, round(width * scale / across)), max(1, round(height * scale / down))
