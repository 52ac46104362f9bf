"""Recognizes requests that a client repeats, so that they are not paid twice.

A request gets the answer of an equal earlier one only if that was never delivered, if it is unclear
whether that was billed, or if the client says that it is a retry. Two clients that both wait get
two images.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from flux_cli.core.errors import FluxError

Result = TypeVar("Result")

JOINED_SECONDS = 120.0  # after its end, a request can be joined for so long
MOST_DELIVERED = 1000  # requests that are remembered although their clients have their answers


class Work(Generic[Result]):
    """A request that is being carried out, or has been.

    `clients` counts those that got or get its answer, and `waiting` those that are there.
    """

    def __init__(self, digest: str, task: asyncio.Task[Result], token: str) -> None:
        self.digest, self.task, self.token = digest, task, token
        self.waiting = self.clients = 0
        self.is_delivered = False
        self.ended: float | None = None

    def can_be_joined(self, token: str, *, is_retry: bool) -> bool:
        """Whether an equal request gets this answer."""
        if self._failed_for_free():
            return False
        is_same = bool(token) and token == self.token
        is_orphan = not self.waiting and not self.is_delivered
        return is_retry or is_same or is_orphan or self._is_unclear()

    @property
    def matters_little(self) -> bool:
        """Whether nothing that was paid is lost if this request is forgotten."""
        return self.is_delivered or self._failed_for_free()

    def _failed_for_free(self) -> bool:
        fault = self._fault()
        return fault is not None and not (isinstance(fault, FluxError) and fault.billed)

    def _is_unclear(self) -> bool:
        fault = self._fault()
        return isinstance(fault, FluxError) and fault.billed

    def _fault(self) -> BaseException | None:
        if not self.task.done() or self.task.cancelled():
            return None
        return self.task.exception()


class Repeats(Generic[Result]):
    """The requests of the last minutes, by what tells them apart. `now` is in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._works: dict[str, list[Work[Result]]] = {}
        self._ended: deque[Work[Result]] = deque()  # in the order of their ends

    def find(self, digest: str, token: str, *, is_retry: bool) -> Work[Result] | None:
        """An equal request whose answer this one gets. One that nobody waits for is first."""
        self._forget()
        works = self._works.get(digest, [])
        fitting = [work for work in works if work.can_be_joined(token, is_retry=is_retry)]
        return min(fitting, key=lambda work: (work.waiting, work.is_delivered), default=None)

    def is_awaited(self, digest: str) -> bool:
        """Whether a client waits for an equal request that is being carried out."""
        works = self._works.get(digest, [])
        return any(work.waiting and work.ended is None for work in works)

    def add(self, digest: str, task: asyncio.Task[Result], token: str) -> Work[Result]:
        """Note a request that is carried out for the first time."""
        work = Work(digest, task, token)
        self._works.setdefault(digest, []).append(work)

        def end(ended: asyncio.Task[Result]) -> None:
            work.ended = self._now()
            if not ended.cancelled():
                ended.exception()  # perhaps nobody is there anymore to ask for it

        task.add_done_callback(end)
        task.add_done_callback(lambda _task: self._ended.append(work))
        return work

    def running(self) -> list[asyncio.Task[Result]]:
        """The requests that are being carried out."""
        return [work.task for works in self._works.values() for work in works if work.ended is None]

    def _forget(self) -> None:
        """Forget what ended too long ago, and what has been delivered if that is too much."""
        while self._ended:
            first = self._ended[0]
            is_surplus = len(self._ended) > MOST_DELIVERED and first.matters_little
            if not is_surplus and not self._is_old(first):
                return
            self._ended.popleft()
            works = self._works[first.digest]
            works.remove(first)
            if not works:
                del self._works[first.digest]

    def _is_old(self, work: Work[Result]) -> bool:
        return work.ended is not None and work.ended < self._now() - JOINED_SECONDS
