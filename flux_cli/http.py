"""The one door to the network, and the owner of httpx: retries, deadlines, redirects, key safety and size limits.

The rule "never pay twice" lives here: a POST is repeated only when it surely did no work.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from flux_cli.core.datauri import decode_data_uri
from flux_cli.core.errors import ConfigError, DeadlineError, FluxError, NetworkError, PictureError, ProviderError
from flux_cli.core.replies import RETRYABLE, failure, retry_after
from flux_cli.core.request import Post, Reply
from flux_cli.core.text import plain

MAX_BYTES = 128 << 20  # of one answer; the largest known picture is 8 MB
MAX_WAIT = 120.0  # seconds; a server that asks for more is given up
MAX_REDIRECTS = 5
CONNECT_SECONDS = 15.0
FETCH_SECONDS = 60.0  # without a byte, while a finished picture is downloaded

Pause = Callable[[float], Awaitable[None]]
Waiting = Callable[[str, float], None]


class Http:
    """One client for one run. `timeout` is in seconds, for asking and again for fetching one picture.

    `transport`, `pause`, `clock` and `jitter` exist so that offline runs and tests need no network and no time.
    """

    def __init__(
        self,
        *,
        timeout: float,
        retries: int,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Pause = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._timeout, self._retries = timeout, retries
        self._pause, self._clock, self._jitter = pause, clock, jitter
        try:
            self._client = httpx.AsyncClient(
                transport=transport,
                timeout=httpx.Timeout(None, connect=min(CONNECT_SECONDS, timeout)),
                # A kept connection may be closed by the server just as the next POST goes out, and nobody could say
                # whether that one was paid for: every call opens its own.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
                headers={"User-Agent": "flux-image-cli", "Accept-Encoding": "identity"},
                follow_redirects=False,
            )
        except (ValueError, OSError, ssl.SSLError, httpx.HTTPError, httpx.InvalidURL, ImportError) as fault:
            hint = "look at HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE"
            raise ConfigError(f"the network settings of the environment are wrong: {fault}", hint=hint) from fault

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def post(self, post: Post, waiting: Waiting = lambda _reason, _seconds: None) -> Reply:
        """Send until there is a good answer, a final one, or an unclear one.

        Raises the FluxError the answer means; `billed` is set whenever the work may have been done.
        """
        in_flight = False
        try:
            async with asyncio.timeout(self._timeout):
                for attempt in range(self._retries + 1):
                    in_flight = True
                    answer = await self._attempt(post)
                    in_flight = False
                    if isinstance(answer, Reply) and 200 <= answer.status < 300:
                        return answer
                    await self._wait(answer, post, attempt, waiting)
        except TimeoutError as fault:
            message = f"no picture within {self._timeout:g} s"
            raise DeadlineError(message, hint="allow more with --timeout", billed=in_flight) from fault
        raise AssertionError("unreachable: the last attempt raises")

    async def _attempt(self, post: Post) -> Reply | NetworkError:
        """One POST. A NetworkError is returned when nothing was sent, and may be tried again."""
        headers = {"Authorization": f"Bearer {post.key.reveal()}"} if post.key else {}
        try:
            request = self._client.build_request("POST", post.url, json=post.body, headers=headers)
            return await self._exchange(request, MAX_BYTES)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
            error = NetworkError(f"cannot reach {_host(post.url)}: {_cause(fault)}", hint=_connect_hint(fault))
            if _is_certificate(fault):
                raise error from fault
            return error
        except httpx.UnsupportedProtocol as fault:
            raise ConfigError(f"cannot send to {post.url}: {fault}") from fault
        except httpx.TransportError as fault:
            message = f"the connection to {_host(post.url)} broke before the answer was complete: {_cause(fault)}"
            raise NetworkError(message, billed=True, hint=_billed_hint(post.url)) from fault
        except (httpx.DecodingError, httpx.InvalidURL) as fault:
            raise ProviderError(f"the answer of {_host(post.url)} cannot be read: {fault}", billed=True) from fault

    async def _wait(self, answer: Reply | NetworkError, post: Post, attempt: int, waiting: Waiting) -> None:
        """Sleep before the next attempt, or raise what the answer means if there is none."""
        asked = None
        if isinstance(answer, Reply):
            error: FluxError = _redirected(answer, post) or failure(answer, post.key_name)
            if post.key:
                error.message = post.key.redact(error.message)
            again = answer.status in RETRYABLE and answer.headers.get("x-should-retry", "").lower() != "false"
            asked = retry_after(answer, self._clock())
        else:
            error, again = answer, True
        if not again or attempt == self._retries or (asked or 0) > MAX_WAIT:
            raise error
        seconds = asked if asked is not None else min(8.0, 0.5 * 2**attempt) * (1 - self._jitter() / 4)
        waiting(error.message, seconds)
        await self._pause(seconds)

    async def download(self, url: str, base: str, check: Callable[[bytes], object]) -> bytes:
        """Fetch a picture that is already paid for, without any key, until it is whole.

        `url` may be absolute, relative to `base`, or a data URI. `check` raises PictureError for bytes that are no
        whole picture; they are fetched again. Raises ProviderError for addresses nobody can mean, else NetworkError.
        """
        if url.startswith("data:"):
            return decode_data_uri(url, MAX_BYTES)
        address = _media_address(url, base)
        fault: FluxError | None = None
        try:
            async with asyncio.timeout(self._timeout):
                for attempt in range(self._retries + 1):
                    try:
                        data = await self._fetch(address, base)
                        check(data)
                    except (NetworkError, PictureError) as error:
                        fault = error
                        if attempt < self._retries:
                            await self._pause(min(8.0, 0.25 * 2**attempt) * (1 - self._jitter() / 4))
                    else:
                        return data
        except TimeoutError:
            fault = DeadlineError(f"not within {self._timeout:g} s")
        kind = PictureError if isinstance(fault, PictureError) else NetworkError
        message = f"the picture was made, but could not be fetched: {fault}"
        raise kind(message, billed=True, hint=f"it may still be there for a while: {plain(address, 2000)}") from fault

    async def _fetch(self, address: str, base: str) -> bytes:
        """One GET with its redirects. Raises NetworkError for every way it can fail."""
        for _ in range(MAX_REDIRECTS + 1):
            request = self._client.build_request(
                "GET", address, timeout=httpx.Timeout(FETCH_SECONDS, connect=CONNECT_SECONDS, pool=None)
            )
            try:
                reply = await self._exchange(request, MAX_BYTES)
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                raise NetworkError(f"{_host(address)}: {_cause(fault)}") from fault
            if reply.status not in (301, 302, 303, 307, 308):
                break
            address = _media_address(urljoin(address, reply.headers.get("location", "")), base)
        if reply.status != 200:
            raise NetworkError(f"{_host(address)} answered HTTP {reply.status}", status=reply.status)
        return reply.data

    async def _exchange(self, request: httpx.Request, limit: int) -> Reply:
        """Send one request and read its body up to a limit. Raises httpx errors, and ProviderError above the limit."""
        response = await self._client.send(request, stream=True)
        try:
            parts, size = [], 0
            async for part in response.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > limit:
                    message = f"the answer of {request.url.host} is larger than {limit >> 20} MiB"
                    raise ProviderError(message, billed=request.method == "POST" and response.is_success)
            return Reply(response.status_code, dict(response.headers), b"".join(parts))
        finally:
            await response.aclose()


class InProcess(httpx.AsyncBaseTransport):
    """A transport without a network: every POST body goes to a function, which answers. It carries `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await asyncio.to_thread(self._answer, await request.aread())
        return httpx.Response(reply.status, headers=reply.headers, content=reply.data)


def _media_address(url: str, base: str) -> str:
    """The absolute address of a picture. Raises ProviderError for schemes and forms nobody can mean honestly."""
    try:
        address = urljoin(base + "/", url)
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.username is None and parts.password is None
        usable = usable and (parts.scheme == "https" or parts.scheme == urlsplit(base).scheme == "http")
    except ValueError:
        usable = False
    if not usable:
        raise ProviderError(f"the picture's address {plain(url, 100)!r} cannot be trusted", billed=True)
    return address


def _redirected(reply: Reply, post: Post) -> FluxError | None:
    if not 300 <= reply.status < 400:
        return None
    target = plain(reply.headers.get("location", "nowhere"), 200)
    message = f"{_host(post.url)} redirects to {target}; keys do not follow redirects"
    return ProviderError(message, hint="give the new address with --base-url", status=reply.status)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _cause(fault: BaseException) -> str:
    """The innermost message: httpx wraps what the operating system or TLS said."""
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    return plain(str(fault)) or type(fault).__name__


def _is_certificate(fault: BaseException) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in _cause(fault) or "certificate" in _cause(fault).lower()


def _connect_hint(fault: BaseException) -> str:
    if _is_certificate(fault):
        return "name your own authority's certificates in SSL_CERT_FILE"
    return "check the network, the proxy variables and --base-url"


def _billed_hint(url: str) -> str:
    return "look at your provider's request list before you repeat it" if _host(url) else ""
