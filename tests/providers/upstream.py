"""The protocols of BFL, fal and Replicate on the loopback, from answers recorded in tests/replies/<provider>.

One function for each protocol makes the answer to a submit, with all that can be read or canceled afterward:

    upstream.answers(task("pending", "404-task-not-found", "ready"))     # BFL: what three polls say
    upstream.answers(queued("202-in-queue", "completed", result="flagged"))
    upstream.answers(prediction("202-starting", "processing", "succeeded"))

The names are those of the files; digits before their first dash are the HTTP status. The files were written after the
providers' documentation, not captured. In them `{origin}` stands for the server, `{job}` for the name of the job,
`{image}` for the address of its image and `{seed}` for the seed it was asked with.
"""

import functools
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from e2e import gateway
from e2e.drawings import pixels_as
from e2e.gateway import Answer, Asked, Gateway, Reply, status, words

REPLIES = Path(__file__).parents[1] / "replies"
KEY = "canary-Sup3rS3cretV4lue"
SMALL = (64, 36)  # pixels of the images served here: nobody looks at them
UNSAID = 4711  # the seed an upstream chooses itself


class Way(NamedTuple):
    """How the command reaches one provider on the loopback: the key's variable and header, and the base's path."""

    variable: str
    header: str
    value: str
    base: str
    submit: str  # path of the paid POST


WAYS = {
    "bfl": Way("BFL_API_KEY", "x-key", KEY, "", "/v1/flux-pro-1.1-ultra"),
    "fal": Way("FAL_KEY", "authorization", f"Key {KEY}", "", "/fal-ai/flux-pro/v1.1-ultra"),
    "replicate": Way(
        "REPLICATE_API_TOKEN", "authorization", f"Bearer {KEY}", "/v1",
        "/v1/models/black-forest-labs/flux-1.1-pro-ultra/predictions",
    ),
}  # fmt: skip


class Upstream(Gateway):
    """A gateway that also takes PUT, POSTs without a body, and tells addresses apart by method and query."""

    def __init__(self) -> None:
        super().__init__()
        self._server.RequestHandlerClass = functools.partial(_Handler, self)

    @property
    def submits(self) -> list[Asked]:
        """The POSTs that would have been paid for."""
        return [
            asked
            for asked in self.requests
            if asked.method == "POST" and not asked.path.endswith("/cancel")
        ]

    @property
    def log(self) -> list[str]:
        """Every request as `GET /path?query`, in order of arrival."""
        return [f"{asked.method} {_place(asked)}" for asked in self.requests]

    def _next(self, asked: Asked) -> Answer:
        place = _place(asked)
        script = self._media.get(place if asked.method == "GET" else f"{asked.method} {place}")
        if script is None:
            script = self._script if asked.method == "POST" else [status(404)]
        return script.pop(0) if len(script) > 1 else script[0]


class _Handler(gateway._Handler):
    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(json.loads(data) if data else {})

    do_PUT = do_POST


def _place(asked: Asked) -> str:
    return f"{asked.path}?{asked.query}" if asked.query else asked.path


# --- recorded answers -----------------------------------------------------------------------------------------------


def recorded(provider: str, kind: str) -> list[str]:
    """The names of all recorded answers of one kind."""
    return sorted(path.stem for path in (REPLIES / provider / kind).glob("*.json"))


def shape(
    provider: str, kind: str, name: str, marks: dict[str, Any] | None = None, **headers: str
) -> Reply:
    """One recorded answer, its marks replaced."""
    text = (REPLIES / provider / kind / f"{name}.json").read_text()
    body = _filled(json.loads(text), marks or {})
    number = re.match(r"\d{3}(?=-)", name)
    return words(body, code=int(number[0]) if number else 200, **headers)


def edited(reply: Reply, **fields: Any) -> Reply:
    """A recorded answer with other values at its top."""
    return reply._replace(body=json.dumps(json.loads(reply.body) | fields).encode())


def _filled(value: Any, marks: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, marks) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, marks) for part in value]
    if isinstance(value, str) and value[1:-1] in marks and value[0] + value[-1] == "{}":
        return marks[value[1:-1]]
    if isinstance(value, str):
        for mark, text in marks.items():
            value = value.replace(f"{{{mark}}}", str(text))
    return value


