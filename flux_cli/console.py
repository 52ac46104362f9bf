"""Words to the right stream: data to stdout, everything else to stderr, quiet when a pipe has closed."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from flux_cli.core.errors import FluxError
from flux_cli.core.rendering import shown, table
from flux_cli.core.request import Event, Note, Report
from flux_cli.core.secret import redact
from flux_cli.core.text import plain
from flux_cli.streams import abandon, out, out_json, prepare, write

__all__ = ["abandon", "err", "error", "notes", "out", "out_json", "prepare", "report_errors", "shown", "table"]

LONG = 4000  # characters of a message; a hint may hold an address that must not be cut


def err(text: str) -> None:
    """One line for the person, with nothing in it that could act on a terminal."""
    write(sys.stderr, "\n".join(plain(redact(line), LONG) for line in text.split("\n")) + "\n")


def error(fault: FluxError, *, verbose: bool = False) -> None:
    """What happened, and what to type next; with `verbose`, the chain of causes."""
    err(f"flux: error: {_with_bill(fault)}")
    if fault.hint:
        err(f"hint: {fault.hint}")
    cause = fault.__cause__
    while verbose and cause is not None:
        err(f"  cause: {type(cause).__name__}: {cause}")
        cause = cause.__cause__


def notes(all_notes: Iterable[Note]) -> None:
    """The decisions a person should hear of unasked."""
    for note in all_notes:
        if note.warning:
            err(f"flux: note: {_note(note)}: {note.reason}")


class Display(Protocol):
    """Whoever shows the progress of a run, for as long as it is open."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __call__(self, event: Event) -> None: ...


class Lines:
    """Progress without a terminal: one plain line for what a log should keep, and nothing that moves."""

    def __init__(self, total: int) -> None:
        self._total = total

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        place = f"[{event.number}/{self._total}] " if self._total > 1 else ""
        if event.kind == "waiting":
            err(f"flux: {place}waiting {event.seconds:.1f} s: {event.detail}")
        elif event.kind == "saved":
            path = "to standard output" if event.path == "-" else event.path
            err(f"flux: {place}saved {path} ({event.detail}) after {event.seconds:.1f} s")
        elif event.kind == "skipped":
            err(f"flux: {place}kept {event.path}: {event.detail}")
        elif event.kind == "failed" and self._total > 1:
            err(f"flux: {place}failed: {event.detail}")


class Silence:
    """Progress for `--quiet`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Say nothing."""


def report_errors(report: Report, *, verbose: bool = False) -> None:
    """Every different failure once, with how many calls it hit, and the sum of a run that was not whole."""
    kinds: dict[tuple[str, str], list[FluxError]] = {}
    for fault in report.errors:
        kinds.setdefault((fault.code, fault.message), []).append(fault)
    for faults in kinds.values():
        if len(faults) > 1:
            faults[0].message = f"{len(faults)} calls: {faults[0].message}"
        error(faults[0], verbose=verbose)
    total = len(report.outcomes)
    if report.errors and total > 1:
        failed = len(report.errors)
        err(f"flux: {len(report.saved)} saved, {failed} of {total} calls failed")


def _with_bill(fault: FluxError) -> str:
    request = f" (request {fault.request_id})" if fault.request_id else ""
    bill = "; it may have been billed" if fault.billed else ""
    return f"{fault.message}{bill}{request}"


def _note(note: Note) -> str:
    if note.used is None:
        return f"{note.parameter} {shown(note.asked)} is ignored"
    if note.asked is None or note.asked == note.used:
        return f"{note.parameter} {shown(note.used)}"
    return f"{note.parameter} {shown(note.asked)} becomes {shown(note.used)}"
