"""The one door to the network, and the owner of httpx: retries, deadlines, redirects, key safety and size limits.

The rule "never pay twice" lives here: a POST is repeated only when it surely did no work.
"""

import asyncio
import contextlib
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin

import httpx

from flux_cli.core.datauri import decode_data_uri
from flux_cli.core.errors import ConfigError, DeadlineError, FluxError, NetworkError, PictureError, ProviderError
from flux_cli.core.replies import RETRYABLE, failure, retry_after
from flux_cli.core.request import Auth, Post, Reply, Stop
from flux_cli.core.text import plain
from flux_cli.core.trust import credentials, host_of, media_address

MAX_BYTES = 128 << 20  # of one answer; the largest known picture is 8 MB
BILLED_HINT = "look at your provider's request list before you repeat it"
MAX_WAIT = 120.0  # seconds; a server that asks for more is given up
MAX_REDIRECTS = 5
CONNECT_SECONDS = 15.0
STOP_SECONDS = 0.7  # Ctrl-C must end within a second
FETCH_SECONDS = 60.0  # without a byte, while a finished picture is downloaded

Pause = Callable[[float], Awaitable[None]]
Waiting = Callable[[str, float], None]
Found = TypeVar("Found")


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
        self.stopped: list[tuple[Stop, bool]] = []  # jobs that were given up, and whether the provider agreed
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
        headers = {**post.headers, **credentials(post.url, post.auth)}
        try:
            request = self._client.build_request("POST", post.url, json=post.body, headers=headers)
            return await self._exchange(request, MAX_BYTES)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
            error = NetworkError(f"cannot reach {host_of(post.url)}: {_cause(fault)}", hint=_connect_hint(fault))
            if _is_certificate(fault):
                raise error from fault
            return error
        except httpx.UnsupportedProtocol as fault:
            raise ConfigError(f"cannot send to {post.url}: {fault}") from fault
        except httpx.TransportError as fault:
            message = f"the connection to {host_of(post.url)} broke before the answer was complete: {_cause(fault)}"
            raise NetworkError(message, billed=True, hint=BILLED_HINT) from fault
        except (httpx.DecodingError, httpx.InvalidURL) as fault:
            raise ProviderError(f"the answer of {host_of(post.url)} cannot be read: {fault}", billed=True) from fault

    async def _wait(self, answer: Reply | NetworkError, post: Post, attempt: int, waiting: Waiting) -> None:
        """Sleep before the next attempt, or raise what the answer means if there is none."""
        asked = None
        if isinstance(answer, Reply):
            error: FluxError = _redirected(answer, post.url) or failure(answer, post.auth)
            again = answer.status in RETRYABLE and not _forbids_retry(answer)
            asked = retry_after(answer, self._clock())
        else:
            error, again = answer, True
        if not again or attempt == self._retries or (asked or 0) > MAX_WAIT:
            raise error
        seconds = asked if asked is not None else self._backoff(attempt)
        waiting(error.message, seconds)
        await self._pause(seconds)

    async def get(self, url: str, auth: Auth | None) -> Reply:
        """Read an address of the provider, whatever its status. What fails on the way is repeated: it costs nothing."""
        headers = credentials(url, auth)
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                request = self._client.build_request("GET", url, headers=headers, timeout=_fetch_timeout())
                reply = await self._exchange(request, MAX_BYTES)
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                if last:
                    raise NetworkError(f"{host_of(url)}: {_cause(fault)}", billed=True) from fault
            else:
                if last or reply.status not in RETRYABLE:
                    if error := _redirected(reply, url):
                        raise error
                    return reply
            await self._pause(self._backoff(attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def poll(
        self,
        url: str,
        auth: Auth | None,
        read: Callable[[Reply], Found | None],
        seconds: float,
        stop: Stop | None = None,
    ) -> Found:
        """Read an address until `read` finds what it wants, or raises; at most until the deadline.

        The job behind it is paid for, so a network or server that fails meanwhile is no reason to give up. When the
        person gives up (Ctrl-C), the provider is asked to `stop` the job, once and briefly.
        """
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    with contextlib.suppress(NetworkError):
                        reply = await self.get(url, auth)
                        if reply.status not in RETRYABLE and (found := read(reply)) is not None:
                            return found
                    await self._pause(seconds)
        except TimeoutError as fault:
            message = f"not finished within {self._timeout:g} s"
            hint = f"allow more with --timeout; the job goes on at {plain(url, 2000)}"
            raise DeadlineError(message, hint=hint, billed=True) from fault
        except asyncio.CancelledError:
            if stop:
                self.stopped.append((stop, await self._stop(stop, auth)))
            raise

    async def _stop(self, stop: Stop, auth: Auth | None) -> bool:
        """Whether the provider agreed to stop a job."""
        try:
            request = self._client.build_request(stop.method, stop.url, headers=credentials(stop.url, auth))
            reply = await asyncio.wait_for(self._exchange(request, MAX_BYTES), STOP_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, FluxError, TimeoutError, asyncio.CancelledError):
            return False
        return 200 <= reply.status < 300

    def _backoff(self, attempt: int) -> float:
        """Seconds before the next attempt: doubling up to eight, with up to a quarter less at random."""
        return min(8.0, 0.5 * (1 << attempt)) * (1 - self._jitter() / 4)

    async def download(self, url: str, base: str, check: Callable[[bytes], object], request_id: str = "") -> bytes:
        """Fetch a picture that is already paid for, without any key, until it is whole.

        `url` may be absolute, relative to `base`, or a data URI. `check` raises PictureError for bytes that are no
        whole picture; they are fetched again. `request_id` names the call in errors. Raises ProviderError for
        addresses nobody can mean, else NetworkError.
        """
        if url.startswith("data:"):
            return decode_data_uri(url, MAX_BYTES)
        address = media_address(url, base)
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
                            await self._pause(self._backoff(attempt) / 2)
                    else:
                        return data
        except TimeoutError:
            fault = DeadlineError(f"not within {self._timeout:g} s")
        kind = PictureError if isinstance(fault, PictureError) else NetworkError
        message = f"the picture was made, but could not be fetched: {fault}"
        hint = f"it may still be there for a while: {plain(address, 2000)}"
        raise kind(message, billed=True, hint=hint, request_id=request_id) from fault

    async def _fetch(self, address: str, base: str) -> bytes:
        """One GET with its redirects. Raises NetworkError for every way it can fail."""
        for _ in range(MAX_REDIRECTS + 1):
            try:
                request = self._client.build_request("GET", address, timeout=_fetch_timeout())
                reply = await self._exchange(request, MAX_BYTES)
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                raise NetworkError(f"{host_of(address)}: {_cause(fault)}") from fault
            if reply.status not in (301, 302, 303, 307, 308):
                break
            address = media_address(urljoin(address, reply.headers.get("location", "")), base)
        if reply.status != 200:
            raise NetworkError(f"{host_of(address)} answered HTTP {reply.status}", status=reply.status)
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


def _forbids_retry(reply: Reply) -> bool:
    """Whether the server itself says that repeating is useless, or has ended because of the caller's own deadline."""
    said = (reply.headers.get(name, "").lower() for name in ("x-should-retry", "x-fal-retryable"))
    return "false" in said


def _fetch_timeout() -> httpx.Timeout:
    return httpx.Timeout(FETCH_SECONDS, connect=CONNECT_SECONDS, pool=None)


def _redirected(reply: Reply, url: str) -> FluxError | None:
    if not 300 <= reply.status < 400:
        return None
    target = plain(reply.headers.get("location", "nowhere"), 200)
    message = f"{host_of(url)} redirects to {target}; keys do not follow redirects"
    return ProviderError(message, hint="give the new address with --base-url", status=reply.status)


def _cause(fault: BaseException) -> str:
    """The innermost message: httpx wraps what the operating system or TLS said."""
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    if isinstance(fault, OSError) and not isinstance(fault, ssl.SSLError) and (fault.errno or 0) > 0:
        return os.strerror(fault.errno or 0)
    return plain(str(fault)) or type(fault).__name__


def _is_certificate(fault: BaseException) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in _cause(fault) or "certificate" in _cause(fault).lower()


def _connect_hint(fault: BaseException) -> str:
    if _is_certificate(fault):
        return "name your own authority's certificates in SSL_CERT_FILE"
    return "check the network, the proxy variables and --base-url"
