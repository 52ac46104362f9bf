"""HTTP client: retries, deadlines, redirects, key safety, rate limiting.

Never pays twice: only requests that certainly had no effect are retried.
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

from flux_cli.core.auth import Auth
from flux_cli.core.errors import (
    ConfigError,
    DeadlineError,
    FluxError,
    NetworkError,
    ProviderError,
)
from flux_cli.core.model import Json
from flux_cli.core.outcome import Media, Reply, Stop
from flux_cli.core.request import Post
from flux_cli.core.text import plain
from flux_cli.http.download import Downloads
from flux_cli.http.errors import UnreachableError
from flux_cli.http.exchange import MAX_SILENCE, Exchanges, HttpRequest, Sender
from flux_cli.http.replies import (
    BILLED_HINT,
    TOO_MANY,
    is_good,
    is_temporary,
    may_retry,
    reply_error,
    retry_after,
)
from flux_cli.http.spool import Spool
from flux_cli.http.throttle import Throttle
from flux_cli.http.trust import credentials, host_and_port

CONNECT_SECONDS = 15.0
MAX_WAIT = 120.0  # seconds; a server that asks for a longer wait is given up
STOP_SECONDS = 0.7  # Ctrl-C must end within a second

Pause = Callable[[float], Awaitable[None]]
OnStep = Callable[[Literal["sent", "waiting"], str, float], None]  # step, reason, seconds
Found = TypeVar("Found")


class Http:
    """The client of one run.

    `timeout` is in seconds per image, once for generating it and once for receiving it. Received
    files go into `folder`, without one into memory; `spool` has them. At most `most` POSTs are in
    flight. `sender`, `pause`, `clock` and `jitter` let offline runs and tests work without network
    and time.
    """

    def __init__(
        self,
        *,
        timeout: float,
        retries: int,
        folder: Path | None,
        most: int = 16,
        sender: Sender | None = None,
        pause: Pause = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._timeout, self._retries = timeout, retries
        self._pause, self._clock, self._jitter = pause, clock, jitter
        # Jobs given up, and whether the provider stopped them.
        self.stopped: list[tuple[Stop, bool]] = []
        self._spool = Spool(folder)
        if sender is None:
            from flux_cli.http.network import Network  # imports httpx: offline runs do without

            sender = Network(min(CONNECT_SECONDS, timeout))
        self._exchanges = Exchanges(self._spool, sender)
        self._throttle = Throttle(most, pause, time.monotonic)
        self.downloads = Downloads(
            self._exchanges, self._spool, timeout, retries, self._pause_after
        )

    @property
    def spool(self) -> Spool:
        """Where received files are."""
        return self._spool

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exchanges.close()
        self._spool.close()

    async def post(
        self,
        post: Post,
        on_step: OnStep = lambda _kind, _reason, _seconds: None,
        on_answer: Callable[[Reply], None] = lambda _reply: None,
    ) -> Reply:
        """Send a request, with retries, and return its good answer.

        `on_step` is called when an attempt is sent and before each wait, `on_answer` the moment a
        good answer is complete. Raises the FluxError of a bad answer; `billed` is set if work may
        have been done.
        """
        left, in_flight = self._timeout, False

        def extend() -> None:
            """Give a good answer that has begun to arrive as long as the image has had."""
            if not deadline.expired():
                deadline.reschedule(asyncio.get_running_loop().time() + self._timeout)

        try:
            async with asyncio.timeout(None) as deadline:
                for attempt in range(self._retries + 1):
                    deadline.reschedule(None)  # waiting for a free slot does not count
                    async with self._throttle.turn() as sent:
                        began = asyncio.get_running_loop().time()
                        deadline.reschedule(began + left)
                        in_flight = True
                        on_step("sent", "", 0.0)
                        answer = await self._attempt(post, on_answer, extend)
                        in_flight = False
                    if isinstance(answer, Reply) and is_good(answer):
                        self._throttle.speed_up()
                        return answer._replace(until=began + left)
                    await self._wait(answer, post, attempt, on_step, sent)
                    left -= asyncio.get_running_loop().time() - began
        except TimeoutError as fault:
            message = f"no image within {self._timeout:g} s"
            raise DeadlineError(message, hint="increase --timeout", billed=in_flight) from fault
        raise AssertionError("unreachable: the last attempt raises")

    async def _attempt(
        self, post: Post, on_answer: Callable[[Reply], None], on_begin: Callable[[], None]
    ) -> Reply | UnreachableError:
        """Send one POST. See HttpRequest for `on_answer` and `on_begin`.

        Returns UnreachableError instead of raising it if nothing was sent and a retry may help.
        """
        key = credentials(post.url, post.auth)
        headers = {**post.headers, **key, "Content-Type": "application/json"}
        body = _encode_json(post.body)

        def report_if_good(reply: Reply) -> None:
            if is_good(reply):
                on_answer(reply)

        request = HttpRequest(
            "POST", post.url, headers, body, on_answer=report_if_good, on_begin=on_begin
        )
        try:
            return await self._exchanges.exchange(request)
        except UnreachableError as fault:
            if fault.hopeless:
                raise
            return fault
        except ConfigError:
            raise
        except FluxError as fault:
            fault.billed, fault.hint = True, fault.hint or BILLED_HINT
            raise

    async def _wait(
        self,
        answer: Reply | UnreachableError,
        post: Post,
        attempt: int,
        on_step: OnStep,
        sent: float,
    ) -> None:
        """Sleep before the next attempt, or raise the error of the answer if there is none."""
        asked = None
        if isinstance(answer, Reply):
            error: FluxError = _redirect_error(answer, post.url) or reply_error(answer, post.auth)
            again = may_retry(answer)
            asked = retry_after(answer, self._clock())
        else:
            error, again = answer, True
        seconds = asked if asked is not None else self._backoff(attempt)
        if error.status == TOO_MANY and seconds <= MAX_WAIT:
            self._throttle.slow_down(seconds, sent)
        if not again or attempt == self._retries or seconds > MAX_WAIT:
            raise error
        on_step("waiting", error.message, seconds)
        await self._pause(seconds)

    async def get(self, url: str, auth: Auth | None, until: float | None = None) -> Reply:
        """Read a URL of the provider, with retries, and return the reply, whatever its status."""
        request = HttpRequest("GET", url, credentials(url, auth), silence=MAX_SILENCE)
        try:
            async with asyncio.timeout_at(self.downloads.deadline() if until is None else until):
                return await self._get_with_retries(request)
        except TimeoutError as fault:
            message = f"{host_and_port(url)} did not answer within {self._timeout:g} s"
            raise DeadlineError(message, billed=True) from fault

    async def _get_with_retries(self, request: HttpRequest) -> Reply:
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                reply = await self._exchanges.exchange(request)
            except (NetworkError, ProviderError) as fault:
                if last:
                    fault.billed = True
                    raise
            else:
                if last or not is_temporary(reply):
                    if error := _redirect_error(reply, request.url):
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
        until: float | None = None,
    ) -> Found:
        """Read a URL every `seconds` until `read` returns a value, and return that.

        `until` is the time of the event loop at which it gives up; None: `timeout` from now.

        The job behind it is paid for, so network and server errors do not end the polling. After
        Ctrl-C the provider is asked once to `stop` the job. Raises DeadlineError, and what `read`
        raises.
        """
        try:
            async with asyncio.timeout_at(self.downloads.deadline() if until is None else until):
                request = HttpRequest("GET", url, credentials(url, auth), silence=MAX_SILENCE)
                while True:
                    with contextlib.suppress(NetworkError):
                        reply = await self._get_with_retries(request)
                        if not is_temporary(reply) and (found := read(reply)) is not None:
                            return found
                    await self._pause(seconds)
        except TimeoutError as fault:
            message = f"not finished within {self._timeout:g} s"
            hint = f"increase --timeout; the job continues at {plain(url, 2000)}"
            raise DeadlineError(message, hint=hint, billed=True) from fault
        except asyncio.CancelledError:
            if stop:
                self.stopped.append((stop, await self._stop(stop, auth)))
            raise

    async def _stop(self, stop: Stop, auth: Auth | None) -> bool:
        """Ask the provider to stop a job. Returns whether it agreed."""
        try:
            request = HttpRequest(stop.method, stop.url, credentials(stop.url, auth))
            reply = await asyncio.wait_for(self._exchanges.exchange(request), STOP_SECONDS)
        except (FluxError, TimeoutError, asyncio.CancelledError):
            return False
        return is_good(reply)

    async def _pause_after(self, attempt: int) -> None:
        """Sleep before another download; shorter than before another request."""
        await self._pause(self._backoff(attempt) / 2)

    def _backoff(self, attempt: int) -> float:
        """Seconds before the next attempt: doubling up to 8, less up to a quarter at random."""
        return min(8.0, 0.5 * (1 << attempt)) * (1 - self._jitter() / 4)

    def release(self, media: Sequence[Media]) -> None:
        """Mark received files as no longer needed."""
        for item in media:
            self._spool.release(item.file)


def _encode_json(body: Json) -> bytes:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _redirect_error(reply: Reply, url: str) -> FluxError | None:
    if not 300 <= reply.status < 400:
        return None
    target = plain(reply.headers.get("location", "nowhere"), 200)
    message = f"{host_and_port(url)} redirects to {target}; the key is not sent to other addresses"
    return ProviderError(message, hint="set the new address with --base-url", status=reply.status)
