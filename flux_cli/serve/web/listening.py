"""Listens with uvicorn, until it is told to stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from socket import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp


async def listen(app: ASGIApp, sockets: list[socket], stops: Stops) -> None:
    """Serve until `stops` says to stop. Requests that are under way are finished first."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
    )
    server = _Server(config)
    stops.act = lambda: setattr(server, "should_exit", True)
    stops.act_again = lambda: setattr(server, "force_exit", True)
    await server.serve(sockets)


class Stops:
    """What to do when the server is told to stop, and when it is told again."""

    def __init__(self) -> None:
        self.act: Callable[[], None] = lambda: None
        self.act_again: Callable[[], None] = lambda: None
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        (self.act if self.count == 1 else self.act_again)()


class _Server(uvicorn.Server):
    """A server that leaves signals to others."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them as they are."""
        yield
