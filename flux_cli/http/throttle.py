"""How many calls may be in flight: all of them slow down together when the server has enough, and recover together."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Throttle:
    """At most `most` calls at once. `pause` and `now` (seconds, of any clock that never goes back) are parameters.

    Additive increase, multiplicative decrease, as networks share a line: a 429 halves the limit and holds every call
    back for as long as the server asks; each good answer widens it again by one part of itself.
    """

    def __init__(self, most: int, pause: Callable[[float], Awaitable[None]], now: Callable[[], float]) -> None:
        self._most, self._limit = most, float(most)
        self._pause, self._now = pause, now
        self._flying, self._hold, self._slowed = 0, 0.0, -math.inf
        self._room = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return int(self._limit)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for room, and take it for the length of the block, which gets the time it begins."""
        while self._flying >= self.limit:
            self._room.clear()
            await self._room.wait()
        self._flying += 1
        try:
            while (seconds := self._hold - self._now()) > 0:
                await self._pause(seconds)
            yield self._now()
        finally:  # without a pause, in which Ctrl-C could lose what the block has brought
            self._flying -= 1
            self._room.set()

    def slow_down(self, seconds: float, sent: float) -> None:
        """The server has enough: nobody sends for so many seconds, and then half as many at once.

        An answer to what was `sent` before the last time says nothing new: one burst counts once.
        """
        if sent > self._slowed:
            self._limit = max(1.0, self._limit / 2)
            self._slowed = self._now()
        self._hold = max(self._hold, self._now() + seconds)

    def speed_up(self) -> None:
        """A good answer."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)
