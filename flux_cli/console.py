"""Words to the right stream: data to stdout, everything else to stderr, quiet when a pipe has closed."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO

from flux_cli.core.annotation import annotation, inert, inert_json
from flux_cli.core.errors import DiskError, FluxError
from flux_cli.core.model import Json
from flux_cli.core.request import Event, Note, Report
from flux_cli.core.secret import redact
from flux_cli.core.tally import Tally, event_line
from flux_cli.core.text import LONG, plain

HEARTBEAT = 30.0  # seconds; some CI services end jobs that say nothing for ten minutes


def prepare() -> None:
    """Let both streams carry any file name, whatever the terminal's encoding can show."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def out(text: str) -> None:
    """One line or block of data. A reader that has gone has read enough: that is no error."""
    _write(sys.stdout, text + "\n")


def out_json(document: Mapping[str, Json] | Sequence[Json]) -> None:
    """One JSON document, readable for people too; half characters of odd file names become question marks."""
    text = redact(json.dumps(document, indent=2, ensure_ascii=False))
    out(inert_json(text).encode("utf-8", "replace").decode())


def err(text: str) -> None:
    """One line for the person, with nothing in it that could act on a terminal or a CI service."""
    _write(sys.stderr, "\n".join(inert(plain(redact(line), LONG)) for line in text.split("\n")) + "\n")


def error(fault: FluxError, *, verbose: bool = False, annotate: bool = False) -> None:
    """What happened, and what to type next; with `verbose` the chain of causes; `annotate` says it to GitHub, too."""
    err(f"flux: error: {_with_bill(fault)}")
    if fault.hint:
        err(f"hint: {fault.hint}")
    cause = fault.__cause__
    while verbose and cause is not None:
        err(f"  cause: {type(cause).__name__}: {cause}")
        cause = cause.__cause__
    if annotate:
        message, hint = (inert(plain(redact(text), LONG)) for text in (_with_bill(fault), fault.hint))
        _write(sys.stderr, annotation(message, hint) + "\n")


def notes(all_notes: Iterable[Note]) -> None:
    """The decisions a person should hear of unasked."""
    for note in all_notes:
        if note.warning:
            err(f"flux: note: {_note(note)}: {note.reason}")


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns two blanks apart, the first row as heading; `right` names columns of numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def shown(value: Json) -> str:
    """A value in a table: text as it is, nothing as a dash, the rest as JSON."""
    if value is None:
        return "-"
    return plain(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Display(Protocol):
    """Whoever shows the progress of a run, for as long as it is open."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __call__(self, event: Event) -> None: ...


class Lines:
    """Progress without a terminal: a plain line for what a log should keep, and a heartbeat every so many seconds."""

    def __init__(
        self,
        total: int,
        *,
        verbose: bool = False,
        every: float = HEARTBEAT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import threading  # lookups show no progress

        self._verbose, self._every, self._clock = verbose, every, clock
        self._tally = Tally(total, clock())
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._heart.join()

    def __call__(self, event: Event) -> None:
        self._tally.take(event, self._clock())
        line = event_line(event, several=self._tally.total > 1, verbose=self._verbose)
        if line:
            total = self._tally.total
            place = f"[{event.number}/{total}] " if total > 1 else ""
            err(f"flux: {place}{line}")

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            err(f"flux: {self._tally.sentence(self._clock())}")


class Silence:
    """Progress for `--quiet`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Say nothing."""


def report_errors(report: Report, *, verbose: bool = False, annotate: bool = False) -> None:
    """Every different failure once, with how many calls it hit, and the sum of a run that was not whole."""
    kinds: dict[tuple[str, str], list[FluxError]] = {}
    for fault in report.errors:
        kinds.setdefault((fault.code, fault.message), []).append(fault)
    for faults in kinds.values():
        if len(faults) > 1:
            faults[0].message = f"{len(faults)} calls: {faults[0].message}"
        error(faults[0], verbose=verbose, annotate=annotate)
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


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed by the caller, as with `>&-`
        return
    try:
        stream.write(text)
        stream.flush()
    except (BrokenPipeError, ValueError):
        abandon(stream)
    except OSError as fault:
        abandon(stream)
        if stream is sys.stdout:
            raise DiskError(f"cannot write to standard output: {fault.strerror}") from fault


def abandon(stream: TextIO) -> None:
    """Send what is still to come nowhere, so that the interpreter does not complain at its end."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return
