"""Makes what clients ask for, on the road of `flux generate`, within one limit for all requests."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from flux_cli.core import options as typed
from flux_cli.core.errors import BudgetError, FluxError, NotSentError
from flux_cli.http.client import open_network
from flux_cli.runs.check import check_run
from flux_cli.runs.event_loop import sender_in_process
from flux_cli.runs.execution.awaited import await_run
from flux_cli.runs.spending.access import is_remote
from flux_cli.runs.spending.approval import approve, bill_of_run
from flux_cli.runs.spending.limits import check_limit
from flux_cli.runs.spending.shared_budget import SharedBudget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from flux_cli.config.load import Settings
    from flux_cli.runs.check import CheckedRun
    from flux_cli.runs.report import Report
    from flux_cli.serve.asking.asked import Asked
    from flux_cli.serve.options import ServeOptions
    from flux_cli.serve.pictures import Pictures

UNPRICED = "this server has a limit: ask for a model with a known price (flux models)"


class Price(NamedTuple):
    """What a request would cost. `usd` is for all images; None: unknown."""

    model: str
    provider: str
    images: int
    usd: float | None


class Maker:
    """Carries out requests. `settings` are those of the server, with its provider.

    At most `concurrency` images are being made at once: further requests wait for their turn.
    """

    def __init__(self, options: ServeOptions, settings: Settings, pictures: Pictures) -> None:
        self._options, self._settings, self._pictures = options, settings, pictures
        in_process = sender_in_process(hosted=settings.provider.hosted)
        self._sender = in_process or open_network(settings.timeout)
        self._budget = SharedBudget(settings.max_cost)
        self._slots = _Slots(settings.concurrency)
        self._is_stopping = False

    def stop(self) -> None:
        """Send no requests anymore that have not begun."""
        self._is_stopping = True

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._sender.close()

    async def price(self, asked: Asked) -> Price:
        """What a request would cost. Raises FluxError if it would be refused."""
        checked = await asyncio.to_thread(check_run, self._options_of(asked, dry_run=True))
        bill = bill_of_run(checked)
        usd = None if bill.unpriced else bill.cost
        model = checked.parts[0].resolved.sent_model
        return Price(model, checked.row.name, bill.images, usd)

    async def make(self, asked: Asked) -> Report:
        """Make the images of a request. Raises the decisive FluxError if there are none.

        If only some were made, the report has the errors of the others.
        """
        try:
            checked = await asyncio.to_thread(self._check, asked)
        except FluxError as fault:
            raise _without_paths(fault, asked) from fault
        async with self._slots.take(checked.total):
            if self._is_stopping:
                raise NotSentError("the server is stopping")
            report = await await_run(checked, self._sender, self._budget)
        if any(report.saved):
            return report
        error = _decisive(report.errors)
        if isinstance(error, NotSentError) and not self._is_stopping:
            raise BudgetError(error.message, hint="raise --max-cost of flux serve")
        raise error

    def _check(self, asked: Asked) -> CheckedRun:
        """Check all that can be checked for free."""
        checked = approve(check_run(self._options_of(asked)))
        settings = checked.settings
        if is_remote(settings):
            limit = settings.max_cost
            check_limit(bill_of_run(checked), limit, accepts_unknown=False, unknown_hint=UNPRICED)
        return checked

    def _options_of(self, asked: Asked, *, dry_run: bool = False) -> typed.GenerateOptions:
        """The same request as options of `flux generate`."""
        given = self._options
        formats = [asked.output_format] if asked.output_format else None
        return typed.GenerateOptions(
            input=typed.Input(image=list(asked.images) or None, mask=asked.mask),
            settings=typed.Settings(
                model=[asked.model or self._settings.model],
                provider=given.provider,
                base_url=given.base_url,
                output=self._pictures.new_name(),
                concurrency=given.concurrency,
                max_cost=given.max_cost,
            ),
            access=typed.Access(offline=given.offline),
            output=typed.Output(output_format=formats),
            run=typed.Run(dry_run=dry_run, yes=True),  # nobody is asked anything
            reporting=typed.Reporting(quiet=True),
            parameters=typed.Parameters(n=str(asked.n)),
            program=typed.Program(text=asked.prompt, values=asked.values, is_served=True),
        )


def _without_paths(error: FluxError, asked: Asked) -> FluxError:
    """The error with the names of uploaded files as their client knows them."""
    for path in filter(None, (*asked.images, asked.mask)):
        name = PurePath(path).name
        error.message = error.message.replace(path, name)
        error.hint = error.hint.replace(path, name)
    return error


def _decisive(errors: Sequence[FluxError]) -> FluxError:
    """The error that stands for all of a request: one that may have been billed, if there is one.

    That another image was not sent is only its consequence.
    """
    billed = (error for error in errors if error.billed)
    sent = (error for error in errors if not isinstance(error, NotSentError))
    return next(billed, None) or next(sent, None) or errors[0]


class _Slots:
    """Room for so many images at once. Requests get theirs in the order in which they ask."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._turn = asyncio.Lock()  # two requests must not each hold half of what they need

    @contextlib.asynccontextmanager
    async def take(self, count: int) -> AsyncIterator[None]:
        """Wait for room for `count` images, or for all of it, and hold it."""
        taken = 0
        try:
            async with self._turn:
                for _ in range(min(count, self._most)):
                    await self._free.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._free.release()
