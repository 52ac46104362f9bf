"""One exchange with a server, within limits. The owner of httpx: nothing of it is seen outside of this module."""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.request import getproxies

import httpx

from flux_cli.core.datauri import too_large
from flux_cli.core.errors import ConfigError, DiskError, NetworkError, ProviderError
from flux_cli.core.noun import NamedTuple
from flux_cli.core.request import Reply
from flux_cli.core.text import plain
from flux_cli.core.trust import host_of
from flux_cli.http.direct import Direct
from flux_cli.http.packed import Unpacker
from flux_cli.http.spool import Splitter, Spool

MAX_BYTES = 128 << 20  # of one answer; the largest known picture is 8 MB
MAX_WORDS = 8 << 20  # bytes of an answer without the pictures in it
CONNECT_SECONDS = 15.0

Transport = httpx.AsyncBaseTransport


class UnreachableError(NetworkError):
    """Nothing was sent: no address, no connection, no free file. `hopeless`: nor will it be the next time."""

    hopeless = False


class Ask(NamedTuple):
    """One request as it goes out. `silence` is how many seconds may pass without a byte; None: any number."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    silence: float | None = None
    into: Path | None = None  # a file for the body of a good answer; None: it is JSON
    heard: Callable[[Reply], None] | None = None  # gets the answer at once: nothing that fails later can lose it


class Wire:
    """The clients of one run; `transport` stands in for the network where there is none."""

    def __init__(self, spool: Spool, connect: float, transport: Transport | None = None) -> None:
        self._spool, self._connect, self._transport = spool, connect, transport
        self._clients: dict[str, httpx.AsyncClient] = {}  # by scheme

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))

    async def exchange(self, ask: Ask) -> Reply:
        """Send one request and read the answer. Raises UnreachableError where nothing was sent, NetworkError where the
        connection broke afterwards, ProviderError for answers over a limit, DiskError where they cannot be kept.
        """
        with _failures(ask.url):
            client = self._client(ask.url)
            timeout = httpx.Timeout(ask.silence, connect=self._connect, pool=None)
            request = client.build_request(ask.method, ask.url, headers=ask.headers, content=ask.body, timeout=timeout)
            async with _response(client, request) as response:
                if ask.into and response.status_code == httpx.codes.OK:
                    await _to_file(_unpacked(response), ask.into)
                    return Reply(response.status_code, dict(response.headers), b"")
                reply = await self._read(response)
                if ask.heard:
                    ask.heard(reply)
                return reply

    async def _read(self, response: httpx.Response) -> Reply:
        splitter = Splitter(self._spool.new, MAX_BYTES)
        try:
            async for part in _unpacked(response):
                splitter.feed(part)
                if len(splitter.kept) > MAX_WORDS:
                    raise too_large(MAX_WORDS)
        except BaseException:
            splitter.drop()
            raise
        splitter.close()
        return Reply(response.status_code, dict(response.headers), bytes(splitter.kept))

    def _client(self, url: str) -> httpx.AsyncClient:
        scheme = httpx.URL(url).scheme
        if scheme not in self._clients:
            self._clients[scheme] = _connect(self._transport, scheme)
        return self._clients[scheme]


class InProcess(Transport):
    """A transport without a network: every POST body goes to a function, which answers. It carries `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await asyncio.to_thread(self._answer, await request.aread())
        return httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(reply.data))


def _connect(transport: Transport | None, scheme: str) -> httpx.AsyncClient:
    """A client for one scheme. Proxies are httpx's business, all else goes out directly."""
    try:
        proxied = transport is None and not {scheme, "all"}.isdisjoint(getproxies())
        # No certificates are read where none are needed: it takes long.
        trust = httpx.create_ssl_context() if transport is None and (proxied or scheme == "https") else None
        return httpx.AsyncClient(
            transport=transport if transport or proxied else Direct(trust),
            verify=trust or True,
            # A kept connection may be closed by the server just as the next POST goes out, and nobody could say
            # whether that one was paid for: behind a proxy every call opens its own.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"User-Agent": "flux-image-cli", "Accept-Encoding": "identity"},
            follow_redirects=False,
        )
    except (ValueError, OSError, httpx.HTTPError, httpx.InvalidURL, ImportError) as fault:
        raise _settings(fault) from fault


def _settings(fault: Exception) -> ConfigError:
    hint = "look at HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE"
    return ConfigError(f"the network settings of the environment are wrong: {fault}", hint=hint)


@asynccontextmanager
async def _response(client: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    response = await client.send(request, stream=True)
    try:
        yield response
    finally:
        await response.aclose()


async def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in parts, at most MAX_BYTES of it. Raises ProviderError above; httpx would unpack every part whole."""
    size, host = 0, response.url.host
    unpacker = Unpacker(response.headers.get("content-encoding", ""), host)
    async for raw in response.aiter_raw():
        for part in unpacker.feed(raw):
            size += len(part)
            if size > MAX_BYTES:
                raise ProviderError(f"the answer of {host} is larger than {MAX_BYTES >> 20} MiB")
            yield part
    unpacker.close()


async def _to_file(parts: AsyncIterator[bytes], path: Path) -> None:
    try:
        with path.open("xb") as file:
            async for part in parts:
                file.write(part)
    except BaseException:
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - half a picture is no picture
        raise


@contextmanager
def _failures(url: str) -> Iterator[None]:
    """Every way an exchange can fail, in our own words."""
    host = host_of(url)
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
        error = UnreachableError(f"cannot reach {host}: {_cause(fault)}", hint=_hint(fault))
        error.hopeless = _is_certificate(fault)
        raise error from fault
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as fault:
        error = UnreachableError(f"{plain(url, 200)!r} is no address: {fault}")
        error.hopeless = True
        raise error from fault
    except httpx.TransportError as fault:
        raise NetworkError(f"the connection to {host} broke before the answer was complete: {_cause(fault)}") from fault
    except (httpx.HTTPError, httpx.StreamError, ValueError) as fault:
        raise ProviderError(f"the answer of {host} cannot be read: {_cause(fault)}") from fault
    except OSError as fault:
        if fault.errno in (errno.EMFILE, errno.ENFILE):
            raise NetworkError(f"the answer of {host} cannot be kept: {fault.strerror}") from fault
        raise DiskError(f"the answer of {host} cannot be kept: {fault.strerror}") from fault


def _cause(fault: BaseException) -> str:
    """The innermost message: httpx wraps what the operating system or TLS said."""
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    if isinstance(fault, OSError) and not isinstance(fault, ssl.SSLError) and (fault.errno or 0) > 0:
        return os.strerror(fault.errno or 0)
    return plain(str(fault)) or type(fault).__name__


def _is_certificate(fault: BaseException) -> bool:
    return "certificate" in _cause(fault).lower()


def _hint(fault: BaseException) -> str:
    if _is_certificate(fault):
        return "name your own authority's certificates in SSL_CERT_FILE"
    return "check the network, the proxy variables and --base-url"
