"""Work is done once, by a thread or by whoever hands it in."""

import asyncio
import threading

import pytest

from flux_cli.images.threads import Threads
from flux_cli.runs import event_loop


@pytest.fixture
def most(monkeypatch):
    """Let the system start no more than so many threads from now on: `most(1)`."""

    def limit(count: int) -> None:
        start, left = threading.Thread.start, [count]

        def start_or_refuse(thread: threading.Thread) -> None:
            if not left[0]:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_or_refuse)

    return limit


def test_work_that_found_no_thread_is_not_done_again_by_one_that_is_free_later(most):
    most(1)
    is_free, done = threading.Event(), []
    with Threads(2) as pool:
        first = pool.submit(is_free.wait)
        second = pool.submit(done.append, "once")
        assert (done, second.done()) == (["once"], True)
        is_free.set()
        assert first.result(30)
    assert done == ["once"]


@pytest.mark.parametrize("count", [0, 1])
def test_an_event_loop_does_each_work_once(most, count):
    most(count)
    done: list[int] = []

    async def work() -> None:
        await asyncio.gather(*(asyncio.to_thread(done.append, number) for number in range(9)))

    event_loop.run(work())
    assert sorted(done) == list(range(9))


@pytest.mark.parametrize("count", [0, 1])
def test_a_failure_belongs_to_whoever_waits(most, count):
    most(count)
    with Threads(1) as pool:
        failed = pool.submit(int, "x")
        with pytest.raises(ValueError, match="invalid literal"):
            failed.result(30)


def test_work_that_has_not_begun_can_be_canceled():
    is_free = threading.Event()
    pool = Threads(1)
    pool.submit(is_free.wait)
    waiting = pool.submit(print)
    pool.shutdown(wait=False, cancel_futures=True)
    is_free.set()
    assert waiting.cancelled()
