"""Words to the right stream: data to stdout, everything else to stderr, quiet when a pipe has closed."""

import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol, Self

from flux_cli.core.annotation import annotation, inert
from flux_cli.core.errors import FluxError
from flux_cli.core.paint import painted
from flux_cli.core.rendering import shown
from flux_cli.core.report import Report
from flux_cli.core.request import Event, Note
from flux_cli.core.secret import redact
from flux_cli.core.tally import Tally, event_line
from flux_cli.core.text import LONG, plain
from flux_cli.streams import abandon, listing, out, out_json, prepare, say, write
from flux_cli.surroundings import is_github, takes_color

__all__ = ["abandon", "err", "error", "listing", "notes", "out", "out_json", "prepare", "report_errors", "say", "shown"]

HEARTBEAT = 30.0  # seconds; some CI services end jobs that say nothing for ten minutes


def err(text: str) -> None:
    """One line for the person, with nothing in it that could act on a terminal or a CI service."""
    lines = [inert(plain(redact(line), LONG)) for line in text.split("\n")]
    if takes_color(sys.stderr):
        lines = list(map(painted, lines))
    write(sys.stderr, "\n".join(lines) + "\n")


def error(fault: FluxError, *, verbose: bool = False) -> None:
    """What happened, and what to type next; with `verbose` the chain of causes. GitHub is told, too."""
    err(f"flux: error: {_with_bill(fault)}")
    if fault.hint:
        err(f"hint: {fault.hint}")
    cause = fault.__cause__
    while verbose and cause is not None:
        err(f"  cause: {type(cause).__name__}: {cause}")
        cause = cause.__cause__
    if is_github():
        message, hint = (inert(plain(redact(text), LONG)) for text in (_with_bill(fault), fault.hint))
        write(sys.stderr, annotation(message, hint) + "\n")


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


def report_errors(report: Report, *, verbose: bool = False) -> None:
    """Every different failure once, with how many calls it hit."""
    kinds: dict[tuple[str, str], list[FluxError]] = {}
    for fault in report.errors:
        kinds.setdefault((fault.code, fault.message), []).append(fault)
    for faults in kinds.values():
        if len(faults) > 1:
            faults[0].message = f"{len(faults)} calls: {faults[0].message}"
        error(faults[0], verbose=verbose)


def _with_bill(fault: FluxError) -> str:
    request = f" (request {fault.request_id})" if fault.request_id else ""
    bill = "; it may have been billed" if fault.billed else ""
    message = fault.message.removesuffix(".") if bill else fault.message  # a sentence of somebody else's
    return f"{message}{bill}{request}"


def _note(note: Note) -> str:
    if note.used is None:
        return f"{note.parameter} {shown(note.asked)} is ignored"
    if note.asked is None or note.asked == note.used:
        return f"{note.parameter} {shown(note.used)}"
    return f"{note.parameter} {shown(note.asked)} becomes {shown(note.used)}"
