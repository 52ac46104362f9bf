"""Calls of one run at one server: which are retried, how often, and who waits for whom.

The loop's time passes only while everybody waits, so that hours take no time.
"""

import asyncio
import json
import selectors
from collections.abc import Awaitable, Callable

import pytest

from flux_cli.core.auth import Auth
from flux_cli.core.errors import (
    DeadlineError,
    FluxError,
    NotSentError,
    PaymentError,
    ProviderError,
    RateError,
)
from flux_cli.core.outcome import Reply
from flux_cli.core.request import Post
from flux_cli.http.client import Http
from flux_cli.http.exchange import Head, HttpRequest, Receiver

URL = "http://server.test/v1/images/generations"
GOOD = Reply(200, {}, b'{"data": [{"url": "x"}]}')
BUSY = Reply(429, {"retry-after": "1"}, b"")
SILENT = Reply(429, {}, b'{"error": {"code": "1302", "message": "too many"}}')
Answering = Callable[["Account", str], Awaitable[Reply]]


class Selector(selectors.DefaultSelector):
    """Lets the time pass that nobody needs."""

    now = 0.0

    def select(self, timeout=None):
        if timeout:
            self.now += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


class Account:
    """A server without a network, of an account that may have `room` requests in flight."""

    def __init__(self, answering: Answering, room: int = 100) -> None:
        self.answering, self.room = answering, room
        self.posts: list[str] = []
        self.in_flight = self.good = self.jobs = 0
        self.lock = asyncio.Lock()

    async def send(self, request: HttpRequest, receiver: Receiver) -> None:
        name = json.loads(request.body)["prompt"] if request.body else "poll"
        self.posts.append(name)
        self.in_flight += 1
        try:
            reply = await self.answering(self, name)
        finally:
            self.in_flight -= 1
        self.good += reply.status == 200
        receiver.begin(Head(reply.status, reply.headers))
        receiver.take(reply.data)
        receiver.end()

    async def close(self) -> None:
        pass


def carry_out(
    account: Account,
    count: int,
    *,
    retries: int = 3,
    timeout: float = 300.0,
    most: int = 16,
    before: Callable[[Http], object] = lambda _http: None,
) -> tuple[list[Reply | FluxError], float]:
    """Send `count` requests together. Returns what became of each, and the seconds it took."""

    async def go() -> tuple[list[Reply | FluxError], float]:
        http = Http(
            timeout=timeout,
            retries=retries,
            folder=None,
            most=most,
            sender=account,
            jitter=lambda: 0.0,
            clock=lambda: 0.0,
        )
        async with http:
            before(http)
            calls = [
                asyncio.ensure_future(http.post(Post(URL, {"prompt": str(number)})))
                for number in range(count)
            ]
            await asyncio.wait(calls)
            return [call.exception() or call.result() for call in calls], loop_time()

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(go())


def loop_time() -> float:
    return asyncio.get_running_loop().time()


def drawing(refusal: Reply, seconds: float = 20.0) -> Answering:
    """Answers with an image after some seconds, or at once with a refusal if there is no room."""

    async def answer(account: Account, _name: str) -> Reply:
        if account.in_flight > account.room:
            return refusal
        await asyncio.sleep(seconds)
        return GOOD

    return answer


@pytest.mark.parametrize(
    "refusal", [BUSY, SILENT, Reply(503, {}, b""), SILENT._replace(status=400)]
)
@pytest.mark.parametrize("room", [1, 2, 3])
@pytest.mark.parametrize("retries", [0, 3])
def test_where_an_account_has_little_room_every_call_gets_its_turn(refusal, room, retries):
    """Waiting for the run's own calls uses up no retries."""
    if refusal.status == 400:
        refusal = refusal._replace(data=b'{"error": {"code": "rate_limit_exceeded"}}')
    account = Account(drawing(refusal), room)
    results, _ = carry_out(account, 12, retries=retries)
    assert results.count(GOOD) == 0  # `until` was added
    assert [one.status for one in results] == [200] * 12
    assert account.good == 12
    assert len(account.posts) <= 12 + 16 + 12  # most refusals come before the room is known


