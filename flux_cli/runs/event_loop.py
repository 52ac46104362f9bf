"""Runs a coroutine in an event loop; a job with an HTTP client. Sketches need no network.

The loop also works on a machine that stops the process for a while, or that has no more threads.
"""

import asyncio
import contextlib
import math
import os
import selectors
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

# Imported early: later, no file handle may be free to load it.
import flux_cli.providers.answers  # noqa: F401
from flux_cli.config.load import Settings
from flux_cli.http.client import Http
from flux_cli.http.exchange import Sender
from flux_cli.http.in_process import InProcess
from flux_cli.images.threads import Threads
from flux_cli.runs.capacity import Disks, measure_capacity
from flux_cli.runs.job import Job, Listener
from flux_cli.runs.pipeline import carry_out, generate
from flux_cli.runs.report import RunResult

Value = TypeVar("Value")
Work = Callable[[Job, Http, Listener], Awaitable[RunResult]]

LATE = 0.1  # seconds without work; after so many, something must have stopped the process


class Clock:
    """Counts the seconds in which this process runs or waits, but not those in which it is stopped.

    Ctrl-Z, SIGSTOP, a paused container, and a disk that does not answer stop it. What has arrived
    meanwhile must be read before a timer ends it.
    """

    def __init__(self) -> None:
        self._stopped = 0.0
        self._seen = time.monotonic()
        self._worked = time.thread_time()

    def read(self, wait: float = 0.0) -> float:
        """Seconds. Since it was last read, this thread has waited for no more than `wait`."""
        now, worked = time.monotonic(), time.thread_time()
        idle = (now - self._seen) - (worked - self._worked)
        late = idle - wait
        if late > LATE:  # as much time again is left to read what has arrived
            self._stopped += min(idle, 2 * late)
        self._seen, self._worked = now, worked
        return now - self._stopped


class Waiting(selectors.DefaultSelector):
    """Waits for sockets and timers, and tells a clock for how long."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait as every selector does."""
        self._clock.read()
        ready = super().select(timeout)
        self._clock.read(math.inf if timeout is None else max(timeout, 0.0))
        return ready


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while the process is stopped."""

    def __init__(self) -> None:
        self._running_time = Clock()
        super().__init__(Waiting(self._running_time))

    def time(self) -> float:
        """Seconds of a clock that stands still while the process is stopped."""
        return self._running_time.read()

    async def shutdown_default_executor(self, *arguments: float | None) -> None:
        """Wait for the threads, which takes another thread."""
        with contextlib.suppress(RuntimeError):
            await super().shutdown_default_executor(*arguments)


def run(work: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine to its end, and return its result.

    Its time stands still while the process is stopped, and it needs no threads.
    """
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(work)


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = Loop() if os.name == "posix" else asyncio.new_event_loop()
    loop.set_default_executor(Threads())
    loop.set_exception_handler(_report_fault)
    return loop


def _report_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Print a fault of the loop itself, as asyncio does by default.

    Where memory or the network lacks, asyncio closes the connection: its request says so.
    """
    if not isinstance(context.get("exception"), MemoryError | OSError):
        loop.default_exception_handler(context)


def run_job(job: Job, folder: Path | None, settings: Settings, listener: Listener) -> RunResult:
    """Carry out a job. Received images are kept in `folder`, without one in memory.

    Never raises for a failed request, and DiskError if this machine cannot carry even one.
    """
    return run(await_job(job, folder, settings, listener, generate))


async def await_job(
    job: Job,
    folder: Path | None,
    settings: Settings,
    listener: Listener,
    work: Work = carry_out,
    sender: Sender | None = None,
) -> RunResult:
    """Like `run_job`, in an event loop that is running.

    `sender` has connections that other jobs use, too; without it, the job opens its own.
    """
    job, remarks = _fit(job, folder)
    async with Http(
        timeout=settings.timeout,
        retries=settings.retries,
        folder=folder,
        most=job.concurrency,
        sender=sender or sender_in_process(hosted=job.hosted),
    ) as http:
        http.spool.temporary = job.temporary
        if settings.provider.is_one_at_a_time:
            http.expect_queue()
        result = await work(job, http, listener)
    return result._replace(remarks=(*remarks, *result.remarks))


def sender_in_process(*, hosted: bool) -> Sender | None:
    """What draws sketches; None for a hosted model."""
    if hosted:
        return None
    from flux_cli.providers.offline.answer import answer

    return InProcess(answer)


def _fit(job: Job, folder: Path | None) -> tuple[Job, tuple[str, ...]]:
    """The job with no more requests at once than this machine can handle, and a remark on that."""
    if not job.hosted:
        return job, ()
    disks = Disks([folder, *job.output_folders] if folder else job.output_folders)
    capacity = measure_capacity(job.concurrency, disks)
    if capacity.requests >= job.concurrency:
        return job._replace(disks=disks), ()
    count = f"{capacity.requests} of {job.concurrency} requests"
    job = job._replace(disks=disks, concurrency=capacity.requests)
    return job, (f"sent at most {count} at a time, because {capacity.limit}",)
