"""How many calls may be in flight: all of them slow down together when the server has enough, and recover together."""

import asyncio
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
        self._flying, self._hold = 0, 0.0
        self._room = asyncio.Condition()

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return int(self._limit)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for room, and take it for the length of the block."""
        async with self._room:
            while self._flying >= self.limit:
                await self._room.wait()
            self._flying += 1
        try:
            while (seconds := self._hold - self._now()) > 0:
                await self._pause(seconds)
            yield
        finally:
            self._flying -= 1
            await asyncio.shield(self._wake())

    def slow_down(self, seconds: float) -> None:
        """The server has enough: nobody sends for so many seconds, and then half as many at once.

        Several answers of one burst say it once.
        """
        if self._now() >= self._hold:
            self._limit = max(1.0, self._limit / 2)
        self._hold = max(self._hold, self._now() + seconds)

    def speed_up(self) -> None:
        """A good answer."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)

    async def _wake(self) -> None:
        async with self._room:
            self._room.notify_all()
