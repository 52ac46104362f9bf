"""Names the program that draws the terminal, from the environment."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# TERM travels through ssh, and multiplexers replace it.
_BY_TERM = (
    ("xterm-kitty", "kitty"),
    ("xterm-ghostty", "ghostty"),
    ("wezterm", "wezterm"),
    ("rio", "rio"),
    ("foot", "foot"),
    ("alacritty", "alacritty"),
    ("mlterm", "mlterm"),
    ("contour", "contour"),
    ("yaft", "yaft"),
)
_BY_PROGRAM = {
    "iTerm.app": "iterm2",
    "WezTerm": "wezterm",
    "mintty": "mintty",
    "rio": "rio",
    "ghostty": "ghostty",
    "WarpTerminal": "warp",
    "vscode": "vscode",
    "Hyper": "hyper",
    "Apple_Terminal": "apple",
}
# Weaker signs: a terminal inherits these from the one it was started in.
_BY_SIGN = (
    ("XTERM_VERSION", "xterm"),
    ("VTE_VERSION", "vte"),
    ("KITTY_WINDOW_ID", "kitty"),
    ("WEZTERM_PANE", "wezterm"),
    ("KONSOLE_VERSION", "konsole"),
    ("WT_SESSION", "windows"),
)


def name_emulator(environ: Mapping[str, str]) -> str:
    """A name for the terminal that the variables describe; "" if it is not a known one."""
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    for beginning, name in _BY_TERM:
        if term == beginning or term.startswith(f"{beginning}-"):
            return name
    if environ.get("LC_TERMINAL") == "iTerm2":  # iTerm2 sets it, and it travels through ssh
        return "iterm2"
    if program:
        return _BY_PROGRAM.get(program, "")
    return next((name for sign, name in _BY_SIGN if environ.get(sign)), "")


def is_multiplexed(environ: Mapping[str, str]) -> bool:
    """Whether tmux, screen or zellij runs between flux and the terminal, here or before ssh."""
    inside = any(environ.get(name) for name in ("TMUX", "STY", "ZELLIJ"))
    return inside or environ.get("TERM", "").startswith(("tmux", "screen"))
