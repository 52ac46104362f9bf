"""Keeps the journal of a run on the disk while the run goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flux_cli.runs.saving.saver import Ledger

PAUSE = 0.02  # seconds between two syncs: the disk has images to write, too


class Syncing:
    """Asks the disk to keep what was written to a journal, in one thread for all calls of a run."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Sync the journal soon. Does not wait for it."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._catch_up())

    def end(self) -> None:
        """Stop: the end of the journal syncs it, and the event loop may go on."""
        if self._task:
            self._task.cancel()

    async def _catch_up(self) -> None:
        while self._ledger.is_behind:
            await asyncio.to_thread(self._ledger.sync)
            await asyncio.sleep(PAUSE)
