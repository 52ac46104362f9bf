"""Faults of providers that draw later: what is polled may hang, vanish, lie, or be on a host of its own."""

from typing import Any, NamedTuple

from faults.row import IMAGE, Row, fine
from faults.server import Answer, forever, hold, reply, reset

SLOW = ("--timeout", "1")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


class Way(NamedTuple):
    """One provider's protocol: the answer to a submit, and what polls of the job say."""

    submit: dict[str, Any]
    working: dict[str, Any]
    done: dict[str, Any]
    empty: dict[str, Any]  # done, and no image
    address: tuple[str, ...]  # where in the submit the polled address is
    gets: dict[str, tuple[Answer, ...]] = {}  # noqa: RUF012 - never changed


WAYS = {
    "bfl": Way(
        {"id": "job", "polling_url": "{origin}/poll"},
        {"id": "job", "status": "Pending"},
        {"id": "job", "status": "Ready", "result": {"sample": "{origin}/p"}},
        {"id": "job", "status": "Ready", "result": None},
        ("polling_url",),
    ),
    "fal": Way(
        {"request_id": "job", "status_url": "{origin}/poll", "response_url": "{origin}/result", "cancel_url": "{origin}/cancel"},
        {"status": "IN_PROGRESS"},
        {"status": "COMPLETED"},
        {"status": "COMPLETED", "error": "no image"},
        ("status_url",),
        {"/result": ((reply({"images": [{"url": "{origin}/p"}]}),),)},
    ),
    "replicate": Way(
        {"id": "job", "status": "starting", "urls": {"get": "{origin}/poll", "cancel": "{origin}/cancel"}},
        {"id": "job", "status": "processing"},
        {"id": "job", "status": "succeeded", "output": "{origin}/p"},
        {"id": "job", "status": "succeeded", "output": None},
        ("urls", "get"),
    ),
}  # fmt: skip


def at(submit: dict[str, Any], place: tuple[str, ...], address: object) -> dict[str, Any]:
    """A submit's answer that names another address to poll."""
    first, *rest = place
    return {**submit, first: at(submit[first], tuple(rest), address) if rest else address}


def of(name: str) -> tuple[Row, ...]:
    """The rows of one provider."""
    way = WAYS[name]
    done: Answer = (reply(way.done),)

    def polled(*answers: Answer, **more: Any) -> dict[str, Any]:
        gets = {"/poll": answers, "/p": (IMAGE,), **way.gets}
        return {"provider": name, "post": ((reply(way.submit),),), "get": gets, **more}

    def named(address: object) -> dict[str, Any]:
        return polled(done, post=((reply(at(way.submit, way.address, address)),),))

    return (
        fine(f"{name}: a job", "works, then is done", **polled((reply(way.working),), done)),
        Row(f"{name}: a job without end", "works for ever", **polled((reply(way.working),), line=SLOW), says=("within 1 s",)),
        Row(f"{name}: a poll that hangs", "holds the GET", **polled((hold,), line=SLOW), says=("within 1 s",)),
        Row(f"{name}: a job that vanishes", "404 from the second poll on", **polled((reply(way.working),), (reply({}, 404),))),
        Row(f"{name}: a key refused later", "401 while it is polled", **polled((reply({}, 401),)), code=4),
        fine(f"{name}: a server that stumbles", "500, then done", **polled((reply({}, 500),), done)),
        fine(f"{name}: a line that breaks", "RST, then done", **polled((reset,), done)),
        Row(f"{name}: a poll that redirects", "302 to another host, which gets no key", **polled((reply(b"", 302, location="{other}/poll"),), line=SLOW)),
        Row(f"{name}: done without an image", "says it is done, names none", **polled((reply(way.empty),))),
        Row(f"{name}: polled elsewhere", "the address is another host's, which gets no key", **named("{other}/poll"), says=("must not get the key",)),
        Row(f"{name}: polled on disk", "the address is a file", **named("file:///etc/passwd"), says=("must not get the key",)),
        Row(f"{name}: polled nowhere", "the address is a number", **named(7)),
        Row(f"{name}: an image that is lost", "404 for what is done", **polled(done) | {"get": {"/poll": (done,), **way.gets}}, says=("404",)),
    )  # fmt: skip


def hostile() -> tuple[Row, ...]:
    """Polls that no provider answers, from one of them: all are read by the same code."""

    def polled(*answers: Answer, **more: Any) -> dict[str, Any]:
        return {"provider": "bfl", "post": ((reply(WAYS["bfl"].submit),),), "get": {"/poll": answers}, **more}

    return (
        Row("a poll of nothing", "200 and no body", **polled((reply(b""),), line=SLOW)),
        Row("a poll of nesting", "100,000 levels", **polled((reply("[" * 100_000),), line=SLOW)),
        Row("a poll without end", "blanks for ever", **polled((HEAD, forever(b" " * 4096)), line=("--timeout", "5"))),
    )  # fmt: skip


JOBS = (*of("bfl"), *hostile(), *of("fal"), *of("replicate"))
