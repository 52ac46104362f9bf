"""Answers requests in this process, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flux_cli.core.outcome import Reply
from flux_cli.http.exchange import Head, HttpRequest, Receiver


class InProcess:
    """A sender without a network: a function answers every POST. Used by `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def send(self, request: HttpRequest, receiver: Receiver) -> None:
        """Push the answer of the function to the receiver."""
        assert isinstance(request.body, bytes)  # noqa: S101 - no image is sent to a sketch
        reply = await asyncio.to_thread(self._answer, request.body)
        receiver.begin(Head(reply.status, reply.headers))
        receiver.take(reply.data)
        receiver.end()

    async def close(self) -> None:
        """Do nothing: no connection is open."""
