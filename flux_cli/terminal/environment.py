"""Where a run takes place: a person at a terminal, a CI service, and whether colors are welcome there."""

from __future__ import annotations

import os

from flux_cli.core.values import TRUTHS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


def is_on(name: str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a variable that others set says yes: any word but those that say no. Empty is unset."""
    said = (os.environ if environ is None else environ).get(name, "").strip().lower()
    return TRUTHS.get(said, bool(said))


def is_terminal(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a person watches this stream on a terminal that can move its cursor."""
    environ = os.environ if environ is None else environ
    try:
        return stream.isatty() and environ.get("TERM") not in ("dumb", "unknown") and not is_on("CI", environ)
    except ValueError:  # closed
        return False


def is_github(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this is a step of a GitHub workflow, whose log shows annotations."""
    return is_on("GITHUB_ACTIONS", environ)


def takes_color(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether words on this stream are colored: on a terminal, and anywhere with FORCE_COLOR; nowhere with NO_COLOR.

    As no-color.org has it, NO_COLOR=0 is set, too. An old Windows console, which names no kind, shows codes as text.
    """
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if is_on("FORCE_COLOR", environ):
        return True
    return is_terminal(stream, environ) and bool(environ.get("TERM") or environ.get("WT_SESSION"))
