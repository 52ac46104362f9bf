"""Limits how many requests are in flight. After a 429 all of them slow down together."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Throttle:
    """At most `most` requests at once. `pause` sleeps, `now` is a monotonic clock; both in seconds.

    Additive increase, multiplicative decrease: a 429 halves the limit and holds all requests back
    for as long as the server asks. Each good answer raises the limit a little again.
    """

    def __init__(
        self, most: int, pause: Callable[[float], Awaitable[None]], now: Callable[[], float]
    ) -> None:
        self._most, self._limit = most, float(most)
        self._pause, self._now = pause, now
        self._in_flight = 0
        self._held_until = 0.0
        self._last_slowdown = -math.inf
        self._slot_freed = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a free slot and hold it while the block runs.

        Yields the start time in seconds of `now`.
        """
        while self._in_flight >= self.limit:
            self._slot_freed.clear()
            await self._slot_freed.wait()
        self._in_flight += 1
        try:
            while (seconds := self._held_until - self._now()) > 0:
                await self._pause(seconds)
            yield self._now()
        finally:  # no await here: Ctrl-C could lose what the block has received
            self._in_flight -= 1
            self._slot_freed.set()

    def slow_down(self, seconds: float, sent: float) -> None:
        """Send nothing for `seconds`, then allow half as many requests at once.

        `sent` is when the rejected request began. One sent before the last slowdown does not
        halve the limit again: a burst of 429s counts once.
        """
        if sent > self._last_slowdown:
            self._limit = max(1.0, self._limit / 2)
            self._last_slowdown = self._now()
        self._held_until = max(self._held_until, self._now() + seconds)

    def speed_up(self) -> None:
        """Raise the limit a little after a good answer."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)
