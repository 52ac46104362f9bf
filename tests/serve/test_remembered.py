"""How long the server remembers requests that have ended, and how many of them."""

import asyncio

from flux_cli.core.errors import NetworkError
from flux_cli.serve.repeats import JOINED_SECONDS, MOST_DELIVERED, Repeats


def remembered(ends, seconds=0.0):
    """The digests that a retry still finds, after requests ended like this, and some seconds."""

    async def play():
        now = [0.0]
        repeats = Repeats(lambda: now[0])
        for number, end in enumerate(ends):
            await end(repeats, f"{number}")
        now[0] += seconds
        numbers = map(str, range(len(ends)))
        return {n for n in numbers if repeats.find(n, "", is_retry=True) is not None}

    return asyncio.run(play())


async def delivered(repeats, digest):
    work = repeats.add(digest, asyncio.create_task(asyncio.sleep(0, "image")), "")
    await asyncio.wait([work.task])
    await asyncio.sleep(0)
    work.is_delivered = True


async def lost(repeats, digest):
    """An image whose client went away."""
    work = repeats.add(digest, asyncio.create_task(asyncio.sleep(0, "image")), "")
    await asyncio.wait([work.task])
    await asyncio.sleep(0)


async def unclear(repeats, digest):
    async def fail():
        raise NetworkError("the connection broke", billed=True)

    work = repeats.add(digest, asyncio.create_task(fail()), "")
    await asyncio.wait([work.task])
    await asyncio.sleep(0)


def test_a_thousand_delivered_answers_are_remembered_and_the_oldest_forgotten():
    found = remembered((MOST_DELIVERED + 3) * [delivered])
    assert found == {str(number) for number in range(3, MOST_DELIVERED + 3)}


def test_what_may_have_been_billed_for_nothing_is_not_forgotten_for_others():
    found = remembered([lost, unclear, *MOST_DELIVERED * [delivered]])
    assert {"0", "1"} <= found


def test_everything_is_forgotten_after_two_minutes():
    assert remembered([lost, unclear, delivered], JOINED_SECONDS + 1) == set()


def test_only_a_client_that_waits_for_what_is_not_made_may_be_about_to_go():
    async def play():
        repeats = Repeats()
        work = repeats.add("same", asyncio.create_task(asyncio.sleep(0, "image")), "")
        found = [repeats.is_awaited("same")]
        work.waiting += 1
        found += [repeats.is_awaited("same"), repeats.is_awaited("another")]
        await asyncio.wait([work.task])
        await asyncio.sleep(0)
        return [*found, repeats.is_awaited("same")]

    assert asyncio.run(play()) == [False, True, False, False]
