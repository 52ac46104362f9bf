"""Progress as plain lines, for logs and CI: one line per step, and a heartbeat."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from flux_cli.core.errors import FluxError
from flux_cli.core.outcome import Event
from flux_cli.runs.progress.summary import Progress, Scope, event_line
from flux_cli.runs.report import Report
from flux_cli.terminal.messages import err, error

HEARTBEAT = 30.0  # seconds; some CI services end jobs that print nothing for ten minutes


class Display(Protocol):
    """Shows the progress of a run while it is open."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __call__(self, event: Event) -> None: ...


class Lines:
    """Progress without a terminal: a line per step, and a heartbeat `every` so many seconds."""

    def __init__(
        self,
        scope: Scope,
        *,
        verbose: bool = False,
        every: float = HEARTBEAT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import threading  # not needed where nothing shows progress

        self._verbose, self._every, self._clock = verbose, every, clock
        self._progress = Progress(scope, clock())
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        with contextlib.suppress(RuntimeError):  # no thread can be started: there is no heartbeat
            self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._heart.ident is not None:
            self._heart.join()

    def __call__(self, event: Event) -> None:
        self._progress.update(event, self._clock())
        line = event_line(event, several=self._progress.total > 1, verbose=self._verbose)
        if line:
            total = self._progress.total
            place = f"[{event.number}/{total}] " if total > 1 else ""
            err(f"flux: {place}{line}")

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            err(f"flux: {self._progress.sentence(self._clock())}")


class Silence:
    """Progress for `--quiet`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Print nothing."""


def report_errors(report: Report, *, verbose: bool = False) -> None:
    """Print each distinct failure once, with the number of requests that had it."""
    kinds: dict[tuple[str, str], list[FluxError]] = {}
    for fault in report.errors:
        kinds.setdefault((fault.code, fault.message), []).append(fault)
    models: dict[tuple[str, str], dict[str, None]] = {}
    if report.parts:
        from flux_cli.runs.combined.notes import models_of_failures

        models = models_of_failures(report)
    for kind, faults in kinds.items():
        if len(faults) > 1:
            faults[0].message = f"{len(faults)} requests: {faults[0].message}"
        if kind in models:
            faults[0].message = f"{', '.join(models[kind])}: {faults[0].message}"
        error(faults[0], verbose=verbose)
