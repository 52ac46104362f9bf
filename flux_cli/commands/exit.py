"""How a command line ends: an exit code, and words for what went wrong."""

from __future__ import annotations

from flux_cli.core.errors import DiskError, FluxError, Interrupted
from flux_cli.terminal.streams import check

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
    except OSError as fault:
        return failed(_system_error(fault), arguments)
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


def _system_error(fault: OSError) -> FluxError:
    """An error of the operating system that no other code has explained, with the file it is about."""
    reason = fault.strerror or str(fault) or type(fault).__name__
    error = FluxError(reason if fault.filename is None else f"{fault.filename}: {reason}")
    error.__cause__ = fault
    return error
