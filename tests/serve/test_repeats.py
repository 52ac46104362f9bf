"""Which requests are carried out once for several clients, and which are not."""

import asyncio
from itertools import count

import pytest

from flux_cli.core.errors import NetworkError, UsageError
from flux_cli.serve.repeats import JOINED_SECONDS, Repeats


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def played(story):
    """Run a story with a fresh memory and its clock."""

    async def play():
        clock = Clock()
        return await story(Repeats(clock), clock)

    return asyncio.run(play())


async def begun(repeats, result="image", token="", *, digest="same"):
    """A request that has ended with a result or an error, and whose client still waits."""

    async def work():
        if isinstance(result, Exception):
            raise result
        return result

    task = asyncio.create_task(work())
    one = repeats.add(digest, task, token)
    one.waiting += 1
    await asyncio.wait([task])
    await asyncio.sleep(0)
    return one


def test_two_clients_that_wait_get_two_images():
    async def story(repeats, _clock):
        await begun(repeats)
        return repeats.find("same", "", is_retry=False)

    assert played(story) is None


def test_an_answer_that_was_delivered_is_not_given_again():
    async def story(repeats, _clock):
        one = await begun(repeats)
        one.waiting, one.is_delivered = 0, True
        return repeats.find("same", "", is_retry=False)

    assert played(story) is None


def test_an_answer_that_nobody_got_is_given_to_the_next():
    async def story(repeats, _clock):
        one = await begun(repeats)
        one.waiting = 0
        assert repeats.find("other", "", is_retry=False) is None
        assert repeats.find("same", "", is_retry=False) is one

    played(story)


def test_a_request_under_way_whose_client_is_gone_is_joined():
    async def story(repeats, _clock):
        task = asyncio.create_task(asyncio.sleep(60))
        one = repeats.add("same", task, "")
        assert repeats.find("same", "", is_retry=False) is one
        assert repeats.running() == [task]
        task.cancel()

    played(story)


@pytest.mark.parametrize(("token", "is_retry"), [("", True), ("key-1", False)])
def test_a_marked_retry_is_joined_also_while_the_first_waits(token, is_retry):
    async def story(repeats, _clock):
        one = await begun(repeats, token="key-1")
        assert repeats.find("same", token, is_retry=is_retry) is one
        assert repeats.find("same", "key-2", is_retry=False) is None

    played(story)


def test_what_may_have_been_billed_is_answered_with_the_same_error():
    async def story(repeats, _clock):
        one = await begun(repeats, NetworkError("broke", billed=True))
        assert repeats.find("same", "", is_retry=False) is one

    played(story)


@pytest.mark.parametrize("error", [UsageError("bad"), NetworkError("gone"), OSError("no disk")])
def test_what_certainly_cost_nothing_is_tried_again(error):
    async def story(repeats, _clock):
        one = await begun(repeats, error, "key-1")
        one.waiting = 0
        assert repeats.find("same", "key-1", is_retry=True) is None

    played(story)


def test_after_two_minutes_a_request_is_new():
    async def story(repeats, clock):
        one = await begun(repeats)
        one.waiting = 0
        clock.seconds = JOINED_SECONDS
        assert repeats.find("same", "", is_retry=True) is one
        clock.seconds += 1
        assert repeats.find("same", "", is_retry=True) is None

    played(story)


def test_a_retry_joins_the_one_that_nobody_waits_for():
    async def story(repeats, _clock):
        await begun(repeats)
        orphan = await begun(repeats)
        orphan.waiting = 0
        await begun(repeats)
        assert repeats.find("same", "", is_retry=True) is orphan

    played(story)


def test_what_is_over_is_forgotten():
    """Ten thousand requests leave nothing behind."""

    async def story(repeats, clock):
        for number in count():
            clock.seconds += 1
            await begun(repeats, digest=str(number))
            repeats.find("any", "", is_retry=False)
            if number == 1000:
                break
        return len(repeats._works)

    assert played(story) <= JOINED_SECONDS + 2
