"""How a command ends: its exit code, and the message for a failure."""

from __future__ import annotations

from flux_cli.core.errors import (
    DiskError,
    FluxError,
    Interrupted,
    resource_error,
)
from flux_cli.terminal.streams import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def run_command(work: Callable[[], object], arguments: Sequence[str]) -> int:
    """Run the work of one command line and return its exit code. Failures are printed here."""
    try:
        code = work()
        return confirm_output(code if isinstance(code, int) else 0)
    except FluxError as fault:
        return report_failure(fault, arguments)
    except OSError as fault:
        return report_failure(_system_error(fault), arguments)
    except (MemoryError, ImportError, RuntimeError) as fault:
        error = resource_error(fault) or _loading_error(fault)
        if error is None:
            raise
        return report_failure(error, arguments)
    except KeyboardInterrupt:
        from flux_cli.runs.interrupts import defer

        defer()
        return report_failure(Interrupted("interrupted"), arguments)


def confirm_output(code: int, saved: Iterable[str] = ()) -> int:
    """Return `code` once everything is written to standard output.

    Lost output raises DiskError after a success and is only printed after a failure. The error
    names the paths in `saved`.
    """
    try:
        check(saved)
    except DiskError as fault:
        if not code:
            raise
        from flux_cli.terminal import messages

        messages.error(fault)
    return code


def report_failure(fault: FluxError, arguments: Sequence[str]) -> int:
    """Print a failure, also as JSON if the command line has --json, and return the exit code."""
    from flux_cli.runs.documents import failure_document
    from flux_cli.terminal import messages, streams

    verbose = "--verbose" in arguments or "-v" in arguments
    messages.error(fault, verbose=verbose)
    if "--json" in arguments:
        streams.out_json(failure_document(fault))
    return fault.exit_code


def _system_error(fault: OSError) -> FluxError:
    """The FluxError for an error of the operating system that no other code has handled."""
    reason = fault.strerror or str(fault) or type(fault).__name__
    error = FluxError(reason if fault.filename is None else f"{fault.filename}: {reason}")
    error.__cause__ = fault
    return error


def _loading_error(fault: Exception) -> FluxError | None:
    """The FluxError for a module that cannot be loaded; None for any other failure."""
    if not isinstance(fault, ImportError):
        return None
    error = FluxError(
        f"cannot load a part of flux: {fault}", hint="raise its memory limit, or install flux again"
    )
    error.__cause__ = fault
    return error
