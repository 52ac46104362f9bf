"""Recognizes an answer that is a task: work that has begun, and whose image comes later."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.providers.reading.walk import MAX_DEPTH, Fields, folded, objects, text_of

State = Literal["running", "failed", "done", ""]

TASK_IDS = ("taskid", "jobid", "predictionid", "generationid", "operationid")  # folded names
OTHER_IDS = ("id", "requestid")  # finished answers have these, too
ADDRESSES = (
    "pollingurl", "pollurl", "statusurl", "taskurl", "queryurl", "geturl", "fetchurl",
    "fetchresult",
)  # fmt: skip
LINKS = ("urls", "links")  # objects with an address per verb, of which `get` is the one to poll
STATUSES = ("status", "taskstatus", "state", "jobstatus")
STATES: dict[State, frozenset[str]] = {  # by folded words
    "running": frozenset((
        "submitted", "queued", "queueing", "inqueue", "pending", "processing", "running",
        "inprogress", "starting", "started", "created", "accepted", "waiting", "generating",
        "notstart", "notstarted", "notrunning", "scheduled", "working",
    )),
    "failed": frozenset((
        "failed", "fail", "failure", "error", "canceled", "cancelled", "aborted", "expired",
        "rejected", "timeout",
    )),
    "done": frozenset((
        "completed", "complete", "succeeded", "succeed", "success", "done", "finished", "ready",
    )),
}  # fmt: skip
# In other words for a state, these say what it is; an unknown word says nothing.
PARTS: dict[State, tuple[str, ...]] = {
    "failed": (
        "fail", "error", "moderat", "reject", "cancel", "expire", "notfound", "blocked",
        "incomplete", "unsucc",
    ),
    "running": ("processing", "queue", "pending", "running", "progress", "generating", "waiting"),
}  # fmt: skip
PREFIXES = ("task", "status")  # of the words of some servers: `TASK_STATUS_QUEUED`
WRAPPERS = ("data", "output", "result", "response", "task", "job")  # of the state of an answer
TASK_HEADER = "operation-location"
CREATED, ACCEPTED = 201, 202  # statuses whose `Location` is the task


class Task(NamedTuple):
    """An unfinished task. `address` is where its state is; "" if the answer does not say."""

    identity: str
    address: str


def find_task(reply: Reply, body: Json) -> Task | None:
    """The unfinished task that an answer without an image describes; None if it is none."""
    header = _address_in_headers(reply)
    for fields in objects(body):
        state = state_of(fields)
        named, address = text_of(fields, TASK_IDS), _address(fields) or header
        if state == "running" and not address:  # a page of its own, or the image once it is there
            address = text_of(fields, ("url",))
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
    return list(filter(None, map(state_of, objects(body))))


def has_failed(body: Json) -> bool:
    """Whether an answer itself says that it is a failure, not only one of its parts."""
    return own_state(body) == "failed"


def own_state(body: Json) -> State:
    """How far an answer itself is. A list is as far as all of its objects, if they agree."""
    for _ in range(MAX_DEPTH):
        if isinstance(body, list):
            return _common_state(body)
        if not isinstance(body, dict):
            return ""
        fields = folded(body)
        if state := state_of(fields):
            return state
        body = next((fields[name] for name in WRAPPERS if fields.get(name)), None)
    return ""


def _common_state(parts: list[Json]) -> State:
    """The state of the objects of a list; "" if they differ."""
    states = {state_of(folded(part)) for part in parts if isinstance(part, dict)}
    return states.pop() if len(states) == 1 else ""


def status_word(body: Json) -> str:
    """The innermost status of an answer, in its own words; "" if it has none."""
    words = [text_of(fields, STATUSES) for fields in objects(body)]
    return next((word for word in reversed(words) if fold_word(word).isalpha()), "")


def state_of(fields: Fields) -> State:
    """The state that an object with folded names says it has."""
    word = fold_word(text_of(fields, STATUSES))
    for state, words in STATES.items():
        if word in words:
            return state
    for state, parts in PARTS.items():
        if any(part in word for part in parts):
            return state
    return ""


def fold_word(word: str) -> str:
    """A status without what is not a letter: `In Progress`, `processing: 50%`."""
    letters = "".join(filter(str.isalpha, word.lower()))
    for prefix in PREFIXES:
        letters = letters.removeprefix(prefix)
    return letters


def _address(fields: Fields) -> str:
    if address := text_of(fields, ADDRESSES):
        return address
    for name in LINKS:
        links = fields.get(name)
        link = links.get("get") if isinstance(links, dict) else None
        if isinstance(link, str):
            return link
    return ""


def task_headers(reply: Reply) -> dict[str, str]:
    """The header that leads to the task of an answer, whatever its status; {} if it has none."""
    address = _address_in_headers(reply)
    return {TASK_HEADER: address} if address else {}


def _address_in_headers(reply: Reply) -> str:
    if address := reply.headers.get(TASK_HEADER):
        return address
    is_begun = reply.status in (CREATED, ACCEPTED)
    return reply.headers.get("location", "") if is_begun else ""
