"""One connection: sends a request in pieces, and pushes the answer to a receiver."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import h11
import httpx

from flux_cli.http.errors import protocol_fault
from flux_cli.http.exchange import Head, Receiver
from flux_cli.http.machine.keepalive import keep_alive

READ_BYTES = 1 << 17  # per read; from 256 KiB on, malloc would fetch fresh pages for each read
REST_BYTES = 1 << 16  # per read when the connection has broken
MAX_HEAD_BYTES = 100 << 10
IDLE_SECONDS = 5.0  # the shortest time after which servers are known to close idle connections
SWITCHING_PROTOCOLS = 101
STATUSES_WITHOUT_BODY = (204, 304)  # whatever their headers say
UNKNOWN = -1


class Connection(asyncio.Protocol):
    """One connection and the exchange that is under way on it."""

    _transport: asyncio.Transport
    _receiver: Receiver
    _state: h11.Connection  # of one request and its answer
    _body_left: int  # bytes still to come of a body with a Content-Length, else UNKNOWN
    _last_data: float  # time of the last data
    _status: int

    def __init__(self) -> None:
        self._done: asyncio.Future[None] | None = None  # of the current exchange
        self._lost: Exception | None = None
        self._is_reusable, self._idle_until = True, 0.0
        self._may_write: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._may_write.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a connection reads and writes
        keep_alive(transport)
        transport.max_size = READ_BYTES  # type: ignore[attr-defined] # asyncio has no option for it
        self._transport.pause_reading()  # until `exchange`: some servers send an error at once

    async def exchange(self, request: httpx.Request) -> int:
        """Send a request, receive the answer, and return its status.

        The answer may begin before the request is sent.
        """
        loop = asyncio.get_running_loop()
        self._receiver = request.extensions["receiver"]
        silence: float | None = request.extensions["timeout"]["read"]  # None: any number of seconds
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._body_left = UNKNOWN
        try:
            head = self._encode_head(request)
        except (h11.LocalProtocolError, ValueError) as fault:
            raise httpx.LocalProtocolError(str(fault)) from fault
        if self._lost:
            raise httpx.ConnectError(str(self._lost)) from self._lost
        done: asyncio.Future[None] = loop.create_future()
        self._done = done
        self._transport.resume_reading()
        await self._send(head, request.stream, done)
        if silence is None:
            await done
        else:
            await self._wait(done, silence)
        return self._status

    async def _wait(self, done: asyncio.Future[None], silence: float) -> None:
        """Wait for the end of the answer. Raises ReadTimeout after so many seconds without data."""
        loop = asyncio.get_running_loop()
        self._last_data = loop.time()
        while (left := self._last_data + silence - loop.time()) > 0:
            finished, _ = await asyncio.wait([done], timeout=left)
            if finished:
                done.result()
                return
        raise httpx.ReadTimeout(f"no data for {silence:g} s")

    def _encode_head(self, request: httpx.Request) -> bytes:
        head = h11.Request(
            method=request.method,
            target=request.url.raw_path,
            headers=request.headers.raw,
        )
        return self._state.send(head) or b""

    async def _send(
        self,
        head: bytes,
        body: httpx.AsyncByteStream | httpx.SyncByteStream,
        done: asyncio.Future[None],
    ) -> None:
        """Send a request whose head says how long the body is, no faster than it is taken.

        What is left is not sent once the exchange is `done`: the answer may come before.
        """
        assert isinstance(body, httpx.AsyncByteStream)  # noqa: S101 - of an asynchronous client
        unsent = head
        async for piece in body:
            if not unsent:
                await _let_loop_read()
            if done.done():
                return
            self._transport.write(unsent + piece)
            unsent = b""
            if not self._may_write.done():
                await asyncio.wait((self._may_write, done), return_when=asyncio.FIRST_COMPLETED)
        if unsent:  # there is no body
            self._transport.write(unsent)

    def pause_writing(self) -> None:
        """Wait with the rest of the body: the other side takes it more slowly."""
        self._may_write = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Go on with the body."""
        if not self._may_write.done():
            self._may_write.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Read data of the answer. Data outside an exchange makes the connection unusable."""
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
            self._fail(httpx.RemoteProtocolError(protocol_fault(fault, data)))
        except Exception as fault:  # noqa: BLE001 - what the receiver raises reaches its caller
            self._fail(fault)

    def eof_received(self) -> None:
        self._is_reusable = False
        self.data_received(b"")

    def connection_lost(self, fault: Exception | None) -> None:
        self._lost = fault or ConnectionResetError("the server closed the connection")
        if fault and self._done:
            self._read_rest()
            broken = httpx.ReadError(str(fault))
            broken.__cause__ = fault
            self._fail(broken)
        self.eof_received()

    def _read_rest(self) -> None:
        """Read what had arrived before a write failed: perhaps the refusal of what was being sent.

        Of what TLS has encrypted, nothing more can be read.
        """
        if self._transport.get_extra_info("ssl_object"):
            return
        with suppress(OSError), self._transport.get_extra_info("socket").dup() as copy:
            while data := copy.recv(REST_BYTES):
                self.data_received(data)

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
            elif not isinstance(event, h11.InformationalResponse) or _is_switch(event):
                raise h11.RemoteProtocolError("the server does not speak HTTP/1.1")

    def _read_head(self, response: h11.Response) -> None:
        headers = _headers(response)
        if response.http_version != b"1.1" or "close" in headers.get("connection", "").lower():
            self._is_reusable = False
        self._status = response.status_code
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


async def _let_loop_read() -> None:
    """Let the loop read what has arrived. The first turn finds it, and the second one is after it.

    Who refuses a request may hang up at once. The next write would fail, and lose the refusal.
    """
    for _ in range(2):
        await asyncio.sleep(0)


def _is_switch(response: h11.InformationalResponse) -> bool:
    return bool(response.status_code == SWITCHING_PROTOCOLS)


def _headers(response: h11.Response) -> dict[str, str]:
    """Headers with names in lower case; repeated ones are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii"), _header_value(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _content_length(status: int, headers: dict[str, str]) -> int:
    """The length of the body in bytes, or UNKNOWN if the Content-Length does not decide it."""
    is_counted = "content-length" in headers and "transfer-encoding" not in headers
    if not is_counted or status in STATUSES_WITHOUT_BODY:
        return UNKNOWN
    return int(headers["content-length"])  # h11 has checked it


def _header_value(value: bytes) -> str:
    """The text of a header; HTTP leaves the encoding open."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
