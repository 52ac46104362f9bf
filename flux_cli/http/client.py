"""The one door to the network: retries, deadlines, redirects, key safety and shared restraint.

The rule "never pay twice" lives here: a POST is repeated only when it surely did no work.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar
from urllib.parse import urljoin

from flux_cli.core.errors import (
    ConfigError,
    DeadlineError,
    DiskError,
    FluxError,
    ImageError,
    NetworkError,
    ProviderError,
)
from flux_cli.core.request import Auth, Media, Post, Reply, Stop
from flux_cli.core.text import plain
from flux_cli.http.carrier import Carrier, HttpRequest, UnreachableError
from flux_cli.http.datauri import decode_data_uri
from flux_cli.http.exchange import CONNECT_SECONDS, MAX_BYTES, Connections, InProcess
from flux_cli.http.replies import MARK, RETRYABLE, TOO_MANY, failure, forbids_retry, is_good, is_passing, retry_after
from flux_cli.http.spool import Spool
from flux_cli.http.throttle import Throttle
from flux_cli.http.trust import credentials, host_of, media_address
from flux_cli.images.containers.registry import inspect

__all__ = ["Http", "InProcess"]

BILLED_HINT = "look at your provider's request list before you repeat it"
MAX_WAIT = 120.0  # seconds; a server that asks for more is given up
MAX_REDIRECTS = 5
STOP_SECONDS = 0.7  # Ctrl-C must end within a second
FETCH_SECONDS = 60.0  # without a byte, while a finished image is downloaded

Pause = Callable[[float], Awaitable[None]]
Step = Callable[[Literal["sent", "waiting"], str, float], None]  # what happens, why, and for how many seconds
Found = TypeVar("Found")


class Http:
    """The door for one run. `timeout` is in seconds, for asking and again for fetching one image; `folder` takes
    what arrives, at most `most` calls are in flight.

    `carrier`, `pause`, `clock` and `jitter` exist so that offline runs and tests need no network and no time.
    """

    def __init__(
        self,
        *,
        timeout: float,
        retries: int,
        folder: Path,
        most: int = 16,
        carrier: Carrier | None = None,
        pause: Pause = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._timeout, self._retries = timeout, retries
        self._pause, self._clock, self._jitter = pause, clock, jitter
        self.stopped: list[tuple[Stop, bool]] = []  # jobs that were given up, and whether the provider agreed
        self._spool = Spool(folder)
        self._connections = Connections(self._spool, min(CONNECT_SECONDS, timeout), carrier)
        self._throttle = Throttle(most, pause, time.monotonic)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.close()
        self._spool.close()

    async def post(
        self,
        post: Post,
        told: Step = lambda _kind, _reason, _seconds: None,
        answered: Callable[[Reply], None] = lambda _reply: None,
    ) -> Reply:
        """Send until there is a good answer, a final one, or an unclear one.

        Each try is `told` when it goes out, and so is each pause. A good answer is `answered` the moment it is whole,
        whatever happens next. Raises the FluxError the answer means; `billed` is set whenever work may have been done.
        """
        left, in_flight = self._timeout, False
        try:
            async with asyncio.timeout(None) as deadline:
                for attempt in range(self._retries + 1):
                    deadline.reschedule(None)  # waiting for a turn is nobody's fault
                    async with self._throttle.turn() as sent:
                        began = asyncio.get_running_loop().time()
                        deadline.reschedule(began + left)
                        in_flight = True
                        told("sent", "", 0.0)
                        answer = await self._attempt(post, answered)
                        in_flight = False
                    if isinstance(answer, Reply) and is_good(answer):
                        self._throttle.speed_up()
                        return answer
                    await self._wait(answer, post, attempt, told, sent)
                    left -= asyncio.get_running_loop().time() - began
        except TimeoutError as fault:
            message = f"no image within {self._timeout:g} s"
            raise DeadlineError(message, hint="allow more with --timeout", billed=in_flight) from fault
        raise AssertionError("unreachable: the last attempt raises")

    async def _attempt(self, post: Post, answered: Callable[[Reply], None]) -> Reply | UnreachableError:
        """One POST. UnreachableError is returned when nothing was sent, and may be tried again."""
        headers = {**post.headers, **credentials(post.url, post.auth), "Content-Type": "application/json"}
        body = json.dumps(post.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

        def heard(reply: Reply) -> None:
            if is_good(reply):
                answered(reply)

        try:
            return await self._connections.exchange(HttpRequest("POST", post.url, headers, body, heard=heard))
        except UnreachableError as fault:
            if fault.hopeless:
                raise
            return fault
        except ConfigError:
            raise
        except FluxError as fault:
            fault.billed, fault.hint = True, fault.hint or BILLED_HINT
            raise

    async def _wait(self, answer: Reply | UnreachableError, post: Post, attempt: int, told: Step, sent: float) -> None:
        """Sleep before the next attempt, or raise what the answer means if there is none."""
        asked = None
        if isinstance(answer, Reply):
            error: FluxError = _redirected(answer, post.url) or failure(answer, post.auth)
            again = answer.status in RETRYABLE and not forbids_retry(answer)
            asked = retry_after(answer, self._clock())
        else:
            error, again = answer, True
        seconds = asked if asked is not None else self._backoff(attempt)
        if error.status == TOO_MANY and seconds <= MAX_WAIT:
            self._throttle.slow_down(seconds, sent)
        if not again or attempt == self._retries or seconds > MAX_WAIT:
            raise error
        told("waiting", error.message, seconds)
        await self._pause(seconds)

    async def get(self, url: str, auth: Auth | None) -> Reply:
        """Read an address of the provider, whatever its status. What fails on the way is repeated: it costs nothing."""
        headers = credentials(url, auth)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._got(HttpRequest("GET", url, headers, silence=FETCH_SECONDS))
        except TimeoutError as fault:
            raise DeadlineError(f"{host_of(url)} did not answer within {self._timeout:g} s", billed=True) from fault

    async def _got(self, ask: HttpRequest) -> Reply:
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                reply = await self._connections.exchange(ask)
            except (NetworkError, ProviderError) as fault:
                if last:
                    fault.billed = True
                    raise
            else:
                if last or not is_passing(reply):
                    if error := _redirected(reply, ask.url):
                        error.billed = True
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
                        reply = await self._got(HttpRequest("GET", url, credentials(url, auth), silence=FETCH_SECONDS))
                        if not is_passing(reply) and (found := read(reply)) is not None:
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
            ask = HttpRequest(stop.method, stop.url, credentials(stop.url, auth))
            reply = await asyncio.wait_for(self._connections.exchange(ask), STOP_SECONDS)
        except (FluxError, TimeoutError, asyncio.CancelledError):
            return False
        return is_good(reply)

    def _backoff(self, attempt: int) -> float:
        """Seconds before the next attempt: doubling up to eight, with up to a quarter less at random."""
        return min(8.0, 0.5 * (1 << attempt)) * (1 - self._jitter() / 4)

    async def image(self, word: str, base: str, request_id: str = "") -> str:
        """The file with the image an answer names: taken out of it on arrival, as a data URI, or by its address.

        An address may be relative to `base`. `request_id` names the call in errors. Raises ImageError for what is no
        whole image, ProviderError for addresses nobody can mean, NetworkError where it cannot be had.
        """
        if word.startswith(MARK):
            path = self._spool.find(word.removeprefix(MARK))
            if path is None:
                raise ImageError("the image in the answer is no base64", billed=True, request_id=request_id)
            return path
        if word.startswith("data:"):
            data = decode_data_uri(word, MAX_BYTES)
            try:
                return self._spool.keep(data)
            except OSError as fault:
                raise DiskError(f"the image cannot be kept: {fault.strerror}", billed=True) from fault
        return await self._download(word, base, request_id)

    async def _download(self, url: str, base: str, request_id: str = "") -> str:
        """Fetch an image that is already paid for, without any key, until it is whole. Returns its file."""
        address = media_address(url, base)
        fault: FluxError = NetworkError("nobody tried")
        try:
            async with asyncio.timeout(self._timeout):
                for attempt in range(self._retries + 1):
                    try:
                        return await self._fetch(address, base)
                    except (NetworkError, ImageError) as error:
                        fault = error
                        if attempt < self._retries:
                            await self._pause(self._backoff(attempt) / 2)
        except TimeoutError:
            fault = NetworkError(f"not within {self._timeout:g} s")
        except (DiskError, ProviderError) as error:  # which no second try would change
            fault = error
        kind = type(fault) if isinstance(fault, DiskError | ImageError | ProviderError) else NetworkError
        message = f"the image was made, but could not be fetched: {fault}"
        hint = f"it may still be there for a while: {plain(address, 2000)}"
        raise kind(message, billed=True, hint=hint, status=fault.status, request_id=request_id) from fault

    async def _fetch(self, address: str, base: str) -> str:
        """One GET with its redirects, into a file. Raises NetworkError for every way it can fail, and ImageError."""
        path, is_whole = self._spool.new(), False
        try:
            for _ in range(MAX_REDIRECTS + 1):
                request = HttpRequest("GET", address, {}, silence=FETCH_SECONDS, into=path)
                reply = await self._connections.exchange(request)
                if reply.status not in (301, 302, 303, 307, 308):
                    break
                address = media_address(urljoin(address, reply.headers.get("location", "")), base)
            if reply.status != 200:
                raise NetworkError(f"{host_of(address)} answered HTTP {reply.status}", status=reply.status)
            with open(path, "rb") as file:  # noqa: ASYNC230 - it is in the system's memory
                inspect(file.read())
            is_whole = True
        except OSError as fault:  # too many open files: that passes
            raise NetworkError(f"it cannot be read: {fault.strerror}") from fault
        finally:
            if not is_whole:
                self._spool.release(path)
        return path

    def release(self, media: Sequence[Media]) -> None:
        """What arrived is not needed any more."""
        for one in media:
            self._spool.release(one.file)


def _redirected(reply: Reply, url: str) -> FluxError | None:
    if not 300 <= reply.status < 400:
        return None
    target = plain(reply.headers.get("location", "nowhere"), 200)
    message = f"{host_of(url)} redirects to {target}; keys do not follow redirects"
    return ProviderError(message, hint="give the new address with --base-url", status=reply.status)
