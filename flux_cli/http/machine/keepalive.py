"""Keeps connections alive that are silent for minutes, while an image is made."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Protocol

# Routers forget a silent connection after some minutes, mobile ones after one. Ten unanswered
# questions in five minutes end it: a short outage must not cost an image. Some systems lack some.
OPTIONS = (
    ("TCP_KEEPIDLE", 30),
    ("TCP_KEEPALIVE", 30),  # the same on macOS
    ("TCP_KEEPINTVL", 30),
    ("TCP_KEEPCNT", 10),
)


class Connected(Protocol):
    """A connection of asyncio or of httpcore."""

    def get_extra_info(self, name: str) -> Any: ...  # noqa: ANN401 - it names anything


def keep_alive(connection: Connected) -> None:
    """Let the system ask from time to time whether the peer is still there."""
    connected = connection.get_extra_info("socket")
    if connected is None:
        return
    with suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in OPTIONS:
        if number := getattr(socket, name, None):
            with suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, number, value)
