"""HTTP/1.1 connections with asyncio and h11, used when no proxy is set.

A POST always opens its own connection; GETs reuse idle ones (16 per origin, 5 s). Parts of an answer
are passed on as they are read, without a task switch or a copy, so that memory stays small however
many answers arrive at once. benchmarks/fanout.py measures it against httpx.
"""

from __future__ import annotations

import asyncio
import os
import ssl

import certifi
import h11

from flux_cli.http.carrier import (
    DEFAULT_HEADERS,
    Address,
    Head,
    HttpRequest,
    Receiver,
    connection_broken_error,
    invalid_address_error,
    network_settings_error,
    read_address,
    unreachable_error,
)

READ_BYTES = 1 << 17  # per read; from 256 KiB on, malloc would fetch fresh pages for each read
MAX_HEAD_BYTES = 100 << 10
MAX_IDLE = 16  # idle connections kept per origin
IDLE_SECONDS = 5.0  # the shortest time after which servers are known to close idle connections
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")
SWITCHING_PROTOCOLS = 101
STATUSES_WITHOUT_BODY = (204, 304)  # whatever their headers say
UNKNOWN = -1


class Direct:
    """A carrier that opens its own connections."""

    def __init__(self, connect: float) -> None:
        """`connect` is the connection timeout in seconds."""
        self._connect = connect
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[str, list[Connection]] = {}  # by origin

    async def carry(self, request: HttpRequest, receiver: Receiver) -> None:
        """See `Carrier`."""
        address = read_address(request.url)
        # The server may be about to close an idle connection, and nobody could tell whether a POST
        # on it was billed.
        is_shared = request.method == "GET"
        connection = self._take_idle(address.origin) if is_shared else None
        if connection is None:
            connection = await self._open(request.url, address)
        try:
            await connection.exchange(request, address, receiver)
        except BaseException:
            connection.close()
            raise
        idle = self._idle.setdefault(address.origin, [])
        if is_shared and len(idle) < MAX_IDLE and connection.become_idle():
            idle.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
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

    async def _open(self, url: str, address: Address) -> Connection:
        if address.scheme == "https" and self._tls is None:
            self._tls = _tls_context()
        tls = self._tls if address.scheme == "https" else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect):
                _, connection = await loop.create_connection(
                    Connection, address.host, address.port, ssl=tls, happy_eyeballs_delay=0.25
                )
        except TimeoutError as fault:
            raise unreachable_error(url, TimeoutError(f"no connection within {self._connect:g} s")) from fault
        except OSError as fault:
            raise unreachable_error(url, fault) from fault
        return connection