def marks_of(asked: Asked, image: str = "") -> dict[str, Any]:
    """What the marks in recorded answers stand for. Jobs are named after their seed: 7 is drawn by job-7."""
    given = asked.body.get("input", asked.body)
    seed = given.get("seed", UNSAID)
    origin = f"http://{asked.headers['host']}"
    job = f"job-{seed}"
    return {
        "origin": origin,
        "job": job,
        "seed": seed,
        "image": image or f"{origin}/delivery/{job}.jpeg",
    }


def photo(asked: Asked) -> Reply:
    """The image a submit asks for: its format, and a color that depends on the seed."""
    given = asked.body.get("input", asked.body)
    file_format = {"jpg": "jpeg"}.get(
        given.get("output_format"), given.get("output_format", "jpeg")
    )
    return words(pixels_as(file_format, *SMALL, given.get("seed", UNSAID) % 97), "image/any")


def _steps(
    provider: str, kind: str, script: tuple[str | Reply, ...], marks: dict[str, Any]
) -> tuple[Reply, ...]:
    return tuple(
        shape(provider, kind, step, marks) if isinstance(step, str) else step for step in script
    )


# --- the three protocols --------------------------------------------------------------------------------------------


def task(
    *polls: str | Reply, submit: str = "task", image: str = "", delivery: tuple[Reply, ...] = ()
) -> Answer:
    """BFL: a task, and what each poll of it says."""

    def answer(asked: Asked) -> Reply:
        marks = marks_of(asked, image)
        media = {
            f"/v1/get_result?id={marks['job']}": _steps("bfl", "polls", polls or ("ready",), marks),
            f"/delivery/{marks['job']}.jpeg": delivery or (photo(asked),),
        }
        return shape("bfl", "submits", submit, marks)._replace(media=media)

    return answer


def queued(
    *statuses: str | Reply,
    submit: str = "queued",
    result: str | Reply = "image",
    image: str = "",
    delivery: tuple[Reply, ...] = (),
    cancel: Answer | str = "202-requested",
) -> Answer:
    """fal: a request in the queue, what each look at its status says, and its result."""

    def answer(asked: Asked) -> Reply:
        marks = marks_of(asked, image)
        root = f"/fal-ai/flux-pro/requests/{marks['job']}"
        media = {
            f"{root}/status": _steps("fal", "statuses", statuses or ("completed",), marks),
            root: _steps("fal", "results", (result,), marks),
            f"PUT {root}/cancel": (
                shape("fal", "cancels", cancel) if isinstance(cancel, str) else cancel,
            ),
            f"/delivery/{marks['job']}.jpeg": delivery or (photo(asked),),
        }
        return shape("fal", "submits", submit, marks)._replace(media=media)

    return answer


def prediction(
    created: str | Reply = "201-succeeded",
    *polls: str | Reply,
    image: str = "",
    delivery: tuple[Reply, ...] = (),
    cancel: Answer | str = "canceled",
) -> Answer:
    """Replicate: what the create says, and what each poll says."""

    def answer(asked: Asked) -> Reply:
        marks = marks_of(asked, image)
        root = f"/v1/predictions/{marks['job']}"
        refused = (
            shape("replicate", "predictions", cancel, marks) if isinstance(cancel, str) else cancel
        )
        media = {
            root: _steps("replicate", "predictions", polls or ("succeeded",), marks),
            f"POST {root}/cancel": (refused,),
            f"/delivery/{marks['job']}.jpeg": delivery or (photo(asked),),
        }
        first = _steps("replicate", "predictions", (created,), marks)[0]
        return first._replace(media=media)

    return answer


GOOD = {"bfl": task, "fal": queued, "replicate": prediction}  # the shortest way to an image
ENDLESS = {  # a job that is never done
    "bfl": lambda: task("pending"),
    "fal": lambda: queued("202-in-progress"),
    "replicate": lambda: prediction("202-starting", "processing"),
}
POLLED = {  # where the end of a job is read
    "bfl": "/v1/get_result?id=job-{seed}",
    "fal": "/fal-ai/flux-pro/requests/job-{seed}/status",
    "replicate": "/v1/predictions/job-{seed}",
}
