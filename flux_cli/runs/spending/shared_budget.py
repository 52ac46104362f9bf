"""The money of runs that share a limit: of one run, or of all that a server carries out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flux_cli.runs.spending.budget import Budget

if TYPE_CHECKING:
    from flux_cli.runs.spending.budget import Rate


class SharedBudget:
    """A budget for which requests wait. `limit` is in USD; None: no limit."""

    def __init__(self, limit: float | None) -> None:
        self._budget = Budget(limit)
        self._ended = asyncio.Event()  # a request has ended since a task began to wait

    async def wait(self) -> None:
        """Wait until the next request has ended."""
        self._ended.clear()
        await self._ended.wait()

    def must_wait(self, rate: Rate) -> bool:
        """See `Budget`."""
        return self._budget.must_wait(rate)

    def objection(self, rate: Rate) -> str:
        """See `Budget`."""
        return self._budget.objection(rate)

    def begin(self, rate: Rate) -> None:
        """See `Budget`."""
        self._budget.begin(rate)

    def end(self, rate: Rate, cost: float | None, *, made: bool, billed: bool = False) -> None:
        """Account for a request that has ended, as `Budget` does, and wake those that wait."""
        self._budget.end(rate, cost, made=made, billed=billed)
        self._ended.set()
