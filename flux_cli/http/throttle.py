"""Limits how many requests are in flight. After a refusal all of them slow down together."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from flux_cli.core.errors import NotSentError


class Throttle:
    """At most `most` requests at once. `pause` sleeps, `now` is a monotonic clock; both in seconds.

    Additive increase, multiplicative decrease: a refusal halves the limit and holds all requests
    back for as long as the server asks. Each good answer raises the limit a little again.
    """

    def __init__(
        self, most: int, pause: Callable[[float], Awaitable[None]], now: Callable[[], float]
    ) -> None:
        self._most, self._limit = most, float(most)
        self._pause, self._now = pause, now
        self._in_flight = 0  # slots that are taken
        self._sent = 0  # of these, requests that wait for an answer
        self._jobs = 0  # answered requests whose images are not made yet
        self._held_until = 0.0
        self._last_slowdown = -math.inf
        self._last_progress = -math.inf  # when an answer came that was no refusal
        self._refusals = 0  # since then, with nothing else of the run under way
        self.slowdowns = 0  # since then
        self._slot_freed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._objection = ""

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a free slot and hold it while the block runs.

        Yields the start time in seconds of `now`. Raises NotSentError after `stop`.
        """
        while self._in_flight >= self.limit:
            self._slot_freed.clear()
            await self._slot_freed.wait()
        self._in_flight += 1
        is_sent = False
        try:
            while (seconds := self._held_until - self._now()) > 0:
                await self.rest(seconds)
            self._check()
            self._sent += 1
            is_sent = True
            yield self._now()
        finally:  # no await here: Ctrl-C could lose what the block has received
            self._in_flight -= 1
            self._sent -= is_sent
            self._slot_freed.set()

    async def rest(self, seconds: float) -> None:
        """Sleep. Raises NotSentError at once after `stop`."""
        self._check()
        pausing = asyncio.ensure_future(self._pause(seconds))
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait((pausing, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pausing.cancel()
            stopping.cancel()
        self._check()

    def stop(self, objection: str) -> None:
        """Send nothing more. `objection` is for the errors of the requests that wait."""
        self._objection = objection
        self._stopped.set()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise NotSentError(f"not sent, because {self._objection}")

    def count_refusal(self, sent: float) -> int:
        """How often the run was refused in a row through no fault of its own.

        0 for a refusal of a request that was `sent` while another one of the run was under way: it
        waits for that one. Only a server that refuses a request that is alone has no room.
        """
        if self._sent or self._jobs or self._last_progress > sent:
            return 0
        self._refusals += 1
        return self._refusals

    def slow_down(self, seconds: float, sent: float) -> None:
        """Send nothing for `seconds`, then allow half as many requests at once.

        `sent` is when the rejected request began. One sent before the last slowdown does not
        halve the limit again: a burst of 429s counts once.
        """
        if sent > self._last_slowdown:
            self._limit = max(1.0, self._limit / 2)
            self._last_slowdown = self._now()
            self.slowdowns += 1
        self._held_until = max(self._held_until, self._now() + seconds)

    def speed_up(self) -> None:
        """Raise the limit a little after a good answer."""
        self.note_progress()
        self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def note_progress(self) -> None:
        """Begin to count refusals anew: the server has answered a request, or ended a job."""
        self._refusals = self.slowdowns = 0
        self._last_progress = self._now()

    @contextmanager
    def job(self) -> Iterator[None]:
        """Hold this while the provider works on a request that it has answered already."""
        self._jobs += 1
        try:
            yield
        finally:
            self._jobs -= 1
            self.note_progress()
