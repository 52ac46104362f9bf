"""Chooses how the progress of a run is shown: not at all, as plain lines, or updated in place."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from flux_cli.runs.progress.lines import Lines, Silence
from flux_cli.terminal import streams
from flux_cli.terminal.environment import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.core.options import Reporting
    from flux_cli.core.outcome import Event
    from flux_cli.runs.job import Listener
    from flux_cli.runs.progress.lines import Display
    from flux_cli.runs.progress.summary import Scope


def tell_both(first: Listener, second: Listener) -> Listener:
    """A listener that passes each event to two others."""

    def tell(event: Event) -> None:
        first(event)
        second(event)

    return tell


def open_display(
    scope: Scope,
    describe: str,
    style: str,
    reporting: Reporting,
    earlier: Callable[[], tuple[float, ...]] = tuple,
) -> Display:
    """The display on stderr for some requests. `style` is the setting `progress`.

    `describe` is shown if there is only one request. `earlier` reads how many seconds such requests
    took before; it is called if that is shown.
    """
    if reporting.quiet or style == "none":
        return Silence()
    scope = scope._replace(earlier=earlier())
    if style == "plain" or not is_terminal(sys.stderr):
        return Lines(scope, verbose=reporting.verbose)
    from flux_cli.runs.progress.live import Terminal

    return Terminal(
        scope,
        describe,
        paths=not sys.stdout.isatty() or reporting.as_json,
        verbose=reporting.verbose,
        gone=partial(streams.abandon, sys.stderr),
    )
