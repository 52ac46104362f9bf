"""HTTP/1.1 on connections of our own: asyncio and h11, where no proxy stands between.

An image comes in megabytes, and a POST shares its connection with nobody. Here every part of an answer is handed on
as it was read, without waking anybody: nothing piles up however many answers come at once, and nothing is copied on the
way. A library that is made for everything passes it through eight layers. benchmarks/fanout.py measures the difference.
"""

from __future__ import annotations

import asyncio
import os
import ssl

import certifi
import h11

from flux_cli.http.address import Address, read_address
from flux_cli.http.carrier import (
    SENT_ALWAYS,
    Head,
    HttpRequest,
    Receiver,
    broken,
    no_address,
    unreachable,
    wrong_settings,
)

READ = 1 << 17  # bytes read at once; the C library would take fresh pages from the system for twice as many, each time
LONGEST_HEAD = 100 << 10  # bytes of an answer's headers
KEPT = 16  # connections to one server that wait for the next GET
KEPT_SECONDS = 5.0  # servers close them after as little as that
WITH_BODY = ("POST", "PUT", "PATCH")
SWITCHING_PROTOCOLS = 101
UNKNOWN = -1
NO_BODY = (204, 304)  # whatever the headers say


class Direct:
    """A connection for every POST, and for GETs those that are left over."""

    def __init__(self, connect: float) -> None:
        self._connect = connect  # seconds
        self._trust: ssl.SSLContext | None = None
        self._kept: dict[str, list[Connection]] = {}  # by origin

    async def carry(self, ask: HttpRequest, receiver: Receiver) -> None:
        """See `Carrier`."""
        address = read_address(ask.url)
        # The server may be about to close a kept connection, and nobody could say whether a POST on it was paid for.
        shared = ask.method == "GET"
        line = (self._left_over(address.origin) if shared else None) or await self._open(ask.url, address)
        try:
            await line.converse(ask, address, receiver)
        except BaseException:
            line.close()
            raise
        lines = self._kept.setdefault(address.origin, [])
        if shared and len(lines) < KEPT and line.rest():
            lines.append(line)
        else:
            line.close()

    async def close(self) -> None:
        """Close what is left over."""
        for lines in self._kept.values():
            for line in lines:
                line.close()
        self._kept.clear()

    def _left_over(self, origin: str) -> Connection | None:
        lines = self._kept.get(origin, [])
        while lines:
            line = lines.pop()
            if line.is_usable():
                return line
            line.close()
        return None

    async def _open(self, url: str, address: Address) -> Connection:
        if address.scheme == "https" and self._trust is None:
            self._trust = _trusted()
        tls = self._trust if address.scheme == "https" else None
        try:
            async with asyncio.timeout(self._connect):
                _, line = await asyncio.get_running_loop().create_connection(
                    Connection, address.host, address.port, ssl=tls, happy_eyeballs_delay=0.25
                )
        except TimeoutError as fault:
            raise unreachable(url, TimeoutError(f"no connection within {self._connect:g} s")) from fault
        except OSError as fault:
            raise unreachable(url, fault) from fault
        return line


