"""What BFL, fal and Replicate answer, from the files in tests/replies/<provider>.

One function per protocol makes the answer to a submit, with all that can be read or canceled later:

    server.answers(bfl_task("pending", "404-task-not-found", "ready"))  # what three polls get
    server.answers(fal_request("202-in-queue", "completed", result="flagged"))
    server.answers(replicate_prediction("202-starting", "processing", "succeeded"))

The names are those of the files; digits before their first dash are the HTTP status. The files were
written after the providers' documentation, not captured. In them `{origin}` stands for the server,
`{job}` for the name of the job, `{image}` for the address of its image and `{seed}` for its seed.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from fakes.images import pixels_as
from fakes.messages import Reply, Request, reply
from fakes.server import Answer, Scripts

REPLIES = Path(__file__).parents[1] / "replies"
KEY = "canary-Sup3rS3cretV4lue"
SMALL = (64, 36)  # pixels of the images served here: nobody looks at them
CHOSEN_SEED = 4711  # the seed a provider chooses itself


class Endpoint(NamedTuple):
    """Where the API of a provider is on a server, and how flux gets its key."""

    key_variable: str
    base_path: str  # of the base URL
    key_header: str
    key_prefix: str
    submit_path: str  # of the paid POST

    @property
    def key_value(self) -> str:
        """The value of the header that has the key."""
        return self.key_prefix + KEY


DIRECT_ENDPOINTS = {
    "bfl": Endpoint(
        key_variable="BFL_API_KEY",
        base_path="",
        key_header="x-key",
        key_prefix="",
        submit_path="/v1/flux-pro-1.1-ultra",
    ),
    "fal": Endpoint(
        key_variable="FAL_KEY",
        base_path="",
        key_header="authorization",
        key_prefix="Key ",
        submit_path="/fal-ai/flux-pro/v1.1-ultra",
    ),
    "replicate": Endpoint(
        key_variable="REPLICATE_API_TOKEN",
        base_path="/v1",
        key_header="authorization",
        key_prefix="Bearer ",
        submit_path="/v1/models/black-forest-labs/flux-1.1-pro-ultra/predictions",
    ),
}
ENDPOINTS = {
    "lumenfall": Endpoint(
        key_variable="LUMENFALL_API_KEY",
        base_path="/openai/v1",
        key_header="authorization",
        key_prefix="Bearer ",
        submit_path="/openai/v1/images/generations",
    ),
    **DIRECT_ENDPOINTS,
}


# --- recorded answers -----------------------------------------------------------------------------


def recorded_names(provider: str, kind: str) -> list[str]:
    """The names of all recorded answers of one kind."""
    return sorted(path.stem for path in (REPLIES / provider / kind).glob("*.json"))


def recorded(
    provider: str, kind: str, name: str, marks: Mapping[str, Any] | None = None, **headers: str
) -> Reply:
    """One recorded answer, its marks replaced."""
    text = (REPLIES / provider / kind / f"{name}.json").read_text()
    body = _replace_marks(json.loads(text), marks or {})
    number = re.match(r"\d{3}(?=-)", name)
    return reply(body, int(number[0]) if number else 200, **headers)


def edited(original: Reply, **fields: Any) -> Reply:
    """A recorded answer with other values at its top."""
    return replace(original, body=json.dumps(json.loads(original.body) | fields).encode())


def _replace_marks(value: Any, marks: Mapping[str, Any]) -> Any:
    """The value with its marks replaced. A text that is only a mark may become a number."""
    if isinstance(value, dict):
        return {key: _replace_marks(part, marks) for key, part in value.items()}
    if isinstance(value, list):
        return [_replace_marks(part, marks) for part in value]
    if not isinstance(value, str):
        return value
    for mark, text in marks.items():
        if value == f"{{{mark}}}":
            return text
        value = value.replace(f"{{{mark}}}", str(text))
    return value


def marks_of(request: Request, image: str = "") -> dict[str, Any]:
    """What the marks in recorded answers stand for. Jobs are named after their seed: job-7."""
    seed = _parameters(request).get("seed", CHOSEN_SEED)
    job = f"job-{seed}"
    return {"job": job, "seed": seed, "image": image or f"{{origin}}/delivery/{job}.jpeg"}


def _parameters(request: Request) -> dict[str, Any]:
    body = request.json
    parameters: dict[str, Any] = body.get("input", body)
    return parameters


def _small_image(request: Request) -> Reply:
    """The image a submit asks for: its format, and a color that depends on the seed."""
    parameters = _parameters(request)
    output_format = parameters.get("output_format", "jpeg")
    file_format = "jpeg" if output_format == "jpg" else output_format
    color = parameters.get("seed", CHOSEN_SEED) % 97
    return reply(pixels_as(file_format, *SMALL, color), content_type="image/any")


def _recorded_script(
    provider: str, kind: str, script: tuple[str | Answer, ...], marks: Mapping[str, Any]
) -> tuple[Answer, ...]:
    """A script in which names stand for recorded answers."""

    def answer(step: str | Answer) -> Answer:
        return recorded(provider, kind, step, marks) if isinstance(step, str) else step

    return tuple(map(answer, script))


# --- the three protocols --------------------------------------------------------------------------


def bfl_task(
    *polls: str | Answer, submit: str = "task", image: str = "", delivery: tuple[Answer, ...] = ()
) -> Answer:
    """BFL: a task, and what each poll of it gets."""

    def answer(request: Request) -> Reply:
        marks = marks_of(request, image)
        job = marks["job"]
        scripts: Scripts = {
            f"GET /v1/get_result?id={job}": _recorded_script(
                "bfl", "polls", polls or ("ready",), marks
            ),
            f"GET /delivery/{job}.jpeg": delivery or (_small_image(request),),
        }
        return replace(recorded("bfl", "submits", submit, marks), scripts=scripts)

    return answer


def fal_request(
    *statuses: str | Answer,
    submit: str = "queued",
    result: str | Answer = "image",
    image: str = "",
    delivery: tuple[Answer, ...] = (),
    cancel: str | Answer = "202-requested",
) -> Answer:
    """fal: a request in the queue, what each look at its status gets, and its result."""

    def answer(request: Request) -> Reply:
        marks = marks_of(request, image)
        job = marks["job"]
        root = f"/fal-ai/flux-pro/requests/{job}"
        statuses_ = statuses or ("completed",)
        scripts: Scripts = {
            f"GET {root}/status": _recorded_script("fal", "statuses", statuses_, marks),
            f"GET {root}": _recorded_script("fal", "results", (result,), marks),
            f"PUT {root}/cancel": _recorded_script("fal", "cancels", (cancel,), marks),
            f"GET /delivery/{job}.jpeg": delivery or (_small_image(request),),
        }
        return replace(recorded("fal", "submits", submit, marks), scripts=scripts)

    return answer


def replicate_prediction(
    created: str | Reply = "201-succeeded",
    *polls: str | Answer,
    image: str = "",
    delivery: tuple[Answer, ...] = (),
    cancel: str | Answer = "canceled",
) -> Answer:
    """Replicate: what the create gets, and what each poll gets."""

    def answer(request: Request) -> Reply:
        marks = marks_of(request, image)
        job = marks["job"]
        root = f"/v1/predictions/{job}"

        def predictions(*script: str | Answer) -> tuple[Answer, ...]:
            return _recorded_script("replicate", "predictions", script, marks)

        scripts: Scripts = {
            f"GET {root}": predictions(*(polls or ("succeeded",))),
            f"POST {root}/cancel": predictions(cancel),
            f"GET /delivery/{job}.jpeg": delivery or (_small_image(request),),
        }
        (first,) = predictions(created)
        assert isinstance(first, Reply)
        return replace(first, scripts=scripts)

    return answer


GOOD_JOBS: dict[str, Callable[..., Answer]] = {  # the shortest way to an image
    "bfl": bfl_task,
    "fal": fal_request,
    "replicate": replicate_prediction,
}
ENDLESS_JOBS: dict[str, Callable[[], Answer]] = {
    "bfl": lambda: bfl_task("pending"),
    "fal": lambda: fal_request("202-in-progress"),
    "replicate": lambda: replicate_prediction("202-starting", "processing"),
}
POLLED_PATHS = {  # where the end of a job is read
    "bfl": "/v1/get_result?id=job-{seed}",
    "fal": "/fal-ai/flux-pro/requests/job-{seed}/status",
    "replicate": "/v1/predictions/job-{seed}",
}
