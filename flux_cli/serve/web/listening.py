"""Listens with uvicorn, until it is told to stop."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from socket import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp


async def listen(app: ASGIApp, sockets: list[socket], stops: Stops) -> None:
    """Serve until `stops` says to stop. Requests that are under way are finished first."""
    logging.getLogger("uvicorn").propagate = False  # the application says what people need
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
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
    stops.acts.append(lambda: setattr(server, "should_exit", True))
    stops.acts_again.append(lambda: setattr(server, "force_exit", True))
    await server.serve(sockets)


class Stops:
    """What to do when the server is told to stop, and when it is told again."""

    def __init__(self, act: Callable[[], None], act_again: Callable[[], None]) -> None:
        self.acts, self.acts_again = [act], [act_again]
        self._has_come = False

    def __call__(self) -> None:
        acts = self.acts_again if self._has_come else self.acts
        self._has_come = True
        for act in acts:
            act()


class _Server(uvicorn.Server):
    """A server that leaves signals to others."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them as they are."""
        yield
