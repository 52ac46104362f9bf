"""A transport for httpx that pushes each part of an answer to a receiver as it is read.

httpx's own transport hands out the next part of an answer when it is asked for it. Meanwhile parts
pile up in memory, and every part costs a task switch. Here the receiver is named in the request's
extensions and gets the parts at once, without a copy, so that memory stays small however many
answers arrive together. benchmarks/fanout.py measures it.

A POST always opens its own connection; GETs reuse idle ones (16 per origin, 5 s).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import httpx

from flux_cli.http.wire.connection import Connection

MAX_IDLE = 16  # idle connections kept per origin
DEFAULT_PORTS = {"http": 80, "https": 443}


class PushTransport(httpx.AsyncBaseTransport):
    """Opens connections of its own. `tls` makes the TLS settings when the first https URL comes."""

    def __init__(self, tls: Callable[[], ssl.SSLContext]) -> None:
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[str, list[Connection]] = {}  # by origin

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and push the whole answer to `request.extensions["receiver"]`.

        Nothing is left to read from the response, which has a status and no headers.
        Raises what httpx's own transport raises, and whatever the receiver raises.
        """
        # The server may be about to close an idle connection, and nobody could tell whether a POST
        # on it was billed.
        is_shared = request.method == "GET"
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        connection = self._take_idle(origin) if is_shared else None
        if connection is None:
            connection = await self._open(request.url, request.extensions["timeout"]["connect"])
        try:
            status = await connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        idle = self._idle.setdefault(origin, [])
        if is_shared and len(idle) < MAX_IDLE and connection.become_idle():
            idle.append(connection)
        else:
            connection.close()
        return httpx.Response(status)

    async def aclose(self) -> None:
        """Close all idle connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _take_idle(self, origin: str) -> Connection | None:
        """An idle connection that is still usable, or None."""
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if connection.is_usable():
                return connection
            connection.close()
        return None

    async def _open(self, url: httpx.URL, seconds: float) -> Connection:
        if url.scheme == "https" and self._tls is None:
            self._tls = self._make_tls()
        tls = self._tls if url.scheme == "https" else None
        host, port = url.raw_host.decode("ascii"), url.port or DEFAULT_PORTS[url.scheme]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    Connection,
                    host,
                    port,
                    ssl=tls,
                    happy_eyeballs_delay=0.25,
                )
        except TimeoutError as fault:
            raise httpx.ConnectTimeout(f"no connection within {seconds:g} s") from fault
        except OSError as fault:
            raise httpx.ConnectError(str(fault)) from fault
        return connection
