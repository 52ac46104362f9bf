"""Sends POSTs, which cost money: retries, deadlines, and waiting for the run's own requests.

Never pays twice: only requests that certainly had no effect are retried.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, NamedTuple

from flux_cli.core.errors import ConfigError, DeadlineError, FluxError
from flux_cli.core.outcome import Reply
from flux_cli.core.request import FORM, Post
from flux_cli.core.uploads import SourceError
from flux_cli.http.errors import UnreachableError
from flux_cli.http.exchange import Exchanges, HttpRequest
from flux_cli.http.replies import (
    BILLED_HINT,
    is_busy,
    is_good,
    may_retry,
    redirect_error,
    reply_error,
    retry_after,
    texts_of_request,
)
from flux_cli.http.throttle import Throttle
from flux_cli.http.trust import credentials
from flux_cli.http.wire.body import encode

MAX_WAIT = 120.0  # seconds; a server that asks for a longer wait is given up
MAX_OWN_TRIES = 2  # until which waits for the run's own requests grow: to two seconds
MAX_BACKOFF = 8.0  # seconds between retries where the server does not ask for any

Pause = Callable[[float], Awaitable[None]]
OnStep = Callable[[Literal["sent", "waiting"], str, float], None]  # step, reason, seconds


class Patience(NamedTuple):
    """How long to wait for one image, in seconds, and how often to try again."""

    timeout: float
    retries: int


class Verdict(NamedTuple):
    """What to do about an attempt that brought no image."""

    error: FluxError
    seconds: float  # to wait before the next attempt
    is_over: bool  # there is no next attempt
    is_own: bool  # refused because of the run's own requests: waiting for them is free


def request_of(post: Post) -> HttpRequest:
    """A POST with its body and its key. Raises ProviderError if its URL must not get the key."""
    key = credentials(post.url, post.auth)
    headers = {**_without(post.headers, key), **key}
    if post.uploads != FORM:  # httpx writes the head of a form
        headers["Content-Type"] = "application/json"
    return HttpRequest("POST", post.url, headers, encode(post))


def backoff(attempt: int, share: float) -> float:
    """Seconds before the next attempt: doubling, less up to a quarter by `share` (0 to 1)."""
    return min(MAX_BACKOFF, 0.5 * (1 << min(attempt, 16))) * (1 - share / 4)


class Posts:
    """All POSTs of one run. `clock` is in seconds since the epoch, `jitter` between 0 and 1."""

    def __init__(
        self,
        exchanges: Exchanges,
        throttle: Throttle,
        patience: Patience,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._exchanges, self._throttle, self._patience = exchanges, throttle, patience
        self._clock, self._jitter = clock, jitter
        self._has_queue = False
        self._queued: set[asyncio.Timeout] = set()  # deadlines of the requests under way

    def expect_queue(self) -> None:
        """The server makes one image at a time: the time of the others begins with each answer."""
        self._has_queue = True

    async def send(self, post: Post, on_step: OnStep, on_answer: Callable[[Reply], None]) -> Reply:
        """Send a request, with retries, and return its good answer.

        `on_step` is called when an attempt is sent and before each wait, `on_answer` the moment a
        good answer is complete. Raises the FluxError of a bad answer; `billed` is set if work may
        have been done.
        """
        left, in_flight, failures = self._patience.timeout, False, 0
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as deadline:
                while True:
                    deadline.reschedule(None)  # waiting for a free slot does not count
                    async with self._throttle.turn() as sent:
                        began = loop.time()
                        deadline.reschedule(began + left)
                        in_flight = True
                        on_step("sent", "", 0.0)
                        with self._in_queue(deadline):
                            answer = await self._attempt(post, on_answer, deadline)
                        in_flight = False
                    if isinstance(answer, Reply) and is_good(answer):
                        self._throttle.speed_up()
                        return answer._replace(until=began + left)
                    verdict = self._judge(answer, post, failures, sent)
                    failures += not verdict.is_own
                    left -= await self._wait(verdict, began, on_step)
        except TimeoutError as fault:
            message = f"no image within {self._patience.timeout:g} s"
            raise DeadlineError(message, hint="increase --timeout", billed=in_flight) from fault

    async def _wait(self, verdict: Verdict, began: float, on_step: OnStep) -> float:
        """Sleep before the next attempt, or raise the error if there is none.

        Returns the seconds that count against the time for the image. For a refusal that is due to
        the run's own requests these do not include the wait, which the throttle keeps.
        """
        if verdict.is_over:
            raise verdict.error
        loop = asyncio.get_running_loop()
        spent = loop.time() - began
        on_step("waiting", verdict.error.message, verdict.seconds)
        if verdict.is_own:
            return spent
        await self._throttle.rest(verdict.seconds)
        return loop.time() - began

    @contextmanager
    def _in_queue(self, deadline: asyncio.Timeout) -> Iterator[None]:
        """Let the time of the other requests begin anew when this one has its answer."""
        self._queued.add(deadline)
        try:
            yield
        finally:
            self._queued.discard(deadline)
            if self._has_queue:
                for other in self._queued:
                    self._extend(other)

    def _extend(self, deadline: asyncio.Timeout) -> None:
        """Give a request as long again as an image may take."""
        if not deadline.expired():
            deadline.reschedule(asyncio.get_running_loop().time() + self._patience.timeout)

    async def _attempt(
        self, post: Post, on_answer: Callable[[Reply], None], deadline: asyncio.Timeout
    ) -> Reply | UnreachableError:
        """Send one POST. A good answer that has begun to arrive gets as long as the image has had.

        Returns UnreachableError instead of raising it if nothing was sent and a retry may help.
        """

        def report_if_good(reply: Reply) -> None:
            if is_good(reply):
                on_answer(reply)

        request = request_of(post)._replace(
            on_answer=report_if_good,
            on_begin=lambda: self._extend(deadline),
        )
        try:
            reply = await self._exchanges.exchange(request)
            return reply._replace(texts=texts_of_request(post.shown))
        except UnreachableError as fault:
            if fault.hopeless:
                raise
            return fault
        except (ConfigError, SourceError):
            raise
        except FluxError as fault:
            fault.billed, fault.hint = True, fault.hint or BILLED_HINT
            raise

    def _judge(
        self, answer: Reply | UnreachableError, post: Post, failures: int, sent: float
    ) -> Verdict:
        """Whether and when to try again. A refusal slows all requests of the run down."""
        retries = self._patience.retries
        if not isinstance(answer, Reply):
            seconds = backoff(failures, self._jitter())
            return Verdict(answer, seconds, is_over=failures >= retries, is_own=False)
        error = redirect_error(answer, post.url) or reply_error(answer, post.auth, url=post.url)
        asked = retry_after(answer, self._clock())
        if not is_busy(answer):
            self._throttle.note_progress()
            is_over = failures >= retries or not may_retry(answer)
            return self._verdict(error, asked, failures, is_over=is_over, is_own=False)
        refusals = self._throttle.count_refusal(sent)
        is_over = refusals > retries or not may_retry(answer)
        tries = refusals - 1 if refusals else min(self._throttle.slowdowns, MAX_OWN_TRIES)
        verdict = self._verdict(error, asked, tries, is_over=is_over, is_own=not refusals)
        if not verdict.is_over:  # else the others find out by themselves, one after the other
            self._throttle.slow_down(verdict.seconds, sent)
        return verdict

    def _verdict(
        self, error: FluxError, asked: float | None, tries: int, *, is_over: bool, is_own: bool
    ) -> Verdict:
        seconds = backoff(tries, self._jitter()) if asked is None else asked
        if seconds > MAX_WAIT and not is_over:
            error.hint = f"the server asks to wait {_duration(seconds)}; try again then"
            is_over = True
        return Verdict(error, seconds, is_over=is_over, is_own=is_own)


def _duration(seconds: float) -> str:
    """A long time for people, such as `5 minutes`."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _without(headers: Mapping[str, str], replaced: Mapping[str, str]) -> dict[str, str]:
    """The headers whose names are not among others, in upper or lower case."""
    names = {name.lower() for name in replaced}
    return {name: text for name, text in headers.items() if name.lower() not in names}
