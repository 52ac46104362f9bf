"""The clock of the event loop: it counts work and planned waits, but no stops."""

import asyncio
import math

import pytest

from flux_cli.runs import event_loop
from flux_cli.runs.event_loop import Clock


class Times:
    """The two times that a clock reads."""

    def __init__(self) -> None:
        self.now = 50.0
        self.worked = 3.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.worked


@pytest.fixture
def times(monkeypatch) -> Times:
    times = Times()
    monkeypatch.setattr(event_loop, "time", times)
    return times


@pytest.mark.parametrize(
    ("passed", "worked", "wait", "counted"),
    [
        (5.0, 5.0, 0.0, 5.0),  # it worked all the time
        (5.0, 0.0, 4.9, 5.0),  # it waited as long as it should
        (5.0, 0.0, math.inf, 5.0),  # it waited for nothing but sockets
        (0.09, 0.0, 0.0, 0.09),  # another program ran
        (1.3, 0.0, 1.0, 0.7),  # stopped for a moment while it waited
        (5.0, 0.1, 0.0, 0.1),  # stopped while it worked
        (9.0, 0.0, 2.0, 0.0),  # stopped while it waited
    ],
)
def test_a_clock_counts_no_stops(times, passed, worked, wait, counted):
    clock = Clock()
    before = clock.read()
    times.now += passed
    times.worked += worked
    assert clock.read(wait) - before == pytest.approx(counted)
    assert clock.read() - before == pytest.approx(counted)  # read again, it says the same


def _fail_in_callback(fault):
    async def work():
        loop = asyncio.get_running_loop()

        def callback():
            raise fault

        loop.call_soon(callback)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    event_loop.run(work())


@pytest.mark.parametrize("fault", [MemoryError(), OSError(23, "too many open files")])
def test_a_connection_without_memory_prints_no_traceback(caplog, fault):
    _fail_in_callback(fault)
    assert caplog.records == []


def test_a_fault_of_the_program_is_not_hidden(caplog):
    _fail_in_callback(ValueError("a fault"))
    assert "a fault" in caplog.text