def test_waiting_for_the_run_s_own_calls_is_not_counted_as_time():
    account = Account(drawing(BUSY, seconds=50.0), room=1)
    results, seconds = carry_out(account, 8, timeout=60.0)
    assert [one.status for one in results] == [200] * 8
    assert seconds >= 400


@pytest.mark.parametrize("refusal", [BUSY, SILENT, Reply(503, {}, b"")])
@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("count", [1, 2, 16, 60])
def test_a_server_that_only_refuses_is_given_up_in_bounded_time(refusal, retries, count):
    async def refuse(_account: Account, _name: str) -> Reply:
        await asyncio.sleep(0.1)
        return refusal

    account = Account(refuse)
    results, seconds = carry_out(account, count, retries=retries)
    assert all(isinstance(one, RateError | ProviderError) for one in results)
    assert not any(one.billed for one in results)
    assert len(account.posts) >= min(count, 1) * (retries + 1)
    assert len(account.posts) <= count + 16 * 5 + retries
    assert seconds < 30


@pytest.mark.parametrize("refusal", [BUSY, SILENT])
@pytest.mark.parametrize("room", [1, 2])
def test_a_job_that_is_polled_counts_as_under_way(refusal, room):
    """A provider with a queue counts the jobs of an account, not its open connections."""

    async def submit(account: Account, name: str) -> Reply:
        if name == "poll":
            return Reply(202, {}, b"{}")
        if account.jobs >= room:
            return refusal
        account.jobs += 1
        return GOOD

    account = Account(submit)

    async def make(http: Http, number: int) -> int:
        await http.post(Post(URL, {"prompt": str(number)}))
        ends = loop_time() + 30.0

        def read(_reply: Reply) -> bool | None:
            return True if loop_time() >= ends else None

        await http.poll(f"{URL}/poll", None, read, 1.0)
        account.jobs -= 1
        return number

    async def go() -> list[int]:
        async with Http(timeout=300, retries=1, folder=None, sender=account, pause=rest) as http:
            return await asyncio.gather(*(make(http, number) for number in range(8)))

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(go()) == list(range(8))
    assert len([name for name in account.posts if name != "poll"]) < 250


async def rest(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_one_call_is_tried_as_often_as_asked():
    account = Account(drawing(BUSY), room=0)
    carry_out(account, 1, retries=2)
    assert len(account.posts) == 3


def test_a_refusal_beside_a_call_that_takes_very_long_is_not_asked_all_the_time():
    async def answer(account: Account, name: str) -> Reply:
        if name == "0":
            await asyncio.sleep(3000)
        elif account.in_flight > 1:
            return BUSY
        return GOOD

    account = Account(answer)
    results, _ = carry_out(account, 8, timeout=4000.0)
    assert [one.status for one in results] == [200] * 8
    assert len(account.posts) < 40


def test_what_is_no_refusal_has_retries_of_its_own():
    """Another failure that had no effect is retried as often as asked, by each call."""

    async def fail(_account: Account, _name: str) -> Reply:
        return Reply(502, {}, b'{"error": {"code": "ALL_PROVIDERS_EXHAUSTED"}}')

    account = Account(fail)
    results, _ = carry_out(account, 3, retries=2)
    assert [type(one) for one in results] == [ProviderError] * 3
    assert len(account.posts) == 9


# --- stopping


QUOTA = Reply(429, {"retry-after": "60"}, b'{"error": {"code": "insufficient_quota"}}')


def test_money_that_is_gone_is_one_call():
    async def refuse(_account: Account, _name: str) -> Reply:
        return QUOTA

    account = Account(refuse)
    results, seconds = carry_out(account, 1)
    assert [type(one) for one in results] == [PaymentError]
    assert (len(account.posts), seconds) == (1, 0.0)


@pytest.mark.parametrize("most", [1, 4])
def test_after_a_stop_nothing_more_is_sent_and_nobody_waits_any_longer(most):
    """Neither calls that wait for a slot nor those that wait for their retry."""
    account = Account(drawing(Reply(429, {"retry-after": "100"}, b"")), room=0)

    def stop_soon(http: Http) -> None:
        asyncio.get_running_loop().call_later(5.0, http.stop_sending, "request 1 failed: payment")

    results, seconds = carry_out(account, 6, most=most, before=stop_soon)
    assert [type(one) for one in results] == [NotSentError] * 6
    assert str(results[0]) == "not sent, because request 1 failed: payment"
    assert seconds == 5.0
    assert 1 <= len(account.posts) <= most


# --- long waits


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("600", "10 minutes"),
        ("86400", "24 hours"),
        ("315360000", "3,650 days"),
        ("130", "2 minutes"),
    ],
)
def test_a_wait_that_is_too_long_is_named_and_not_waited_for(asked, words):
    account = Account(drawing(Reply(429, {"retry-after": asked}, b"")), room=0)
    results, seconds = carry_out(account, 1)
    assert words in results[0].hint
    assert (len(account.posts), seconds) == (1, 0.0)


