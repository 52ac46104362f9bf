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
from flux_cli.core.outcome import Event, Reply
from flux_cli.http.replies import texts_of_request
from flux_cli.images.digests import sent_digests
from flux_cli.images.threads import Threads
from flux_cli.providers.missing import UnreadableError
from flux_cli.providers.uploading import upload_images
from flux_cli.runs.execution.syncing import Syncing
from flux_cli.runs.failures import decisive, error_of, is_expired, is_final, stops_run
from flux_cli.runs.interrupts import cancel_on_signals
from flux_cli.runs.progress.events import end_events, received_event
from flux_cli.runs.report import RunResult
from flux_cli.runs.saving.saver import Saver
from flux_cli.runs.spending.shared_budget import SharedBudget

if TYPE_CHECKING:
    from flux_cli.core.outcome import Media, Outcome, SavedImage
    from flux_cli.core.request import Call
    from flux_cli.http.client import Http
    from flux_cli.runs.job import Job, Listener, Task

MOST_ASKED = 10  # images that one request can ask for


async def generate(job: Job, http: Http, listener: Listener) -> RunResult:
    """Carry out a job as `carry_out` does, and cancel it on Ctrl-C, SIGTERM or SIGHUP.

    The event loop is closed afterward.
    """
    with cancel_on_signals():
        result = await carry_out(job, http, listener)
    if result.interrupted:
        # A closing event loop waits for the threads of its pool. A new pool has none, so that
        # encoders whose work is no longer needed do not delay the end.
        asyncio.get_running_loop().set_default_executor(Threads(1))
    return result


async def carry_out(job: Job, http: Http, listener: Listener) -> RunResult:
    """Carry out every task of a job, at most `concurrency` at once.

    Never raises for a failed request. When it is canceled, saved files stay, and the report says
    which requests were under way. The event loop may belong to a program that has other work.
    """
    run = _Run(job, http, listener)
    todo = iter(job.tasks)
    is_interrupted, began = False, time.monotonic()
    workers = [asyncio.create_task(run.work(todo)) for _ in range(job.concurrency)]
    try:
        await asyncio.gather(*workers)
    except asyncio.CancelledError:
        is_interrupted = True
        await asyncio.gather(*workers, return_exceptions=True)
    run.syncing.end()
    run.outcomes += map(_unsent, todo)
    return RunResult(
        outcomes=run.outcomes,
        interrupted=is_interrupted,
        canceled=tuple((stop.identity, confirmed) for stop, confirmed in http.stopped),
        remarks=run.remarks,
        seconds=time.monotonic() - began,
    )


