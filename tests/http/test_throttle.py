"""All calls slow down and recover together, and no slot is lost. The test owns the clock."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from flux_cli.http.throttle import Throttle


class World:
    """A clock that moves only when everybody waits for it."""

    def __init__(self) -> None:
        self.time = 0.0
        self._sleepers: list[tuple[float, asyncio.Future]] = []

    def now(self) -> float:
        return self.time

    async def pause(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, future))
        await future

    async def pass_by(self, seconds: float) -> None:
        """Let so many seconds pass, waking everybody in order."""
        end = self.time + seconds
        await settle()
        while due := sorted(
            (item for item in self._sleepers if item[0] <= end), key=lambda item: item[0]
        ):
            when, future = due[0]
            self._sleepers.remove(due[0])
            self.time = max(self.time, when)
            if not future.done():
                future.set_result(None)
            await settle()
        self.time = end


async def settle() -> None:
    """Until nobody can go on without time."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(test: Callable[[World], Awaitable[None]]) -> None:
    asyncio.run(test(World()))


async def hold(throttle: Throttle, until: asyncio.Event, inside: list[float]) -> None:
    async with throttle.turn() as began:
        inside.append(began)
        await until.wait()


def test_no_more_than_the_most_are_inside_and_everybody_gets_a_turn():
    async def story(world):
        throttle = Throttle(3, world.pause, world.now)
        gates, inside = [asyncio.Event() for _ in range(10)], []
        tasks = [asyncio.create_task(hold(throttle, gate, inside)) for gate in gates]
        for count, gate in enumerate(gates):
            await settle()
            assert len(inside) == min(10, 3 + count)
            gate.set()
        await asyncio.gather(*tasks)

    run(story)


def test_one_burst_halves_the_limit_once_whenever_its_answers_come():
    async def story(world):
        throttle = Throttle(16, world.pause, world.now)
        for _ in range(16):
            throttle.slow_down(2.0, 0.0)
            await world.pass_by(
                1.0
            )  # the last of them come long after the time the server asked for
        assert throttle.limit == 8
        throttle.slow_down(2.0, world.time)
        assert throttle.limit == 4

    run(story)


def test_a_server_that_asks_for_no_time_halves_the_limit_once_too():
    async def story(world):
        throttle = Throttle(16, world.pause, world.now)
        world.time = 5.0
        for _ in range(16):
            throttle.slow_down(0.0, 1.0)
        assert throttle.limit == 8

    run(story)


def test_nobody_begins_before_the_time_the_server_asked_for():
    async def story(world):
        throttle = Throttle(4, world.pause, world.now)
        throttle.slow_down(10.0, 0.0)
        throttle.slow_down(3.0, 0.0)  # a shorter wait takes nothing back
        gate, inside = asyncio.Event(), []
        tasks = [asyncio.create_task(hold(throttle, gate, inside)) for _ in range(4)]
        await world.pass_by(4.0)
        throttle.slow_down(10.0, 0.0)  # one that was under way is told to wait longer
        await world.pass_by(8.0)
        assert inside == []
        await world.pass_by(3.0)
        assert inside == [14.0, 14.0]
        gate.set()
        await asyncio.gather(*tasks)
        assert inside == [14.0, 14.0, 15.0, 15.0]

    run(story)


def test_good_answers_bring_the_limit_back_and_never_above_the_most():
    async def story(world):
        throttle = Throttle(16, world.pause, world.now)
        for _ in range(10):
            world.time += 1
            throttle.slow_down(0.0, world.time)
        assert throttle.limit == 1
        limits = []
        for _ in range(300):
            throttle.speed_up()
            limits.append(throttle.limit)
        assert limits == sorted(limits)
        assert (limits[0], limits[-1], max(limits)) == (2, 16, 16)
        assert limits.index(16) > 50  # step by step

    run(story)


def test_a_wider_limit_lets_those_in_who_wait():
    async def story(world):
        throttle = Throttle(4, world.pause, world.now)
        throttle.slow_down(0.0, 0.0)
        gates, inside = [asyncio.Event() for _ in range(5)], []
        tasks = [asyncio.create_task(hold(throttle, gate, inside)) for gate in gates]
        await settle()
        assert len(inside) == 2
        for _ in range(9):
            throttle.speed_up()
        gates[0].set()  # whoever leaves makes room for all there is room for
        await settle()
        assert len(inside) == 5
        for gate in gates:
            gate.set()
        await asyncio.gather(*tasks)

    run(story)


@pytest.mark.parametrize("seed", range(20))
def test_whoever_is_canceled_wherever_leaves_no_slot_behind(seed):
    """Canceled while waiting, held back or inside: afterward as many calls fit in as before."""
    chance = random.Random(seed)

    async def story(world):
        throttle, flying, most = Throttle(4, world.pause, world.now), 0, 0

        async def call():
            nonlocal flying, most
            async with throttle.turn():
                flying += 1
                most = max(most, flying)
                try:
                    await world.pause(chance.random())
                finally:
                    flying -= 1

        tasks = [asyncio.create_task(call()) for _ in range(60)]
        for task in chance.sample(tasks, 60):
            step = chance.random()
            if step < 0.4:
                task.cancel()
            elif step < 0.6:
                throttle.slow_down(chance.random(), world.time)
            elif step < 0.8:
                throttle.speed_up()
            if step > 0.3:
                await world.pass_by(chance.random() / 4)
            assert 1 <= throttle.limit <= 4
        await world.pass_by(200.0)
        assert all(task.done() for task in tasks)
        assert (flying, most <= 4) == (0, True)
        for _ in range(50):
            throttle.speed_up()
        gate, inside = asyncio.Event(), []
        last = [asyncio.create_task(hold(throttle, gate, inside)) for _ in range(9)]
        await world.pass_by(10.0)
        assert len(inside) == 4
        gate.set()
        await asyncio.gather(*last)

    run(story)


def test_leaving_takes_no_pause_in_which_what_was_brought_could_get_lost():
    """A task that is canceled while it leaves still has its result."""

    async def story(world):
        throttle = Throttle(1, world.pause, world.now)
        brought = []

        async def call():
            async with throttle.turn():
                answer = "paid for"
                asyncio.current_task().cancel()
            brought.append(answer)

        task = asyncio.create_task(call())
        await asyncio.wait([task])
        assert brought == ["paid for"]

    run(story)
