"""Faults of providers that are polled: jobs may hang, vanish, lie, or be on another host."""

from typing import Any, NamedTuple

from fakes.messages import reply
from fakes.server import Answer
from fakes.steps import forever, hold, reset

from faults.row import IMAGE, Row, fine

SLOW = ("--timeout", "1")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


class JobProtocol(NamedTuple):
    """The protocol of one provider: the response to a submit, and to polls of the job."""

    submit: dict[str, Any]
    working: dict[str, Any]
    done: dict[str, Any]
    empty: dict[str, Any]  # done without an image
    address: tuple[str, ...]  # where the response to the submit has the address to poll
    gets: dict[str, tuple[Answer, ...]] = {}  # noqa: RUF012 - never changed


PROTOCOLS = {
    "bfl": JobProtocol(
        {"id": "job", "polling_url": "{origin}/poll"},
        {"id": "job", "status": "Pending"},
        {"id": "job", "status": "Ready", "result": {"sample": "{origin}/p"}},
        {"id": "job", "status": "Ready", "result": None},
        ("polling_url",),
    ),
    "fal": JobProtocol(
        {"request_id": "job", "status_url": "{origin}/poll", "response_url": "{origin}/result", "cancel_url": "{origin}/cancel"},
        {"status": "IN_PROGRESS"},
        {"status": "COMPLETED"},
        {"status": "COMPLETED", "error": "no image"},
        ("status_url",),
        {"/result": ((reply({"images": [{"url": "{origin}/p"}]}),),)},
    ),
    "replicate": JobProtocol(
        {"id": "job", "status": "starting", "urls": {"get": "{origin}/poll", "cancel": "{origin}/cancel"}},
        {"id": "job", "status": "processing"},
        {"id": "job", "status": "succeeded", "output": "{origin}/p"},
        {"id": "job", "status": "succeeded", "output": None},
        ("urls", "get"),
    ),
}  # fmt: skip


def at(submit: dict[str, Any], place: tuple[str, ...], address: object) -> dict[str, Any]:
    """The response to a submit, with another address to poll."""
    first, *rest = place
    return {**submit, first: at(submit[first], tuple(rest), address) if rest else address}


def of(name: str) -> tuple[Row, ...]:
    """The rows of one provider."""
    protocol = PROTOCOLS[name]
    done: Answer = (reply(protocol.done),)

    def polled(*answers: Answer, **more: Any) -> dict[str, Any]:
        gets = {"/poll": answers, "/p": (IMAGE,), **protocol.gets}
        return {"provider": name, "post": ((reply(protocol.submit),),), "get": gets, **more}

    def named(address: object) -> dict[str, Any]:
        return polled(done, post=((reply(at(protocol.submit, protocol.address, address)),),))

    return (
        fine(f"{name}: a job", "in progress, then done", **polled((reply(protocol.working),), done)),
        Row(f"{name}: an endless job", "in progress forever", **polled((reply(protocol.working),), line=SLOW), says=("within 1 s",)),
        Row(f"{name}: a poll that hangs", "the GET gets no response", **polled((hold,), line=SLOW), says=("within 1 s",)),
        Row(f"{name}: a job that vanishes", "404 from the second poll on", **polled((reply(protocol.working),), (reply({}, 404),))),
        Row(f"{name}: a key that is refused later", "401 during polling", **polled((reply({}, 401),)), code=4),
        fine(f"{name}: a server error", "500, then done", **polled((reply({}, 500),), done)),
        fine(f"{name}: a broken connection", "RST, then done", **polled((reset,), done)),
        Row(f"{name}: a poll that redirects", "302 to another host, which gets no key", **polled((reply(b"", 302, location="{other}/poll"),), line=SLOW)),
        Row(f"{name}: done without an image", "done, but the response names no image", **polled((reply(protocol.empty),))),
        Row(f"{name}: a poll on another host", "the other host gets no key", **named("{other}/poll"), says=("must not get the key",)),
        Row(f"{name}: a poll of a file", "the address to poll is a file", **named("file:///etc/passwd"), says=("must not get the key",)),
        Row(f"{name}: an invalid poll address", "the address to poll is a number", **named(7)),
        Row(f"{name}: a lost image", "404 for the finished image", **polled(done) | {"get": {"/poll": (done,), **protocol.gets}}, says=("404",)),
    )  # fmt: skip


def hostile() -> tuple[Row, ...]:
    """Hostile responses to polls, from one provider: the same code reads them for all."""

    def polled(*answers: Answer, **more: Any) -> dict[str, Any]:
        return {
            "provider": "bfl",
            "post": ((reply(PROTOCOLS["bfl"].submit),),),
            "get": {"/poll": answers},
            **more,
        }

    return (
        Row("an empty poll", "status 200 without a body", **polled((reply(b""),), line=SLOW)),
        Row("a nested poll", "100,000 levels of lists", **polled((reply("[" * 100_000),), line=SLOW)),
        Row("an endless poll", "blanks forever", **polled((HEAD, forever(b" " * 4096)), line=("--timeout", "5"))),
    )  # fmt: skip


JOBS = (*of("bfl"), *hostile(), *of("fal"), *of("replicate"))
