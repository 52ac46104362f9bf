"""Finds out how far this machine gets on the way to a server: name, connection, TLS.

Nothing is sent but the handshake of TLS. It does not wait long for a name server that does not
answer, as the system would.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flux_cli.http.errors import unreachable_error
from flux_cli.http.machine.certificates import tls_context

if TYPE_CHECKING:
    from collections.abc import Sequence

PORTS = {"http": 80, "https": 443}
NO_NAME = "no name server answers"


def probe(url: str, seconds: float) -> str:
    """Connect to the server of a URL directly, and return what worked, for people.

    Raises UnreachableError that says what did not work within so many seconds, and ConfigError for
    certificates that cannot be used.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    end = time.monotonic() + seconds
    try:
        addresses = _resolve(host, port, seconds)
        with _connect([(found, port) for found in addresses], end) as connection:
            if parts.scheme == "http":
                return f"DNS: {_count(addresses)}, TCP, no TLS"
            with tls_context().wrap_socket(connection, server_hostname=host) as secured:
                return f"DNS: {_count(addresses)}, TCP, {secured.version()}"
    except TimeoutError as fault:
        reason = str(fault) if str(fault) == NO_NAME else f"no answer within {seconds:g} s"
        raise unreachable_error(url, TimeoutError(reason)) from fault
    except OSError as fault:  # also of TLS
        raise unreachable_error(url, fault) from fault


def _count(addresses: Sequence[str]) -> str:
    return "1 address" if len(addresses) == 1 else f"{len(addresses)} addresses"


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host. Raises OSError.

    The thread of a name server that does not answer ends with the process.
    """
    found: queue.Queue[list[str] | OSError] = queue.Queue()

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))
        except (OSError, UnicodeError) as fault:
            found.put(OSError(str(fault)) if isinstance(fault, UnicodeError) else fault)

    threading.Thread(target=ask, daemon=True).start()
    try:
        result = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(NO_NAME) from None
    if isinstance(result, OSError):
        raise result
    return result


def _connect(places: Sequence[tuple[str, int]], end: float) -> socket.socket:
    """A connection to the first address that takes one. Raises the OSError of the last one."""
    for number, place in enumerate(places, 1):
        left = max(end - time.monotonic(), 0.1)
        try:
            return socket.create_connection(place, timeout=left)
        except OSError:
            if number == len(places) or time.monotonic() >= end:
                raise
    raise OSError("its name has no address")