def _tls_context() -> ssl.SSLContext:
    """The TLS settings of a run, made only when needed: reading certificates takes long."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if folder and not file:
            context = ssl.create_default_context(capath=folder)
        else:
            context = ssl.create_default_context(cafile=file or certifi.where())
    except (OSError, ValueError) as fault:
        raise network_settings_error(fault) from fault
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connection(asyncio.Protocol):
    """One connection and the exchange that is under way on it."""

    _transport: asyncio.Transport
    _url: str
    _receiver: Receiver
    _state: h11.Connection  # of one request and its answer
    _body_left: int  # bytes still to come of a body with a Content-Length, else UNKNOWN
    _last_data: float  # time of the last data

    def __init__(self) -> None:
        self._done: asyncio.Future[None] | None = None  # of the current exchange
        self._lost: Exception | None = None
        self._is_reusable, self._idle_until = True, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a connection reads and writes
        transport.max_size = READ_BYTES  # type: ignore[attr-defined] # asyncio has no option for it
        self._transport.pause_reading()  # until `exchange`: some servers send an error at once

    async def exchange(self, request: HttpRequest, address: Address, receiver: Receiver) -> None:
        """Send a request and receive the answer, which may begin before the request is sent."""
        loop = asyncio.get_running_loop()
        self._url, self._receiver = request.url, receiver
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._body_left = UNKNOWN
        try:
            data = self._encode(request, address)
        except (h11.LocalProtocolError, ValueError) as fault:
            raise invalid_address_error(request.url, fault) from fault
        if self._lost:
            raise unreachable_error(request.url, self._lost)
        done: asyncio.Future[None] = loop.create_future()
        self._done = done
        self._transport.write(data)
        self._transport.resume_reading()
        if request.silence is None:
            await done
            return
        self._last_data = loop.time()
        while (left := self._last_data + request.silence - loop.time()) > 0:
            finished, _ = await asyncio.wait([done], timeout=left)
            if finished:
                done.result()
                return
        raise connection_broken_error(request.url, TimeoutError(f"no data for {request.silence:g} s"))

    def _encode(self, request: HttpRequest, address: Address) -> bytes:
        headers = {"Host": address.name, **DEFAULT_HEADERS, "Connection": "keep-alive", **request.headers}
        if request.body is not None or request.method in METHODS_WITH_BODY:
            headers["Content-Length"] = str(len(request.body or b""))
        head = h11.Request(method=request.method, target=address.target, headers=list(headers.items()))
        events = (head, h11.Data(data=request.body or b""), h11.EndOfMessage())
        return b"".join(self._state.send(event) or b"" for event in events)

    def data_received(self, data: bytes) -> None:
        """Read data of the answer. Data that belongs to no request makes the connection unusable."""
        if self._done is None or self._done.done():
            self._is_reusable = False
            return
        self._last_data = asyncio.get_running_loop().time()
        try:
            if self._body_left != UNKNOWN:
                self._read_counted_body(data)
            elif data or self._state.their_state is not h11.SEND_RESPONSE:
                self._state.receive_data(data)
                self._read_events()
            else:
                raise h11.RemoteProtocolError("the server closed the connection without an answer")
        except h11.ProtocolError as fault:
            self._fail(connection_broken_error(self._url, fault))
        except Exception as fault:  # noqa: BLE001 - what the receiver raises reaches its caller
            self._fail(fault)

    def eof_received(self) -> None:
        self._is_reusable = False
        self.data_received(b"")

    def connection_lost(self, fault: Exception | None) -> None:
        self._lost = fault or ConnectionResetError("the server closed the connection")
        if fault and self._done:
            self._fail(connection_broken_error(self._url, fault))
        self.eof_received()

    def _read_events(self) -> None:
        """Read the head, and a body whose length h11 finds out."""
        while (event := self._state.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                self._read_head(event)
                if self._body_left != UNKNOWN:
                    return
            elif isinstance(event, h11.Data):
                self._receiver.take(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._end(nothing_follows=not self._state.trailing_data[0])
                return
            elif not isinstance(event, h11.InformationalResponse) or event.status_code == SWITCHING_PROTOCOLS:
                raise h11.RemoteProtocolError("the server does not speak HTTP/1.1")

    def _read_head(self, response: h11.Response) -> None:
        headers = _headers(response)
        if response.http_version != b"1.1" or "close" in headers.get("connection", "").lower():
            self._is_reusable = False
        self._receiver.begin(Head(response.status_code, headers))
        self._body_left = _content_length(response.status_code, headers)
        if self._body_left == UNKNOWN:
            return
        # h11 would copy every byte of the body twice, so the rest is counted here.
        begun, _ = self._state.trailing_data
        del self._state
        if begun or not self._body_left:
            self._read_counted_body(begun)

    def _read_counted_body(self, data: bytes) -> None:
        """Read a body with a Content-Length."""
        if self._body_left and not data:
            raise h11.RemoteProtocolError(f"{self._body_left:,} bytes are missing")
        part = data[: self._body_left]
        if part:
            self._receiver.take(part)
        self._body_left -= len(part)
        if not self._body_left:
            self._end(nothing_follows=len(part) == len(data))

    def _end(self, *, nothing_follows: bool) -> None:
        """Finish the answer. Data behind it makes the connection unusable."""
        self._is_reusable = self._is_reusable and nothing_follows
        self._receiver.end()
        if self._done:
            self._done.set_result(None)

    def _fail(self, fault: Exception) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(fault)
        self._transport.abort()

    def become_idle(self) -> bool:
        """Wait for another request. Returns False if the connection cannot take one."""
        self._idle_until = asyncio.get_running_loop().time() + IDLE_SECONDS
        return self._is_reusable

    def is_usable(self) -> bool:
        """Whether an idle connection can take a request."""
        return self._is_reusable and asyncio.get_running_loop().time() < self._idle_until

    def close(self) -> None:
        """Close at once, whatever is under way."""
        if self._done:
            self._done.cancel()
        self._transport.abort()


def _headers(response: h11.Response) -> dict[str, str]:
    """Headers with names in lower case; repeated ones are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii"), _header_value(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _content_length(status: int, headers: dict[str, str]) -> int:
    """The length of the body in bytes, or UNKNOWN if the Content-Length does not decide it."""
    if "transfer-encoding" in headers or status in STATUSES_WITHOUT_BODY or "content-length" not in headers:
        return UNKNOWN
    return int(headers["content-length"])  # h11 has checked it


def _header_value(value: bytes) -> str:
    """The text of a header; HTTP leaves the encoding open."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
