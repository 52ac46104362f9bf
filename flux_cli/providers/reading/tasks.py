"""Recognizes an answer that is a task: work that has begun, and whose image comes later."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.providers.reading.walk import Fields, fold, objects, text_of

State = Literal["running", "failed", "done", ""]

TASK_IDS = ("taskid", "jobid", "predictionid", "generationid", "operationid")  # folded names
OTHER_IDS = ("id", "requestid")  # finished answers have these, too
ADDRESSES = (
    "pollingurl", "pollurl", "statusurl", "taskurl", "queryurl", "geturl", "fetchurl",
)  # fmt: skip
LINKS = ("urls", "links")  # objects with an address per verb, of which `get` is the one to poll
STATUSES = ("status", "taskstatus", "state", "jobstatus")
STATES: dict[State, frozenset[str]] = {  # by folded words
    "running": frozenset((
        "submitted", "queued", "queueing", "inqueue", "pending", "processing", "running",
        "inprogress", "starting", "started", "created", "accepted", "waiting", "generating",
        "notstart", "notstarted", "scheduled", "working",
    )),
    "failed": frozenset((
        "failed", "fail", "failure", "error", "canceled", "cancelled", "aborted", "expired",
        "rejected", "timeout",
    )),
    "done": frozenset((
        "completed", "complete", "succeeded", "succeed", "success", "done", "finished", "ready",
    )),
}  # fmt: skip
CREATED, ACCEPTED = 201, 202  # statuses whose `Location` is the task


class Task(NamedTuple):
    """An unfinished task. `address` is where its state is; "" if the answer does not say."""

    identity: str
    address: str


def find_task(reply: Reply, body: Json) -> Task | None:
    """The unfinished task that an answer without an image describes; None if it is none."""
    header = _address_in_headers(reply)
    for fields in objects(body):
        state = _state(fields)
        named, address = text_of(fields, TASK_IDS), _address(fields) or header
        identity = plain(named or text_of(fields, OTHER_IDS), 100)
        is_task = named or address or state == "running"
        if state in ("", "running") and is_task and (identity or address):
            return Task(identity, address)
    return Task("", header) if header else None


def usual_address(task: Task) -> str:
    """Where gateways have the state of a task if they do not say, relative to the base URL.

    APIMart, EvoLink and VibeTool document `GET /v1/tasks/{task_id}`.
    """
    return f"tasks/{quote(task.identity, safe='')}"


def states_of(body: Json) -> list[State]:
    """How far a task is, by every status that says it.

    The innermost is the last one. Outer ones are often about the request for the state.
    """
    return list(filter(None, map(_state, objects(body))))


def has_failed(body: Json) -> bool:
    """Whether an answer itself says that it is a failure."""
    return isinstance(body, dict) and states_of(body)[:1] == ["failed"]


def _state(fields: Fields) -> State:
    word = fold(text_of(fields, STATUSES)).replace(" ", "")
    return next((state for state, words in STATES.items() if word in words), "")


def _address(fields: Fields) -> str:
    if address := text_of(fields, ADDRESSES):
        return address
    for name in LINKS:
        links = fields.get(name)
        link = links.get("get") if isinstance(links, dict) else None
        if isinstance(link, str):
            return link
    return ""


def _address_in_headers(reply: Reply) -> str:
    if address := reply.headers.get("operation-location"):
        return address
    is_begun = reply.status in (CREATED, ACCEPTED)
    return reply.headers.get("location", "") if is_begun else ""
