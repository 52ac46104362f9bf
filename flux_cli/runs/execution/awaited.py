"""Carries out a checked run in an event loop that is running, for whoever waits for it there."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from flux_cli.runs.event_loop import await_job
from flux_cli.runs.execution.of_run import is_paid, job_of, open_journal, report_of
from flux_cli.runs.records import store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from flux_cli.core.outcome import Event
    from flux_cli.http.exchange import Sender
    from flux_cli.runs.check import CheckedRun
    from flux_cli.runs.records.journal import Journal
    from flux_cli.runs.report import Report
    from flux_cli.runs.spending.shared_budget import SharedBudget


async def await_run(
    checked: CheckedRun, sender: Sender | None = None, budget: SharedBudget | None = None
) -> Report:
    """Send the requests of a run, save its images, and report what became of them.

    Runs may share connections (`sender`) and money (`budget`). Shows no progress. Raises FluxError
    only before the first request is sent. If it is canceled, the report is `interrupted`.
    """
    name = store.new_name()
    async with _journal_of(checked, name) as ledger:
        job = job_of(checked, ledger)._replace(budget=budget)
        folder = ledger.folder if is_paid(checked) else None
        result = await await_job(job, folder, checked.settings, _ignore, sender=sender)
        await asyncio.to_thread(job.sink.sync)
    return report_of(checked, result, name)


@contextlib.asynccontextmanager
async def _journal_of(checked: CheckedRun, name: str) -> AsyncIterator[Journal]:
    """The journal of a run. Threads open and close it: a disk takes milliseconds for that."""
    with contextlib.ExitStack() as stack:
        ledger = await asyncio.to_thread(open_journal, checked, name)
        stack.push(ledger)
        try:
            yield ledger
        finally:
            await asyncio.to_thread(stack.close)


def _ignore(_event: Event) -> None:
    """Show no progress."""