def _trusted() -> ssl.SSLContext:
    """Whom TLS believes. To read certificates takes long: nobody should where none are needed."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if folder and not file:
            trust = ssl.create_default_context(capath=folder)
        else:
            trust = ssl.create_default_context(cafile=file or certifi.where())
    except (OSError, ValueError) as fault:
        raise wrong_settings(fault) from fault
    trust.set_alpn_protocols(["http/1.1"])
    return trust


class Connection(asyncio.Protocol):
    """One connection, and where its conversation stands."""

    _transport: asyncio.Transport
    _url: str
    _receiver: Receiver
    _state: h11.Connection  # of one request and its answer; the next gets a new one
    _left: int  # bytes to come of a body whose length is known, else UNKNOWN
    _heard: float

    def __init__(self) -> None:
        self._over: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._usable, self._until = True, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a connection reads and writes
        transport.max_size = READ  # type: ignore[attr-defined] # asyncio has no option for it; elsewhere it does no harm
        self._transport.pause_reading()  # some servers refuse before they are asked: nobody could receive it yet

    async def converse(self, ask: HttpRequest, address: Address, receiver: Receiver) -> None:
        """Send a request whole, and hand on the answer. A server may refuse before it has read everything."""
        loop = asyncio.get_running_loop()
        self._url, self._receiver = ask.url, receiver
        self._state, self._left = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD), UNKNOWN
        try:
            request = self._request(ask, address)
        except (h11.LocalProtocolError, ValueError) as fault:
            raise no_address(ask.url, fault) from fault
        if self._lost:
            raise unreachable(ask.url, self._lost)
        over: asyncio.Future[None] = loop.create_future()
        self._over = over
        self._transport.write(request)
        self._transport.resume_reading()
        if ask.silence is None:
            await over
            return
        self._heard = loop.time()
        while (left := self._heard + ask.silence - loop.time()) > 0:
            done, _ = await asyncio.wait([over], timeout=left)
            if done:
                over.result()
                return
        raise broken(ask.url, TimeoutError(f"{ask.silence:g} s without a byte"))

    def _request(self, ask: HttpRequest, address: Address) -> bytes:
        headers = {"Host": address.name, **SENT_ALWAYS, "Connection": "keep-alive", **ask.headers}
        if ask.body is not None or ask.method in WITH_BODY:
            headers["Content-Length"] = str(len(ask.body or b""))
        head = h11.Request(method=ask.method, target=address.target, headers=list(headers.items()))
        events = (head, h11.Data(data=ask.body or b""), h11.EndOfMessage())
        return b"".join(self._state.send(event) or b"" for event in events)

    def data_received(self, data: bytes) -> None:
        """Make of it what it is. What is said unasked, or behind the end, counts for nothing."""
        if self._over is None or self._over.done():
            self._usable = False
            return
        self._heard = asyncio.get_running_loop().time()
        try:
            if self._left != UNKNOWN:
                self._go_on_by_length(data)
            elif data or self._state.their_state is not h11.SEND_RESPONSE:
                self._state.receive_data(data)
                self._go_on()
            else:
                raise h11.RemoteProtocolError("Server disconnected without sending a response.")
        except h11.ProtocolError as fault:
            self._fail(broken(self._url, fault))
        except Exception as fault:  # noqa: BLE001 - what the receiver has to say belongs to whoever asked
            self._fail(fault)

    def eof_received(self) -> None:
        self._usable = False
        self.data_received(b"")

    def connection_lost(self, fault: Exception | None) -> None:
        self._lost = fault or ConnectionResetError("the server hung up")
        if fault and self._over:
            self._fail(broken(self._url, fault))
        self.eof_received()

    def _go_on(self) -> None:
        """Read the head, and a body that says by itself where it ends."""
        while (event := self._state.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                headers = _headers(event)
                if event.http_version != b"1.1" or "close" in headers.get("connection", "").lower():
                    self._usable = False
                self._receiver.begin(Head(event.status_code, headers))
                self._left = _length(event.status_code, headers)
                if self._left != UNKNOWN:  # h11 would copy every byte twice
                    begun, _ = self._state.trailing_data
                    del self._state  # and keep what it has read
                    if begun or not self._left:
                        self._go_on_by_length(begun)
                    return
            elif isinstance(event, h11.Data):
                self._receiver.take(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._end(whole=not self._state.trailing_data[0])
                return
            elif not isinstance(event, h11.InformationalResponse) or event.status_code == SWITCHING_PROTOCOLS:
                raise h11.RemoteProtocolError("the server speaks another protocol")

    def _go_on_by_length(self, data: bytes) -> None:
        """Read a body whose length is known."""
        if self._left and not data:
            raise h11.RemoteProtocolError(f"{self._left:,} bytes are missing")
        part = data[: self._left]
        if part:
            self._receiver.take(part)
        self._left -= len(part)
        if not self._left:
            self._end(whole=len(part) == len(data))

    def _end(self, *, whole: bool) -> None:
        """The answer is over; `whole`: and nothing came behind it."""
        self._usable = self._usable and whole
        self._receiver.end()
        if self._over:
            self._over.set_result(None)

    def _fail(self, fault: Exception) -> None:
        if self._over and not self._over.done():
            self._over.set_exception(fault)
        self._transport.abort()

    def rest(self) -> bool:
        """Make ready for another request; False where the conversation was the last."""
        self._until = asyncio.get_running_loop().time() + KEPT_SECONDS
        return self._usable

    def is_usable(self) -> bool:
        """Whether the server has neither closed it nor is about to, nor spoken unasked."""
        return self._usable and asyncio.get_running_loop().time() < self._until

    def close(self) -> None:
        """Close at once, whatever is under way."""
        if self._over:
            self._over.cancel()
        self._transport.abort()


def _headers(response: h11.Response) -> dict[str, str]:
    """Names in lower case; what stands there twice is a list."""
    headers: dict[str, str] = {}
    for raw, value in response.headers:
        name, text = raw.decode("ascii"), _text(value)
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _length(status: int, headers: dict[str, str]) -> int:
    """The bytes of the body, where that is how its end is known."""
    if "transfer-encoding" in headers or status in NO_BODY or "content-length" not in headers:
        return UNKNOWN
    return int(headers["content-length"])  # h11 has seen to it that it is a number


def _text(value: bytes) -> str:
    """A header's value; HTTP does not say in which encoding."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
