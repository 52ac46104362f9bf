"""The flow: calls go out in parallel, images come in, files are written, and one report says what became of each.

It knows the order and nothing else: what is sent is decided before, how in `http`, what a file is in `files`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

from flux_cli.core.errors import (
    AuthError,
    DiskError,
    FluxError,
    ImageError,
    Interrupted,
    ModerationError,
    NetworkError,
    NotFoundError,
    NotSentError,
    PaymentError,
    ProviderError,
    ValidationError,
)
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Call, Event, Facts, Media, Outcome, Plan, Reply, Resolved, Saved
from flux_cli.http.client import Http
from flux_cli.images.names import Name
from flux_cli.providers.rows import Provider
from flux_cli.runs.delivery import Delivery
from flux_cli.runs.finish import Finisher, Ledger, Sink, described
from flux_cli.runs.money import Budget
from flux_cli.runs.outcomes import Outcomes
from flux_cli.runs.report import Report

if TYPE_CHECKING:
    from flux_cli.images.signing import Identity

Tell = Callable[[Event], None]
FATAL = (AuthError, DiskError, PaymentError)  # every further call would fail the same way
FINAL = (ModerationError, ProviderError, ValidationError)  # nothing is left to be fetched
GONE = (403, 404, 410)  # what servers say of an address that has expired
SERVER_TROUBLE = 500  # and above: the job behind it may be well


class Job(NamedTuple):
    """Everything a run needs, decided before the first call goes out."""

    resolved: Resolved
    plan: Plan
    names: Sequence[Name]
    provider: Provider
    provider_name: str
    hosted: bool
    sink: Sink
    ledger: Ledger
    delivery: Delivery
    concurrency: int
    kept: Mapping[int, tuple[str, ...]] = {}  # number of a call -> its files that are there already
    skip: Collection[int] = ()  # calls all of whose files are there
    traced: bool = False  # the provider keeps a history that lists calls by the names flux gives them
    limit_usd: float | None = None  # no call goes out that could bring the run over it
    identity: Identity | None = None  # who signs the files
    arrived: Mapping[int, Reply | Sequence[Media]] = {}


async def generate(job: Job, http: Http, tell: Tell) -> Report:
    """Run every call of a job, at most `concurrency` at once. Never raises for a call that failed.

    When the task is canceled (Ctrl-C, or a signal to end) what is saved stays, and the report says what was under way.
    """
    run = _Run(job, http, tell)
    todo = iter(enumerate(zip(job.plan.calls, job.names, strict=True)))
    interrupted, began = False, time.monotonic()
    with _ending_like_ctrl_c():
        workers = [asyncio.create_task(run.work(todo)) for _ in range(min(job.concurrency, len(job.plan.calls)))]
        try:
            await asyncio.gather(*workers)
        except asyncio.CancelledError:
            interrupted = True
            await asyncio.gather(*workers, return_exceptions=True)
            # The event loop waits for its threads when it closes; a fresh pool has none: nobody waits for an encoder.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    notes = (*job.resolved.notes, *job.plan.notes)
    stopped = tuple((stop.identity, agreed) for stop, agreed in http.stopped)
    return Report(
        job.resolved, notes, job.provider_name, job.hosted, run.outcomes, interrupted, stopped, run.remarks,
        seconds=time.monotonic() - began,
    )  # fmt: skip


@contextlib.contextmanager
def _ending_like_ctrl_c() -> Iterator[None]:
    """Let `timeout`, a closing terminal and a stopping CI job end a run as Ctrl-C does: what is saved gets listed."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    heard = []
    for name in ("SIGTERM", "SIGHUP"):
        # A signal this system or thread does not know, or one the parent wants ignored (nohup), stays as it is.
        with contextlib.suppress(KeyError, NotImplementedError, RuntimeError, ValueError):
            number = signal.Signals[name]
            if task and signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel)
                heard.append(number)
    try:
        yield
    finally:  # a loop that closes drops the pipe before it stops to listen: any signal in between would be a traceback
        for number in heard:
            loop.remove_signal_handler(number)


