"""Detects where flux runs: on a terminal, in CI, with or without colors."""

from __future__ import annotations

import os

from flux_cli.core.text import variable_text
from flux_cli.core.values import TRUTHS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


def is_on(name: str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a variable is set to anything but `0`, `false`, `no`, `off` or an empty text."""
    value = variable_text(os.environ if environ is None else environ, name).lower()
    return TRUTHS.get(value, bool(value))


def is_terminal(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether this stream is a terminal that can move its cursor, with a person in front of it."""
    environ = os.environ if environ is None else environ
    if environ.get("TERM") in ("dumb", "unknown") or is_on("CI", environ):
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def is_github(environ: Mapping[str, str] | None = None) -> bool:
    """Whether flux runs in a GitHub workflow, whose log shows annotations."""
    return is_on("GITHUB_ACTIONS", environ)


def uses_color(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether to write colors: on terminals, everywhere with FORCE_COLOR, never with NO_COLOR.

    NO_COLOR=0 counts as set, as no-color.org says. Old Windows consoles, which set neither TERM nor
    WT_SESSION, would show color codes as text.
    """
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if is_on("FORCE_COLOR", environ):
        return True
    return is_terminal(stream, environ) and bool(environ.get("TERM") or environ.get("WT_SESSION"))
