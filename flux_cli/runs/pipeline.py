"""Sends the requests of a run in parallel, saves their images, and reports the outcome of each.

It only defines the order of the steps: `request` decides what is sent, `http` how, and
`saving.finish` and `saving.saver` make the files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from flux_cli.core.errors import (
    AuthError,
    DiskError,
    FluxError,
    Interrupted,
    NotFoundError,
    NotSentError,
    PaymentError,
)
from flux_cli.core.outcome import Event, Outcome, Reply
from flux_cli.core.request import Call
from flux_cli.http.replies import texts_of_request
from flux_cli.images.digests import sent_digests
from flux_cli.images.threads import Threads
from flux_cli.providers.missing import UnreadableError
from flux_cli.runs.failures import decisive, error_of, is_expired, is_final, stops_run
from flux_cli.runs.interrupts import cancel_on_signals
from flux_cli.runs.progress.events import end_events, received_event
from flux_cli.runs.report import Report
from flux_cli.runs.saving.saver import Saver
from flux_cli.runs.spending.budget import Budget

if TYPE_CHECKING:
    from flux_cli.core.outcome import Media, SavedImage
    from flux_cli.http.client import Http
    from flux_cli.images.names import Name
    from flux_cli.runs.job import Job, Listener

MOST_ASKED = 10  # images that one request can ask for
SYNC_PAUSE = 0.02  # seconds between two syncs of the journal: the disk has images to write, too


async def generate(job: Job, http: Http, listener: Listener) -> Report:
    """Carry out every call of a job, at most `concurrency` at once.

    Never raises for a failed request. When the task is canceled (Ctrl-C, SIGTERM, SIGHUP), saved
    files stay, and the report says which requests were under way.
    """
    run = _Run(job, http, listener)
    todo = iter(enumerate(zip(job.plan.calls, job.names, strict=True)))
    count = min(job.concurrency, len(job.plan.calls))
    is_interrupted, began = False, time.monotonic()
    with cancel_on_signals():
        workers = [asyncio.create_task(run.work(todo)) for _ in range(count)]
        try:
            await asyncio.gather(*workers)
        except asyncio.CancelledError:
            is_interrupted = True
            await asyncio.gather(*workers, return_exceptions=True)
            # A closing event loop waits for the threads of its pool. A new pool has none, so that
            # encoders whose work is no longer needed do not delay the end.
            asyncio.get_running_loop().set_default_executor(Threads(1))
    return Report(
        resolved=job.resolved,
        notes=(*job.resolved.notes, *job.plan.notes),
        provider=job.provider_name,
        hosted=job.hosted,
        outcomes=run.outcomes(),
        interrupted=is_interrupted,
        canceled=tuple((stop.identity, confirmed) for stop, confirmed in http.stopped),
        remarks=run.remarks,
        seconds=time.monotonic() - began,
    )


class _Run:
    """The state of one run: outcomes by call, and the error that stops further calls."""

    def __init__(self, job: Job, http: Http, listener: Listener) -> None:
        self._job, self._http, self._listener = job, http, listener
        self._syncing: asyncio.Task[None] | None = None
        self._stopped_by: tuple[int, FluxError] | None = None  # the call that failed, and how
        self._budget = Budget(job.limit_usd, job.request_usd)
        self._call_ended = asyncio.Event()
        self._begun = 0  # calls that have begun and not ended
        self._answered = set(job.arrived)  # calls that are paid for
        self._under_way = set(job.arrived)  # calls that are sent and do not wait for a retry
        self._costs: dict[int, float | None] = {}  # what the provider named for a call, in USD
        self._saver = Saver(job.delivery, job.sink, job.ledger, http.spool, job.identity)
        self._outcomes: list[Outcome | None] = [None] * len(job.plan.calls)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know about the files, each once, with the number of files."""
        return self._saver.remarks

    def outcomes(self) -> list[Outcome]:
        """One outcome per call, in the order of the calls. A call without one was never sent."""
        outcomes = []
        for place, outcome in enumerate(self._outcomes):
            if outcome is None:
                error = NotSentError("interrupted before it was sent")
                outcomes.append(Outcome(self._job.plan.calls[place], error=error))
            else:
                outcomes.append(outcome)
        return outcomes

    async def work(self, todo: Iterator[tuple[int, tuple[Call, Name]]]) -> None:
        """One worker: carries out one call after the other until none is left."""
        for place, (call, name) in todo:
            while self._must_wait():
                self._call_ended.clear()
                await self._call_ended.wait()
            if call.number in self._job.skip:
                self._put(place, Outcome(call, kept=self._job.kept[call.number]))
            elif call.number not in self._answered and (reason := self._objection()):
                error = NotSentError(f"not sent, because {reason}")
                self._put(place, Outcome(call, error=error))
            else:
                await self._carry_out(place, call, name)

    def _must_wait(self) -> bool:
        """Whether the next request must wait until another one has ended."""
        if self._budget.must_wait:
            return True
        return self._begun > 0 and not self._job.disks.have_room(self._begun + 1)

    def _objection(self) -> str:
        """Why no further request may be sent; "" if one may."""
        if self._stopped_by:
            number, error = self._stopped_by
            return f"request {number} failed: {error.code}"
        return self._budget.objection()

    async def _carry_out(self, place: int, call: Call, name: Name) -> None:
        """Carry out one call and record its outcome, whatever happens."""
        started = time.monotonic()
        saved: list[SavedImage] = []
        error: FluxError | None = None
        self._budget.begin()
        self._begun += 1
        try:
            await self._make_images(call, name, saved)
        except Exception as fault:  # noqa: BLE001 - our bug must not lose other images
            error = error_of(fault, hosted=self._job.hosted)
            if self._stopped_by is None and stops_run(error):
                self._stopped_by = call.number, error
                self._http.stop_sending(self._objection())
        except asyncio.CancelledError:
            if call.number not in self._under_way:
                error = NotSentError("interrupted before it was sent")
            elif not saved:
                message = "interrupted while the provider was working"
                error = Interrupted(message, billed=self._job.hosted)
            raise
        finally:
            seconds = time.monotonic() - started
            self._end_call(place, Outcome(call, tuple(saved), error, seconds=seconds))

    def _end_call(self, place: int, outcome: Outcome) -> None:
        """Account for the cost of a call, journal its failure, and record the outcome."""
        number, saved, error = outcome.call.number, outcome.saved, outcome.error
        named_cost = self._costs.pop(number, None)
        cost = saved[0].facts.cost_usd if saved else named_cost
        self._budget.end(cost, made=bool(saved), billed=bool(error and error.billed))
        self._begun -= 1
        self._call_ended.set()
        if error:
            self._journal_failure(outcome.call, error)
        self._answered.discard(number)
        self._under_way.discard(number)
        kept = self._job.kept.get(number, ())
        self._put(place, outcome._replace(kept=kept, cost_usd=named_cost))

    def _journal_failure(self, call: Call, error: FluxError) -> None:
        """Journal a failure, and add a hint to `flux recover` if anything is left to fetch."""
        is_recovery, is_answered = bool(self._job.arrived), call.number in self._answered
        final = is_answered and is_final(error, is_recovery=is_recovery)
        code = "expired" if is_recovery and is_expired(error) else ""
        self._job.ledger.failed(call, error, final=final, code=code)
        recovery = self._job.ledger.recovery()
        # Its reply is in the journal, or in the provider's history.
        can_be_found = is_answered or (error.billed and self._job.traced)
        if can_be_found and not final and recovery not in error.hint:
            error.hint = "; or: ".join(filter(None, (error.hint, recovery)))

    async def _make_images(self, call: Call, name: Name, saved: list[SavedImage]) -> None:
        """Send, fetch, finish, save. `saved` gets the files of each image, even if others fail."""
        began = time.monotonic()
        media = await self._fetch(call)
        if self._saver.encodes:  # not saved at once
            self._job.ledger.keep(media)
            self._sync_journal()
        self._costs[call.number] = media[0].facts.cost_usd
        self._listener(received_event(call.number, media, time.monotonic() - began))
        errors: list[FluxError] = []
        try:
            for extra, one in enumerate(media):
                try:
                    if one.lost:
                        raise one.lost
                    await self._saver.save(call, name, one, extra, saved)
                except FluxError as error:
                    error.request_id = error.request_id or one.facts.request_id
                    errors.append(error)
        finally:
            if self._saver.has_saved(media) and self._job.ledger.whole(call):
                self._http.release(media)
                self._answered.discard(call.number)  # nothing is left to fetch
                if len(self._under_way) > 1:  # the end of the run waits for the disk anyway
                    self._sync_journal()
        if errors:
            raise decisive(errors, is_recovery=bool(self._job.arrived))

    async def _fetch(self, call: Call) -> Sequence[Media]:
        """The images of a call, in files: requested now, or paid for by an earlier run."""
        arrived = self._job.arrived.get(call.number)
        if arrived is not None and not isinstance(arrived, Reply):
            return arrived
        reply = _read_again(arrived, call) if arrived else await self._send(call)
        try:
            media = await self._job.provider.images(reply, self._http)
        except (AuthError, NotFoundError, PaymentError) as error:
            error.billed = True  # it is about a job that was accepted before
            raise
        except UnreadableError as error:
            from flux_cli.runs.records.kept import keep_answer  # answers are rarely unreadable

            await asyncio.to_thread(keep_answer, error, call, self._job.ledger, self._http.spool)
            raise
        if not any(one.lost for one in media):  # else `flux recover` reads the reply again
            self._job.ledger.fetched(call, media)
        if self._job.strays:
            from flux_cli.runs.records.rescue import drop_copies  # only `flux recover` needs it

            drop_copies(self._job.strays, media)
        return media

    async def _send(self, call: Call) -> Reply:
        """Send a call: the only place where money is spent.

        The journal has the call before it is sent, and the reply before anything is done with it.
        """

        def on_step(kind: Literal["sent", "waiting"], reason: str, seconds: float) -> None:
            if kind == "sent":
                self._under_way.add(call.number)
            else:
                self._under_way.discard(call.number)
            self._listener(Event(kind, call.number, reason, seconds))

        def on_answer(reply: Reply) -> None:
            self._answered.add(call.number)
            self._job.ledger.answered(call, reply)

        post = self._job.provider.request(call)
        if self._job.traced:
            post = post._replace(headers={**post.headers, **self._job.ledger.headers(call)})
        self._job.disks.check()
        try:
            self._job.ledger.sent(call)
        except OSError as error:
            message = f"cannot write the journal, so nothing was sent: {error.strerror}"
            hint = "make room in the state folder, or name another one in FLUX_STATE"
            raise DiskError(message, hint=hint) from error
        self._sync_journal()
        reply = await self._http.post(post, on_step, on_answer)
        self._sync_journal()
        return reply._replace(asked=call.images, sent=sent_digests(call.body))

    def _sync_journal(self) -> None:
        """Sync the journal to disk soon, in one thread for all calls. Does not wait for it."""
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        while self._job.ledger.is_behind:
            await asyncio.to_thread(self._job.ledger.sync)
            await asyncio.sleep(SYNC_PAUSE)

    def _put(self, place: int, outcome: Outcome) -> None:
        """Record an outcome, and tell the listener."""
        self._outcomes[place] = outcome
        for event in end_events(outcome):
            self._listener(event)


def _read_again(reply: Reply, call: Call) -> Reply:
    """The reply to a call of an earlier run."""
    # The journal does not say how many images an earlier run asked for.
    return reply._replace(asked=MOST_ASKED, texts=texts_of_request(call.body))