class _Run:
    """The state of one run: outcomes by call, and the error that stops calls not yet sent."""

    def __init__(self, job: Job, http: Http, tell: Tell) -> None:
        self._job, self._http, self._tell = job, http, tell
        self._syncing: asyncio.Task[None] | None = None
        self._fatal: FluxError | None = None
        self._stopped_by = 0
        self._budget = Budget(job.limit_usd, job.resolved.unit_price_usd)
        self._ended = asyncio.Event()
        self._answered = set(job.arrived)  # calls that are paid for
        self._at_work = set(job.arrived)  # calls that are out, and not waiting for another try
        self._named: dict[int, float | None] = {}  # what a call has cost, in USD
        self._finisher = Finisher(job.delivery, job.sink, job.ledger, job.identity)
        self.outcomes = Outcomes(job.plan.calls)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to say of the files, each once, with how many it is true of."""
        counts = self._finisher.remarks.items()
        return tuple(f"{count} files: {words}" if count > 1 else words for words, count in counts)

    async def work(self, todo: Iterator[tuple[int, tuple[Call, Name]]]) -> None:
        """One worker: takes the next call until there is none."""
        for place, (call, name) in todo:
            while self._budget.must_wait:
                self._ended.clear()
                await self._ended.wait()
            if call.number in self._job.skip:
                self._finish(place, Outcome(call, kept=self._job.kept[call.number]))
            elif call.number not in self._answered and (reason := self._held_back()):
                self._finish(place, Outcome(call, error=NotSentError(f"not sent, because {reason}")))
            else:
                await self._one(place, call, name)

    def _held_back(self) -> str:
        """Why no further call may go out; "" where it may."""
        if self._fatal:
            return f"call {self._stopped_by} failed: {self._fatal.code}"
        return self._budget.objection()

    async def _one(self, place: int, call: Call, name: Name) -> None:
        started = time.monotonic()
        saved: list[Saved] = []
        error: FluxError | None = None
        self._budget.begin()
        try:
            await self._make(call, name, saved)
        except FluxError as fault:
            error = fault
            if self._fatal is None and (isinstance(fault, FATAL) or _is_ban(fault)):
                self._fatal, self._stopped_by = fault, call.number
        except Exception as fault:  # noqa: BLE001 - a fault of ours in one call must not lose the others' images
            error = FluxError(f"internal error: {fault!r}", hint="please report it, with --verbose", billed=True)
            error.__cause__ = fault
        except asyncio.CancelledError:
            if call.number not in self._at_work:
                error = NotSentError("interrupted before it was sent")
            elif not saved:
                error = Interrupted("interrupted while the provider was working", billed=self._job.hosted)
            raise
        finally:
            named = self._named.pop(call.number, None)
            cost = saved[0].facts.cost_usd if saved else named
            self._budget.end(cost, paid=bool(saved or (error and error.billed)))
            self._ended.set()
            if error:
                self._write_off(call, error, saved)
            self._answered.discard(call.number)
            self._at_work.discard(call.number)
            kept = self._job.kept.get(call.number, ())
            self._finish(place, Outcome(call, tuple(saved), error, kept, time.monotonic() - started, named))

    def _write_off(self, call: Call, error: FluxError, saved: list[Saved]) -> None:
        """Write a failure down, and whether anything is left to be fetched."""
        again, answered = bool(self._job.arrived), call.number in self._answered
        expired = again and _is_gone(error)
        over = isinstance(error, FINAL) and (error.status or 0) < SERVER_TROUBLE
        final = answered and (expired or over or (isinstance(error, ImageError) and (again or bool(saved))))
        self._job.ledger.failed(call, error, final=final, code="expired" if expired else "")
        recovery = self._job.ledger.recovery()
        findable = answered or (error.billed and self._job.traced)  # its answer is here, or in the provider's history
        if findable and not final and recovery not in error.hint:
            error.hint = "; or: ".join(filter(None, (error.hint, recovery)))

    async def _make(self, call: Call, name: Name, saved: list[Saved]) -> None:
        """HttpRequest, fetch, finish, save. `saved` grows as files land, so that it is true at any moment."""
        began = time.monotonic()
        media = await self._media(call)
        self._named[call.number] = media[0].facts.cost_usd
        self._tell(_received(call, media, time.monotonic() - began))
        fault: FluxError | None = None
        try:
            for extra, one in enumerate(media):
                try:
                    await self._finisher.keep(call, name, one, extra, saved)
                except FluxError as error:
                    error.request_id = error.request_id or one.facts.request_id
                    fault = fault or error
        finally:
            if self._finisher.has_done(media) and self._job.ledger.whole(call):
                self._http.release(media)
        if fault:
            raise fault

    async def _media(self, call: Call) -> Sequence[Media]:
        """What a call brings, in files: asked for now, or paid for by an earlier run."""
        arrived = self._job.arrived.get(call.number)
        if arrived is not None and not isinstance(arrived, Reply):
            return arrived
        reply = arrived or await self._ask(call)
        try:
            media = await self._job.provider.images(reply, self._http)
        except (AuthError, NotFoundError, PaymentError) as fault:
            fault.billed = True  # said of a job that was accepted before
            raise
        self._job.ledger.fetched(call, media)
        return media

    async def _ask(self, call: Call) -> Reply:
        """The one place where money is spent: written down before, and the answer before anything is made of it."""

        def told(kind: Literal["sent", "waiting"], reason: str, seconds: float) -> None:
            (self._at_work.add if kind == "sent" else self._at_work.discard)(call.number)
            self._tell(Event(kind, call.number, reason, seconds))

        def answered(reply: Reply) -> None:
            self._answered.add(call.number)
            self._job.ledger.answered(call, reply)

        post = self._job.provider.request(call)
        if self._job.traced:
            post = post._replace(headers={**post.headers, **self._job.ledger.headers(call)})
        try:
            self._job.ledger.sent(call)
        except OSError as fault:
            hint = "make room in the state folder, or name another one in FLUX_STATE"
            raise DiskError(f"cannot write the journal, so nothing was sent: {fault.strerror}", hint=hint) from fault
        self._sync()
        reply = await self._http.post(post, told, answered)
        self._sync()
        return reply

    def _sync(self) -> None:
        """Have what was written on the disk, some time soon: nobody waits for it, and one thread is enough for all."""
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        while self._job.ledger.is_behind:
            await asyncio.to_thread(self._job.ledger.sync)

    def _finish(self, place: int, outcome: Outcome) -> None:
        self.outcomes.put(place, outcome)
        index, seconds = outcome.call.number, outcome.seconds
        for extra, one in enumerate(outcome.saved):
            cost = None if extra else one.facts.cost_usd
            self._tell(Event("saved", index, described(one), seconds, one.path, one.size, cost, one.facts.request_id))
        for path in outcome.kept:
            self._tell(Event("skipped", index, "already there", path=path))
        if fault := outcome.error:
            named = (fault.request_id, fault.status, fault.code)
            self._tell(Event("failed", index, fault.message, seconds, "", 0, None, *named))


def _is_ban(fault: FluxError) -> bool:
    """Whether it is the account that was refused, and not the prompt."""
    return isinstance(fault, ModerationError) and fault.status == 403


def _received(call: Call, media: Sequence[Media], seconds: float) -> Event:
    facts, size = media[0].facts if media else Facts(), sum(_size(one.file) for one in media)
    return Event("received", call.number, "", seconds, "", size, facts.cost_usd, facts.request_id)


def _size(file: str) -> int:
    with contextlib.suppress(OSError):
        return os.stat(file).st_size
    return 0


def _is_gone(fault: FluxError) -> bool:
    """Whether what a provider once made is not to be had any more."""
    return isinstance(fault, NotFoundError) or (isinstance(fault, NetworkError) and fault.status in GONE)
