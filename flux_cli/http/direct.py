"""HTTP/1.1 on connections of our own: asyncio and h11 under httpx's API, where no proxy stands between.

httpx's own way is made for every event loop and hands on 64 KiB at a time through eight layers. A picture comes in
megabytes, and a POST shares its connection with nobody: on this way each costs a quarter less computing, and the first
one starts 20 ms earlier. benchmarks/fanout.py measures it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator

import h11
import httpx

READ = 1 << 17  # bytes read at once: with twice as many a picture in flight costs 0.9 MiB instead of 0.5
WAITING = READ // 2  # bytes that wait in one connection before it stops reading
LONGEST_HEAD = 100 << 10  # bytes of an answer's headers, as httpx's own way has it
KEPT = 16  # connections to one server that wait for the next GET
KEPT_SECONDS = 5.0  # servers close them after as little as that
PORTS = {"http": 80, "https": 443}
LAST_PORT = 65_535


class Direct(httpx.AsyncBaseTransport):
    """A connection for every POST, and for GETs those that are left over. `trust` says whom TLS believes."""

    def __init__(self, trust: ssl.SSLContext | None) -> None:
        self._trust = trust
        self._kept: dict[str, list[_Line]] = {}  # by origin
        if trust:
            trust.set_alpn_protocols(["http/1.1"])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the answer's head. Raises what httpx raises."""
        url, timeouts = request.url, request.extensions["timeout"]
        if url.scheme not in PORTS or not url.host or (url.port or 0) > LAST_PORT:
            raise httpx.UnsupportedProtocol("it needs http or https, a host, and a port up to 65535")
        # The server may be about to close a kept connection, and nobody could say whether a POST on it was paid for.
        origin = f"{url.scheme}://{url.netloc.decode()}" if request.method == "GET" else ""
        line = self._left_over(origin) or await self._open(url, timeouts["connect"])
        try:
            await line.send(request)
            answer = await line.head(timeouts["read"])
        except BaseException:
            line.close()
            raise
        body = _Body(line, timeouts["read"], lambda: self._keep(origin, line))
        return httpx.Response(answer.status_code, headers=answer.headers.raw_items(), stream=body)

    async def aclose(self) -> None:
        """Close what is left over."""
        for lines in self._kept.values():
            for line in lines:
                line.close()
        self._kept.clear()

    def _keep(self, origin: str, line: _Line) -> None:
        """Take a connection back: for the next GET if it is good for one."""
        lines = self._kept.setdefault(origin, []) if origin else []
        if origin and len(lines) < KEPT and line.rest():
            lines.append(line)
        else:
            line.close()

    def _left_over(self, origin: str) -> _Line | None:
        lines = self._kept.get(origin, [])
        while lines:
            line = lines.pop()
            if line.is_usable():
                return line
            line.close()
        return None

    async def _open(self, url: httpx.URL, seconds: float | None) -> _Line:
        loop = asyncio.get_running_loop()
        with _as_httpx(httpx.ConnectError, httpx.ConnectTimeout):
            async with asyncio.timeout(seconds):
                _, line = await loop.create_connection(
                    _Line,
                    url.raw_host.decode("ascii"),
                    url.port or PORTS[url.scheme],
                    ssl=(self._trust or True) if url.scheme == "https" else None,
                    happy_eyeballs_delay=0.25,
                )
        return line


class _Line(asyncio.Protocol):
    """One connection, and where its conversation stands."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._received: list[bytes] = []
        self._arrived = asyncio.Event()
        self._over = False
        self._fault: Exception | None = None  # why it is over
        self._until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment] # a connection reads and writes
        transport.max_size = READ  # type: ignore[attr-defined] # asyncio has no option for it; elsewhere it does no harm

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        if sum(map(len, self._received)) >= WAITING:
            self.transport.pause_reading()
        self._arrived.set()

    def eof_received(self) -> None:
        self.connection_lost(None)  # whether or not all of the request could be written

    def connection_lost(self, fault: Exception | None) -> None:
        self._over, self._fault = True, fault
        self._arrived.set()

    async def send(self, request: httpx.Request) -> None:
        """Send a request whole. A server may refuse before it has read everything: its answer says why."""
        body = await request.aread()
        with _as_httpx(httpx.WriteError, httpx.WriteTimeout):
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            events = (head, h11.Data(data=body), h11.EndOfMessage())
            self.transport.write(b"".join(self._state.send(event) or b"" for event in events))

    async def head(self, seconds: float | None) -> h11.Response:
        """The head of the answer; what servers say before it (1xx) is passed over."""
        while True:
            event = await self.next(seconds)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == httpx.codes.SWITCHING_PROTOCOLS:
                raise httpx.RemoteProtocolError("the server speaks another protocol")

    async def next(self, seconds: float | None) -> object:
        """The next part of the answer."""
        with _as_httpx(httpx.ReadError, httpx.ReadTimeout):
            while (event := self._state.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(seconds):
                    data = await self._read()
                if not data and self._state.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                self._state.receive_data(data)
        return event

    async def _read(self) -> bytes:
        """What has arrived, at least a byte; none at the end. Raises OSError where the connection broke."""
        await self._arrived.wait()
        data, self._received = b"".join(self._received), []
        if not data and self._fault:
            raise self._fault
        if not self._over:
            self._arrived.clear()
            self.transport.resume_reading()
        return data

    def rest(self) -> bool:
        """Make ready for another request; False where the conversation is not over, is the last, or goes on unasked."""
        over = self._state.our_state is h11.DONE and self._state.their_state is h11.DONE
        over = over and not self._state.trailing_data[0]
        if over:
            self._state.start_next_cycle()
            self._until = asyncio.get_running_loop().time() + KEPT_SECONDS
        return over

    def is_usable(self) -> bool:
        """Whether the server has neither closed it nor is about to, nor spoken unasked."""
        return asyncio.get_running_loop().time() < self._until and not self._arrived.is_set()

    def close(self) -> None:
        """Close at once, whatever is under way."""
        self.transport.abort()


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes; what becomes of its connection is `over` to somebody else."""

    def __init__(self, line: _Line, seconds: float | None, over: Callable[[], None]) -> None:
        self._line, self._seconds, self._over = line, seconds, over

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._line.next(self._seconds), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        self._over()


@contextlib.contextmanager
def _as_httpx(broken: type[httpx.NetworkError], late: type[httpx.TimeoutException]) -> Iterator[None]:
    """What the operating system, TLS and h11 raise, as httpx would have it."""
    try:
        yield
    except TimeoutError as fault:
        raise late(str(fault)) from fault
    except (OSError, UnicodeError) as fault:  # UnicodeError: a name no host can have
        raise broken(str(fault)) from fault
    except h11.RemoteProtocolError as fault:
        raise httpx.RemoteProtocolError(str(fault)) from fault
    except h11.LocalProtocolError as fault:
        raise httpx.LocalProtocolError(str(fault)) from fault
