"""Makes paths on a terminal links to their files (OSC 8), where the terminal is known to have them.

A link changes no character that people see, and no width.
Source: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.core.text import redact, variable_text
from flux_cli.terminal.emulators import is_multiplexed, name_emulator
from flux_cli.terminal.environment import is_on, is_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

LINKS_VARIABLE = "FORCE_HYPERLINK"
HAVE_LINKS = frozenset(
    {
        "alacritty",
        "contour",
        "foot",
        "ghostty",
        "hyper",
        "iterm2",
        "kitty",
        "konsole",
        "mintty",
        "rio",
        "vscode",
        "vte",
        "wezterm",
        "windows",
    }
)
FIRST_VTE = 5001  # VTE 0.50.1; 0.50.0 crashes at links


def has_links(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether to write links: on terminals that are known to have them.

    FORCE_HYPERLINK=1 says that a terminal has them, 0 that nobody wants any. It never puts links
    into a pipe: paths there are data. NO_COLOR does not count, because a link has no color.
    """
    environ = os.environ if environ is None else environ
    if not is_terminal(stream, environ):
        return False
    if variable_text(environ, LINKS_VARIABLE):
        return is_on(LINKS_VARIABLE, environ)
    if is_multiplexed(environ):
        return False  # some versions and settings pass links on, but that cannot be detected
    name = name_emulator(environ)
    return name in HAVE_LINKS and (name != "vte" or _is_newer_vte(environ))


def _is_newer_vte(environ: Mapping[str, str]) -> bool:
    version = environ.get("VTE_VERSION", "")
    return version.isascii() and version.isdigit() and int(version[:9]) >= FIRST_VTE


def address_of(path: str) -> str:
    """The URL of a file on this machine; "" if a key would be in it.

    The host tells a terminal with a connection to this machine that the file is not its own.
    Windows takes a host for a network share, so it gets none.
    """
    if redact(path) != path:
        return ""
    try:
        url = Path(path).absolute().as_uri()
    except (OSError, ValueError):  # the working folder is gone
        return ""
    host = os.uname().nodename if hasattr(os, "uname") else ""
    return url.replace("file:///", f"file://{host}/", 1)


def link(shown: str, path: str) -> str:
    """The text as a link to a file."""
    address = address_of(path)
    return f"\x1b]8;;{address}\x1b\\{shown}\x1b]8;;\x1b\\" if address else shown
