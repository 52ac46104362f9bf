"""Carries out the requests of clients: each once, whatever the clients do meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from flux_cli.core.errors import FluxError
from flux_cli.runs.failures import error_of
from flux_cli.serve.answering.refusals import Refusal, refusal_of
from flux_cli.serve.asking.scripted import refuse_on_demand, seconds_on_demand
from flux_cli.serve.repeats import Repeats

if TYPE_CHECKING:
    from flux_cli.runs.report import Report
    from flux_cli.serve.asking.asked import Asked
    from flux_cli.serve.making import Maker
    from flux_cli.serve.repeats import Work


class Made(NamedTuple):
    """The images of a request, and when they were made, in seconds since 1970."""

    report: Report
    created: int


class Sender(NamedTuple):
    """What tells requests apart: `digest` of the key and the body, and what marks a retry."""

    digest: str
    token: str = ""
    is_retry: bool = False


class Requests:
    """The requests of a server. A client that goes away does not end its request."""

    def __init__(self, maker: Maker, *, is_offline: bool) -> None:
        self._maker, self._is_offline = maker, is_offline
        self._repeats: Repeats[Made] = Repeats()

    def has_equal(self, sender: Sender) -> bool:
        """Whether a client waits for an equal request, whose answer this one would not get."""
        if self._repeats.find(sender.digest, sender.token, is_retry=sender.is_retry) is not None:
            return False
        return self._repeats.is_awaited(sender.digest)

    def begin(self, asked: Asked, sender: Sender, on_end: Callable[[], None]) -> Work[Made]:
        """Begin a request, or join an equal one. `on_end` is called when it is not needed anymore.

        Raises Refusal for an error on demand.
        """
        try:
            if self._is_offline:
                refuse_on_demand(asked.prompt)
        except Refusal:
            on_end()
            raise
        found = self._repeats.find(sender.digest, sender.token, is_retry=sender.is_retry)
        if found is not None:
            on_end()
            return found
        task = asyncio.create_task(self._make(asked))
        task.add_done_callback(lambda _task: on_end())
        return self._repeats.add(sender.digest, task, sender.token)

    def cancel(self) -> None:
        """End all requests at once."""
        for task in self._repeats.running():
            task.cancel()

    async def finish(self) -> int:
        """Wait for all requests, also those without a client. Returns how many were canceled."""
        running = self._repeats.running()
        results = await asyncio.gather(*running, return_exceptions=True)
        return sum(isinstance(result, asyncio.CancelledError) for result in results)

    async def _make(self, asked: Asked) -> Made:
        report = await self._maker.make(asked)
        if self._is_offline and (seconds := seconds_on_demand(asked.prompt)):
            await asyncio.sleep(seconds)
        return Made(report, int(time.time()))


def refusal_for(fault: BaseException, *, hosted: bool) -> Refusal:
    """The answer for whatever ended a request."""
    if isinstance(fault, Refusal):
        return fault
    if isinstance(fault, FluxError):
        return refusal_of(fault)
    if isinstance(fault, asyncio.CancelledError):
        return Refusal(424, "the server was stopped", code="stopped", kind="server_error")
    assert isinstance(fault, Exception)  # noqa: S101 - KeyboardInterrupt ends the server
    return refusal_of(error_of(fault, hosted=hosted))
