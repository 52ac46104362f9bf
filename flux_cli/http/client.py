"""HTTP client: retries, deadlines, redirects, key safety. `posts` sends what costs money."""

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from flux_cli.core.auth import Auth
from flux_cli.core.errors import DeadlineError, FluxError, NetworkError, ProviderError
from flux_cli.core.outcome import Media, Reply, Stop
from flux_cli.core.request import Post
from flux_cli.core.text import plain
from flux_cli.http.download import Downloads
from flux_cli.http.exchange import MAX_SILENCE, Exchanges, HttpRequest, Sender
from flux_cli.http.posts import MAX_WAIT, OnStep, Patience, Pause, Posts, backoff, request_of
from flux_cli.http.replies import (
    BILLED_HINT,
    is_busy,
    is_good,
    is_temporary,
    redirect_error,
    reply_error,
    retry_after,
)
from flux_cli.http.spool import Spool
from flux_cli.http.throttle import Throttle
from flux_cli.http.trust import credentials, host_and_port

CONNECT_SECONDS = 15.0
STOP_SECONDS = 0.7  # Ctrl-C must end within a second

Found = TypeVar("Found")


class Http:
    """The client of one run.

    `timeout` is in seconds per image, once for generating it and once for receiving it. Received
    files go into `folder`, without one into memory; `spool` has them. At most `most` POSTs are in
    flight. `sender`, `pause`, `clock` and `jitter` let offline runs and tests work without network
    and time; a sender that is given stays open.
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
        self._is_own_sender = sender is None
        sender = sender or open_network(timeout)
        # By the digests of images: who uploads one, and the answer or what went wrong.
        self._uploading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._uploaded: dict[str, Reply | FluxError] = {}
        self._exchanges = Exchanges(self._spool, sender)
        self._throttle = Throttle(most, pause, _loop_time)
        self._posts = Posts(
            self._exchanges,
            self._throttle,
            Patience(timeout, retries),
            clock=clock,
            jitter=jitter,
        )
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
        if self._is_own_sender:
            await self._exchanges.close()
        self._spool.close()

    async def post(
        self,
        post: Post,
        on_step: OnStep = lambda _kind, _reason, _seconds: None,
        on_answer: Callable[[Reply], None] = lambda _reply: None,
    ) -> Reply:
        """Send a request, with retries, and return its good answer. See `Posts.send`."""
        return await self._posts.send(post, on_step, on_answer)

    async def upload(self, post: Post, digest: str) -> Reply:
        """Send a POST that costs nothing, with retries, and return its good answer.

        Every further call with the same digest has the same result. Raises the FluxError of the
        last attempt, of which nothing was billed, and NotSentError after `stop_sending`.
        """
        async with self._uploading[digest]:
            if digest not in self._uploaded:
                try:
                    self._uploaded[digest] = await self._upload(post)
                except FluxError as error:
                    self._uploaded[digest] = error
        result = self._uploaded[digest]
        if isinstance(result, FluxError):
            raise copy(result) from result.__cause__  # each call changes its own
        return result

    async def _upload(self, post: Post) -> Reply:
        request = request_of(post)._replace(silence=MAX_SILENCE)
        try:
            async with self._throttle.turn(), asyncio.timeout(self._timeout):
                reply = await self._with_retries(request)
            if not is_good(reply):
                raise reply_error(reply, post.auth, url=post.url)
        except TimeoutError as fault:
            message = f"no answer within {self._timeout:g} s"
            raise DeadlineError(message, hint="increase --timeout") from fault
        except FluxError as error:
            error.hint = "" if error.hint == BILLED_HINT else error.hint
            error.billed = False
            raise
        return reply

    def expect_queue(self) -> None:
        """The server makes one image at a time: waiting in its queue does not count as time."""
        self._posts.expect_queue()

    def stop_sending(self, objection: str) -> None:
        """Send no POST from now on. Those that wait end with NotSentError."""
        self._throttle.stop(objection)

    async def get(self, url: str, auth: Auth | None, until: float | None = None) -> Reply:
        """Read a URL of the provider, with retries, and return the reply, whatever its status."""
        request = HttpRequest("GET", url, credentials(url, auth), silence=MAX_SILENCE)
        try:
            async with asyncio.timeout_at(self.downloads.deadline() if until is None else until):
                return await self._with_retries(request)
        except TimeoutError as fault:
            message = f"{host_and_port(url)} did not answer within {self._timeout:g} s"
            raise DeadlineError(message, billed=True) from fault

    async def _with_retries(self, request: HttpRequest) -> Reply:
        for attempt in range(self._retries + 1):
            last, asked = attempt == self._retries, None
            try:
                reply = await self._exchanges.exchange(request)
            except (NetworkError, ProviderError) as fault:
                if last:
                    fault.billed = True
                    raise
            else:
                if last or not is_temporary(reply):
                    if error := redirect_error(reply, request.url):
                        error.billed = True
                        raise error
                    return reply
                if is_busy(reply):
                    asked = retry_after(reply, self._clock())
            usual = backoff(attempt, self._jitter())
            await self._pause(usual if asked is None else min(asked, MAX_WAIT))
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
                with self._throttle.job():
                    return await self._poll(request, read, seconds)
        except TimeoutError as fault:
            message = f"not finished within {self._timeout:g} s"
            hint = f"increase --timeout; the job continues at {plain(url, 2000)}"
            raise DeadlineError(message, hint=hint, billed=True) from fault
        except asyncio.CancelledError:
            if stop:
                self.stopped.append((stop, await self._stop(stop, auth)))
            raise

    async def _poll(
        self, request: HttpRequest, read: Callable[[Reply], Found | None], seconds: float
    ) -> Found:
        while True:
            with contextlib.suppress(NetworkError):
                reply = await self._with_retries(request)
                if not is_temporary(reply) and (found := read(reply)) is not None:
                    return found
            await self._pause(seconds)

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
        await self._pause(backoff(attempt, self._jitter()) / 2)

    def release(self, media: Sequence[Media]) -> None:
        """Mark received files as no longer needed."""
        for item in media:
            self._spool.release(item.file)


def open_network(timeout: float) -> Sender:
    """Connections to servers, each opened within `timeout` seconds."""
    from flux_cli.http.wire.network import Network  # imports httpx: offline runs do without

    return Network(min(CONNECT_SECONDS, timeout))


def _loop_time() -> float:
    """Seconds of a clock that stands still while the process is stopped."""
    return asyncio.get_running_loop().time()
