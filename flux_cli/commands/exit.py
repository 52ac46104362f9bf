"""How a command line ends: an exit code, and words for what went wrong."""

from __future__ import annotations

import sys

from flux_cli.core.errors import DiskError, FluxError, Interrupted
from flux_cli.terminal.streams import abandon, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def ended(work: Callable[[], object], arguments: Sequence[str]) -> int:
    """Do the work of one command line and return its exit code: the one place that turns failures into words."""
    try:
        code = work()
        return told(code if isinstance(code, int) else 0)
    except FluxError as fault:
        return failed(fault, arguments)
    except OSError as fault:  # what files and sockets raise has its own words; this is standard output
        abandon(sys.stdout)
        return failed(DiskError(f"cannot write to standard output: {fault.strerror}"), arguments)
    except KeyboardInterrupt:
        return failed(Interrupted("interrupted"), arguments)


def told(code: int, saved: Iterable[str] = ()) -> int:
    """The exit code of a command that has said everything; lost output fails it only where nothing else has."""
    try:
        check(saved)
    except DiskError as fault:
        if not code:
            raise
        from flux_cli.terminal import messages

        messages.error(fault)
    return code


def failed(fault: FluxError, arguments: Sequence[str]) -> int:
    """Say what went wrong, in words and in JSON where that was asked for, and return the exit code."""
    from flux_cli.runs.report import failure_document
    from flux_cli.terminal import messages, streams

    verbose = "--verbose" in arguments or "-v" in arguments
    messages.error(fault, verbose=verbose)
    if "--json" in arguments:
        streams.out_json(failure_document(fault))
    return fault.exit_code