class _Run:
    """The state of one run: outcomes, and the error that stops further requests."""

    def __init__(self, job: Job, http: Http, listener: Listener) -> None:
        self._job, self._http, self._listener = job, http, listener
        self.syncing = Syncing(job.ledger)
        self._stopped_by: tuple[Task, FluxError] | None = None  # the task that failed, and how
        self._budget = job.budget or SharedBudget(job.limit_usd)
        self._begun = 0  # calls that have begun and not ended
        self._answered: set[int] = set()  # calls that are paid for
        self._under_way: set[int] = set()  # calls that are sent and do not wait for a retry
        self._costs: dict[int, float | None] = {}  # what the provider named for a call, in USD
        self._saver = Saver(job.sink, job.ledger, http.spool, job.identity, job.store)
        self.outcomes: list[Outcome] = []  # of the tasks that were taken, in their order

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know about the files, each once, with the number of files."""
        return self._saver.remarks

    async def work(self, todo: Iterator[Task]) -> None:
        """One worker: carries out one task after the other until none is left."""
        for task in todo:
            place = len(self.outcomes)
            self.outcomes.append(_unsent(task))
            if task.is_complete:
                self._put(place, task.outcome()._replace(kept=task.kept))
                continue
            while self._must_wait(task):
                await self._budget.wait()
            if task.arrived is None and (reason := self._objection(task)):
                self._put(place, task.outcome(NotSentError(f"not sent, because {reason}")))
            else:
                await self._carry_out(place, task)

    def _must_wait(self, task: Task) -> bool:
        """Whether the next request must wait until another one has ended."""
        if self._budget.must_wait(task.rate):
            return True
        return self._begun > 0 and not self._job.disks.have_room(self._begun + 1)

    def _objection(self, task: Task) -> str:
        """Why the next request may not be sent; "" if it may."""
        if self._stopped_by:
            failed, error = self._stopped_by
            return f"{failed.title} failed: {error.code}"
        return self._budget.objection(task.rate)

    async def _carry_out(self, place: int, task: Task) -> None:
        """Carry out one task and record its outcome, whatever happens."""
        started = time.monotonic()
        saved: list[SavedImage] = []
        error: FluxError | None = None
        self._budget.begin(task.rate)
        self._begun += 1
        if task.arrived is not None:
            self._answered.add(task.call.number)
            self._under_way.add(task.call.number)
        try:
            await self._make_images(task, saved)
        except Exception as fault:  # noqa: BLE001 - our bug must not lose other images
            error = error_of(fault, hosted=self._job.hosted)
            if self._stopped_by is None and stops_run(error):
                self._stopped_by = task, error
                self._http.stop_sending(self._objection(task))
        except asyncio.CancelledError:
            if task.call.number not in self._under_way:
                error = NotSentError("interrupted before it was sent")
            elif not saved:
                message = "interrupted while the provider was working"
                error = Interrupted(message, billed=self._job.hosted)
            raise
        finally:
            seconds = time.monotonic() - started
            outcome = task.outcome(error)._replace(saved=tuple(saved), seconds=seconds)
            self._end_call(place, task, outcome)

    def _end_call(self, place: int, task: Task, outcome: Outcome) -> None:
        """Account for the cost of a call, journal its failure, and record the outcome."""
        number, saved, error = task.call.number, outcome.saved, outcome.error
        has_image = number in self._costs
        named_cost = self._costs.pop(number, None)
        cost = saved[0].facts.cost_usd if saved else named_cost
        is_billed = bool(error and error.billed)
        self._begun -= 1
        made = bool(saved) or (has_image and error is None)
        self._budget.end(task.rate, cost, made=made, billed=is_billed)
        if error:
            self._journal_failure(task, error)
        self._answered.discard(number)
        self._under_way.discard(number)
        outcome = outcome._replace(kept=task.kept, cost_usd=named_cost, has_image=has_image)
        self._put(place, outcome)

    def _journal_failure(self, task: Task, error: FluxError) -> None:
        """Journal a failure, and add a hint to `flux recover` if anything is left to fetch."""
        is_recovery, is_answered = task.arrived is not None, task.call.number in self._answered
        final = is_answered and is_final(error, is_recovery=is_recovery)
        code = "expired" if is_recovery and is_expired(error) else ""
        self._job.ledger.failed(task.call, error, final=final, code=code)
        recovery = self._job.ledger.recovery()
        # Its reply is in the journal, or in the provider's history.
        can_be_found = is_answered or (error.billed and self._job.traced)
        if can_be_found and not final and recovery not in error.hint:
            error.hint = "; or: ".join(filter(None, (error.hint, recovery)))

    async def _make_images(self, task: Task, saved: list[SavedImage]) -> None:
        """Send, fetch, finish, save. `saved` gets the files of each image, even if others fail."""
        began, call = time.monotonic(), task.call
        media = await self._fetch(task)
        if self._saver.encodes(task):  # not saved at once
            self._job.ledger.keep(media)
            self.syncing.soon()
        self._costs[call.number] = media[0].facts.cost_usd
        seconds = time.monotonic() - began
        self._listener(received_event(call.number, media, seconds, key=task.key))
        errors: list[FluxError] = []
        try:
            for extra, one in enumerate(media):
                try:
                    if one.lost:
                        raise one.lost
                    await self._saver.save(task, one, extra, saved)
                except FluxError as error:
                    error.request_id = error.request_id or one.facts.request_id
                    errors.append(error)
        finally:
            if self._saver.has_saved(media) and self._job.ledger.whole(call):
                self._http.release(media)
                self._answered.discard(call.number)  # nothing is left to fetch
                if len(self._under_way) > 1:  # the end of the run waits for the disk anyway
                    self.syncing.soon()
        if errors:
            raise decisive(errors, is_recovery=task.arrived is not None)

    async def _fetch(self, task: Task) -> Sequence[Media]:
        """The images of a task, in files: requested now, or paid for by an earlier run."""
        call, arrived = task.call, task.arrived
        if arrived is not None and not isinstance(arrived, Reply):
            return arrived
        reply = _read_again(arrived, call) if arrived else await self._send(task)
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

    async def _send(self, task: Task) -> Reply:
        """Send the call of a task: the only place where money is spent.

        The journal has the task before it is sent, and the reply before anything is done with it.
        """
        call = task.call

        def on_step(kind: Literal["sent", "waiting"], reason: str, seconds: float) -> None:
            if kind == "sent":
                self._under_way.add(call.number)
            else:
                self._under_way.discard(call.number)
            self._listener(Event(kind, call.number, reason, seconds, key=task.key))

        def on_answer(reply: Reply) -> None:
            self._answered.add(call.number)
            self._job.ledger.answered(call, reply)

        if self._job.claim:
            await asyncio.to_thread(self._job.claim, task)
        post = self._job.provider.request(call)
        if call.uploads:
            post = await upload_images(post, self._job.provider, self._http)
        if self._job.traced:
            post = post._replace(headers={**post.headers, **self._job.ledger.headers(call)})
        self._job.disks.check()
        try:
            self._job.ledger.sent(task)
        except OSError as error:
            message = f"cannot write the journal, so nothing was sent: {error.strerror}"
            hint = "make room in the state folder, or name another one in FLUX_STATE"
            raise DiskError(message, hint=hint) from error
        self.syncing.soon()
        reply = await self._http.post(post, on_step, on_answer)
        self.syncing.soon()
        known = sent_digests(call.body) | sent_digests(post.body)
        return reply._replace(asked=call.images, sent=known)

    def _put(self, place: int, outcome: Outcome) -> None:
        """Record an outcome, and tell the listener."""
        self.outcomes[place] = outcome
        for event in end_events(outcome):
            self._listener(event)


def _unsent(task: Task) -> Outcome:
    """The outcome of a task that was not begun."""
    return task.outcome(NotSentError("interrupted before it was sent"))


def _read_again(reply: Reply, call: Call) -> Reply:
    """The reply to a call of an earlier run."""
    # The journal does not say how many images an earlier run asked for.
    return reply._replace(asked=MOST_ASKED, texts=texts_of_request(call.shown))
