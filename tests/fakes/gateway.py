"""A fake gateway that speaks Lumenfall's dialect, and misbehaves when a test says so.

    gateway.answers(status(429, retry_after="1"), image())

POSTs get a good image unless a test scripts something else. The history of requests is answered as
the gateway does it.
"""

import base64
import json
import secrets
import threading
import time
from typing import Any
from urllib.parse import parse_qs

from fakes.images import image_for
from fakes.messages import Reply, Request, reply
from fakes.server import Answer, Server, Step, settle

PREFIX = "/openai/v1"
HISTORY = "/v1/requests"
PATIENCE = 30.0  # seconds after which an answer that waits for a test stops waiting
COST = 0.06  # USD per image


# --- answers --------------------------------------------------------------------------------------


def status(number: int, code: str = "", message: str = "not this time", **headers: str) -> Reply:
    """An error in the gateway's envelope."""
    return reply({"error": {"message": message, "type": "any", "code": code}}, number, **headers)


def image(
    data: bytes | None = None,
    *,
    name: str = "{id}.jpg",
    first: tuple[Answer, ...] = (),
    **metadata: object,
) -> Answer:
    """A good answer: an image of the size and format asked for, as a URL or base64 as asked for.

    `data` replaces the image, and `name` its name under /media/. GETs of it are answered with
    `first` before they are answered with the image.
    """

    def answer(request: Request) -> Reply:
        body = request.json
        made = image_for(body) if data is None else data
        facts = {
            "model": body.get("model"),
            "provider": "fal",
            "cost": COST,
            "cost_currency": "USD",
            **metadata,
        }
        if body.get("response_format") == "b64_json":
            return _images({"b64_json": base64.b64encode(made).decode()}, facts)
        path = "/media/" + name.format(id=f"{body.get('seed', 0)}-{secrets.token_hex(4)}")
        scripts = {f"GET {path}": (*first, reply(made, content_type="image/jpeg"))}
        return _images({"url": f"{{origin}}{path}", "revised_prompt": "revised"}, facts, scripts)

    return answer


def _images(
    item: dict[str, str],
    facts: dict[str, Any],
    scripts: dict[str, tuple[Answer, ...]] | None = None,
) -> Reply:
    body = json.dumps({"created": 1, "data": [item], "metadata": facts}).encode()
    return Reply(body, headers={"x_lumenfall_request_id": "req_1"}, scripts=scripts or {})


def by_seed(answers: dict[int, Answer], otherwise: Answer | None = None) -> Answer:
    """The answer for the seed in the request; by default, an image."""
    default = image() if otherwise is None else otherwise
    return lambda request: answers.get(request.json["seed"], default)


def together(count: int, then: Answer | None = None) -> Answer:
    """Answers only once `count` requests are waiting at the same time; 418 if they never are."""
    barrier = threading.Barrier(count, timeout=PATIENCE)

    def answer(_request: Request) -> Answer:
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            return status(418, message=f"{count} requests never came together")
        return image() if then is None else then

    return answer


def held(until: threading.Event, then: Answer | None = None) -> Answer:
    """Answers only once the event is set."""

    def answer(_request: Request) -> Answer:
        until.wait(PATIENCE)
        return image() if then is None else then

    return answer


# --- the server -----------------------------------------------------------------------------------


class Gateway(Server):
    """A server with a history, as Lumenfall has it."""

    def __init__(self) -> None:
        super().__init__({"POST": [image()]})
        self.url = self.origin + PREFIX
        self.history: list[dict[str, Any]] = []  # every paid POST, the oldest first
        self.keeps_answers = True  # whether the history also has what was answered
        self.page_size = 100  # requests on one page of the history, at most

    def answer(self, request: Request) -> Answer:
        if request.is_paid:
            return self._recorded(request, super().answer(request))
        if request.path.startswith(HISTORY) and self.script_for(request) is None:
            return self._history_answer(request)
        return super().answer(request)

    def _recorded(self, request: Request, answer: Answer) -> Answer:
        """The answer, written into the history. The trace is the one in the W3C header."""
        entry = {
            "id": f"req_h{len(self.history)}",
            "object": "request",
            "status": "processing",
            "cost": None,
            "trace_id": request.headers.get("traceparent", "-").split("-")[1],
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        self.history.append(entry)

        def recorded(request: Request) -> Reply | tuple[Step, ...]:
            settled = settle(answer, request)
            entry.update(_outcome(settled))
            return settled

        return recorded

    def _history_answer(self, request: Request) -> Reply:
        if request.path == HISTORY:
            return self._history_page(request)
        name = request.path.rpartition("/")[2]
        found = [entry for entry in self.history if entry["id"] == name]
        return self._history_entry(found[0]) if found else status(404)

    def _history_page(self, request: Request) -> Reply:
        """One page, the newest entry first, and the address of the next page."""
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        since, start = query.get("created_after", ""), int(query.get("starting_after", 0))
        limit = min(int(query.get("limit", 20)), self.page_size)
        end = start + limit
        found = [entry for entry in reversed(self.history) if entry["created_at"] > since]
        rows = [_without_answer(entry) for entry in found[start:end]]
        following = f"limit={limit}&created_after={since}&starting_after={end}"
        next_page = f"{{origin}}{HISTORY}?{following}" if end < len(found) else None
        return reply({"object": "list", "data": rows, "next_page_url": next_page})

    def _history_entry(self, entry: dict[str, Any]) -> Reply:
        body = _without_answer(entry)
        if self.keeps_answers and "answer" in entry:
            body["response"] = {"body": entry["answer"]}
        return reply(body)


def _outcome(answer: Reply | tuple[Step, ...]) -> dict[str, Any]:
    """What the history has about a request once it is answered."""
    if not isinstance(answer, Reply):
        return {"status": "rejected"}
    if answer.status != 200:
        return {"status": "rejected" if int(answer.status) < 500 else "upstream_failure"}
    try:
        return {"status": "completed", "cost": COST, "answer": json.loads(answer.body)}
    except (ValueError, RecursionError):
        return {"status": "completed", "cost": COST}


def _without_answer(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "answer"}
