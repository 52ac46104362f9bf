"""Runs a coroutine in an event loop; a job with an HTTP client. Sketches need no network.

The loop also works on a machine that stops the process for a while, or that has no more threads.
"""

import asyncio
import contextlib
import os
import selectors
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

# Imported early: later, no file handle may be free to load it.
import flux_cli.providers.answers  # noqa: F401
from flux_cli.config.load import Settings
from flux_cli.http.client import Http
from flux_cli.http.exchange import InProcess
from flux_cli.images.threads import Threads
from flux_cli.runs.capacity import Disks, measure_capacity
from flux_cli.runs.job import Job, Listener
from flux_cli.runs.pipeline import generate
from flux_cli.runs.report import Report

Result = TypeVar("Result")

LATE = 1.0  # seconds; a wait that takes so much longer than it should means that we were stopped


class Waiting(selectors.DefaultSelector):
    """Waits for sockets and timers. `stopped` are the seconds in which the process was stopped."""

    stopped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait as every selector does, and notice if that took much longer than it should.

        The process was stopped then (Ctrl-Z, SIGSTOP, a paused container). The clock of the loop
        does not count this wait, so that what has arrived meanwhile is read before a timer ends it.
        """
        began = time.monotonic()
        ready = super().select(timeout)
        elapsed = time.monotonic() - began
        if timeout is not None and elapsed > max(timeout, 0) + LATE:
            self.stopped += elapsed
        return ready


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while the process is stopped."""

    def __init__(self) -> None:
        self._waiting = Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        """Seconds of a clock that stands still while the process is stopped."""
        return time.monotonic() - self._waiting.stopped

    async def shutdown_default_executor(self, *arguments: float | None) -> None:
        """Wait for the threads, which takes another thread."""
        with contextlib.suppress(RuntimeError):
            await super().shutdown_default_executor(*arguments)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, and return its result.

    Its time stands still while the process is stopped, and it needs no threads.
    """
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(work)


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = Loop() if os.name == "posix" else asyncio.new_event_loop()
    loop.set_default_executor(Threads())
    return loop


def run_job(job: Job, folder: Path | None, settings: Settings, listener: Listener) -> Report:
    """Carry out a job. Received images are kept in `folder`, without one in memory.

    Never raises for a failed request, and DiskError if this machine cannot carry even one.
    """
    sender = None
    if not job.hosted:
        from flux_cli.providers.offline.answer import answer

        sender = InProcess(answer)

    job, remarks = _fit(job, folder)

    async def connect_and_generate() -> Report:
        async with Http(
            timeout=settings.timeout,
            retries=settings.retries,
            folder=folder,
            most=job.concurrency,
            sender=sender,
        ) as http:
            return await generate(job, http, listener)

    report = run(connect_and_generate())
    return report._replace(remarks=(*remarks, *report.remarks))


def _fit(job: Job, folder: Path | None) -> tuple[Job, tuple[str, ...]]:
    """The job with no more requests at once than this machine can handle, and a remark on that."""
    if not job.hosted:
        return job, ()
    disks = Disks([folder, *job.output_folders] if folder else job.output_folders)
    wanted = min(job.concurrency, len(job.plan.calls))
    capacity = measure_capacity(wanted, disks)
    job = job._replace(disks=disks, concurrency=capacity.requests)
    if capacity.requests >= wanted:
        return job, ()
    count = f"{capacity.requests} of {wanted} requests"
    return job, (f"sent at most {count} at a time, because {capacity.limit}",)