# --- servers that make one image at a time


def in_turn(seconds: float) -> Answering:
    """Lets requests wait in a queue, and answers one after the other."""

    async def answer(account: Account, _name: str) -> Reply:
        async with account.lock:
            await asyncio.sleep(seconds)
        return GOOD

    return answer


def test_waiting_in_a_server_s_queue_does_not_count_as_time():
    account = Account(in_turn(50.0))
    results, _ = carry_out(account, 8, timeout=60.0, before=lambda http: http.expect_queue())
    assert [one.status for one in results] == [200] * 8


def test_a_server_with_a_queue_that_makes_nothing_is_given_up():
    account = Account(in_turn(70.0))
    results, seconds = carry_out(account, 4, timeout=60.0, before=lambda http: http.expect_queue())
    assert [type(one) for one in results] == [DeadlineError] * 4
    assert seconds == 60.0


def test_elsewhere_every_image_has_its_own_time():
    results, _ = carry_out(Account(in_turn(50.0)), 2, timeout=60.0)
    assert [type(one) for one in results] == [Reply, DeadlineError]


# --- requests that only read


@pytest.mark.parametrize(
    ("busy", "seconds"),
    [
        (Reply(429, {"retry-after": "20"}, b""), 20.0),
        (Reply(503, {}, b'{"message": "try again in 20s"}'), 20.0),
        (Reply(429, {"retry-after": "9999"}, b""), 120.0),
        (Reply(500, {}, b'{"message": "try again in 20s"}'), 0.5),
    ],
)
def test_a_poll_waits_as_long_as_the_server_asks(busy, seconds):
    times: list[float] = []

    async def answer(_account: Account, _name: str) -> Reply:
        times.append(loop_time())
        return GOOD if len(times) > 1 else busy

    async def go() -> Reply:
        http = Http(timeout=300, retries=1, folder=None, sender=Account(answer), jitter=lambda: 0.0)
        async with http:
            return await http.get(URL, None)

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(go()).status == 200
    assert times == [0.0, seconds]


def test_a_header_of_the_user_replaces_that_of_a_protocol_in_any_case():
    sent: list[dict[str, str]] = []

    class Listener(Account):
        async def send(self, request: HttpRequest, receiver: Receiver) -> None:
            sent.append(dict(request.headers))
            await super().send(request, receiver)

    auth = Auth(None, "", URL, "Authorization", "", headers=(("prefer", "respond-async"),))
    post = Post(URL, {"prompt": "a"}, auth, {"Prefer": "wait=60", "X-Other": "1"})

    async def go() -> None:
        account = Listener(drawing(BUSY))
        async with Http(timeout=300.0, retries=0, folder=None, most=1, sender=account) as http:
            await http.post(post)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(go())
    expected = {"prefer": "respond-async", "X-Other": "1", "Content-Type": "application/json"}
    assert sent == [expected]
