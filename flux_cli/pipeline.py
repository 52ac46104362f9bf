"""The flow: calls go out in parallel, pictures come in, files are written, and one report says what became of each.

It knows the order and nothing else: what is sent is decided before, how in `http`, what a file is in `files`.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from flux_cli.core.containers import inspect
from flux_cli.core.errors import AuthError, FluxError, Interrupted, NotSentError, PaymentError, PictureError
from flux_cli.core.formats import split_suffix
from flux_cli.core.naming import Name
from flux_cli.core.request import Call, Event, Facts, Media, Note, Outcome, Picture, Plan, Report, Resolved, Saved
from flux_cli.http import Http
from flux_cli.providers import Provider

Tell = Callable[[Event], None]
FATAL = (AuthError, PaymentError)  # every further call would fail the same way


class Sink(Protocol):
    """Where finished pictures go."""

    def save(self, name: Name, picture: Picture, extra: int = 0, *, fresh: bool = False) -> str:
        """Save one picture and return its path. Raises DiskError."""


class Job(NamedTuple):
    """Everything a run needs, decided before the first call goes out."""

    resolved: Resolved
    plan: Plan
    names: tuple[Name, ...]
    provider: Provider
    provider_name: str
    hosted: bool
    sink: Sink
    concurrency: int
    skip: Mapping[int, str]  # index of a call -> the file that makes it unnecessary


async def generate(job: Job, http: Http, tell: Tell) -> Report:
    """Run every call of a job, at most `concurrency` at once. Never raises for a call that failed.

    When the task is cancelled (Ctrl-C, or a signal to end) what is saved stays, and the report says what was under way.
    """
    _end_like_ctrl_c()
    run = _Run(job, http, tell)
    todo = iter(zip(job.plan.calls, job.names, strict=True))
    workers = [asyncio.create_task(run.work(todo)) for _ in range(min(job.concurrency, len(job.plan.calls)))]
    interrupted = False
    try:
        await asyncio.gather(*workers)
    except asyncio.CancelledError:
        interrupted = True
        await asyncio.gather(*workers, return_exceptions=True)
        # The event loop waits for its threads when it closes; a fresh pool has none, and nobody waits for an encoder.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    outcomes = tuple(run.outcomes.get(call.number) or _not_started(call) for call in job.plan.calls)
    notes: tuple[Note, ...] = (*job.resolved.notes, *job.plan.notes)
    stopped = tuple((stop.identity, agreed) for stop, agreed in http.stopped)
    return Report(job.resolved, notes, job.provider_name, job.hosted, outcomes, interrupted, stopped)


def _end_like_ctrl_c() -> None:
    """Let `timeout`, a closing terminal and a stopping CI job end a run as Ctrl-C does: what is saved gets listed."""
    task = asyncio.current_task()
    for name in ("SIGTERM", "SIGHUP"):
        # A signal this system or thread does not know, or one the parent wants ignored (nohup), stays as it is.
        with contextlib.suppress(KeyError, NotImplementedError, RuntimeError, ValueError):
            number = signal.Signals[name]
            if task and signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)


class _Run:
    """The state of one run: outcomes by call, and the error that stops calls not yet sent."""

    def __init__(self, job: Job, http: Http, tell: Tell) -> None:
        self._job, self._http, self._tell = job, http, tell
        self._fatal: FluxError | None = None
        self._stopped_by = 0
        self.outcomes: dict[int, Outcome] = {}

    async def work(self, todo: Iterator[tuple[Call, Name]]) -> None:
        """One worker: takes the next call until there is none."""
        for call, name in todo:
            if path := self._job.skip.get(call.number):
                self._finish(Outcome(call, skipped=path))
            elif self._fatal:
                error = NotSentError(f"not sent, because call {self._stopped_by} failed: {self._fatal.code}")
                self._finish(Outcome(call, error=error))
            else:
                await self._one(call, name)

    async def _one(self, call: Call, name: Name) -> None:
        started = time.monotonic()
        saved: list[Saved] = []
        error: FluxError | None = None
        try:
            await self._make(call, name, saved)
        except FluxError as fault:
            error = fault
            if isinstance(fault, FATAL) and self._fatal is None:
                self._fatal, self._stopped_by = fault, call.number
        except Exception as fault:  # noqa: BLE001 - a fault of ours in one call must not lose the others' pictures
            error = FluxError(f"internal error: {fault!r}", hint="please report it, with --verbose", billed=True)
            error.__cause__ = fault
        except asyncio.CancelledError:
            error = (
                None if saved else Interrupted("interrupted while the provider was working", billed=self._job.hosted)
            )
            raise
        finally:
            self._finish(Outcome(call, tuple(saved), error, seconds=time.monotonic() - started))

    async def _make(self, call: Call, name: Name, saved: list[Saved]) -> None:
        """Ask, fetch, finish, save. `saved` grows as files land, so that it is true at any moment."""
        self._tell(Event("sent", call.number))
        began = time.monotonic()

        def waiting(reason: str, seconds: float) -> None:
            self._tell(Event("waiting", call.number, reason, seconds))

        reply = await self._http.post(self._job.provider.request(call), waiting)
        media = await self._job.provider.pictures(reply, self._http)
        self._tell(_received(call, media, time.monotonic() - began))
        fault: FluxError | None = None
        for extra, one in enumerate(media):
            try:
                picture = await self._finished(one, name, extra, saved)
                await self._save(name, picture, extra, one, saved)
            except FluxError as error:
                error.request_id = error.request_id or one.facts.request_id
                fault = fault or error
        if fault:
            raise fault

    async def _finished(self, media: Media, name: Name, extra: int, saved: list[Saved]) -> Picture:
        """The picture in the format asked. If that cannot be had any more, the bytes are saved as they came.

        They are paid for.
        """
        try:
            look = inspect(media.data)
        except PictureError as fault:
            fault.billed = True
            raise
        received = Picture(media.data, look.format, look.width, look.height, as_received=True)
        wanted = self._job.resolved.format
        if wanted in (None, look.format):
            return received
        from flux_cli import imaging  # Pillow costs more than everything before it; most pictures need none of it

        try:
            return await asyncio.to_thread(imaging.convert, media.data, wanted or "", self._job.resolved.quality)
        except (PictureError, asyncio.CancelledError) as fault:
            kept = name._replace(template=f"{split_suffix(name.template)[0]}.{{ext}}")
            path = self._job.sink.save(kept, received, extra, fresh=True)  # here and now: threads may all be encoding
            saved.append(_saved(path, received, media.facts))
            if isinstance(fault, PictureError):
                fault.hint = f"saved as received: {saved[-1].path}"
            raise

    async def _save(self, name: Name, picture: Picture, extra: int, media: Media, saved: list[Saved]) -> None:
        """Save in a thread, so that other pictures keep coming; a Ctrl-C waits for the few milliseconds it takes."""
        saving = asyncio.ensure_future(asyncio.to_thread(self._job.sink.save, name, picture, extra))
        try:
            await asyncio.shield(saving)
        finally:
            saved.append(_saved(await saving, picture, media.facts))

    def _finish(self, outcome: Outcome) -> None:
        self.outcomes[outcome.call.number] = outcome
        index, seconds = outcome.call.number, outcome.seconds
        for place, one in enumerate(outcome.saved):
            cost = None if place else one.facts.cost_usd
            identity = one.facts.request_id
            self._tell(Event("saved", index, described(one), seconds, one.path, one.size, cost, identity))
        if outcome.skipped:
            self._tell(Event("skipped", index, "already there", path=outcome.skipped))
        if outcome.error:
            fault = outcome.error
            named = (fault.request_id, fault.status, fault.code)
            self._tell(Event("failed", index, fault.message, seconds, "", 0, None, *named))


def described(saved: Saved) -> str:
    """A picture in a few words: pixels, format and size on disk."""
    return f"{saved.width}x{saved.height} {saved.format}, {saved.size / 1000:,.0f} kB"


def _received(call: Call, media: Sequence[Media], seconds: float) -> Event:
    facts, size = media[0].facts if media else Facts(), sum(len(one.data) for one in media)
    return Event("received", call.number, "", seconds, "", size, facts.cost_usd, facts.request_id)


def _saved(path: str, picture: Picture, facts: Facts) -> Saved:
    return Saved(path, picture.format, picture.width, picture.height, len(picture.data), picture.as_received, facts)


def _not_started(call: Call) -> Outcome:
    return Outcome(call, error=Interrupted("interrupted before it was sent"))
