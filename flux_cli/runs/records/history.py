"""Reads a journal: its lines, which may be cut short or invalid, become the state of every request.

`journal` writes it, and `store` finds it on disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Literal

from flux_cli.core.errors import FluxError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply
from flux_cli.images.names import Name

LARGEST = 1e15  # larger numbers in a journal are invalid
LATEST = 253_402_300_800.0  # seconds: the year 10000, which ISO 8601 cannot write
SCHEMA = 1  # changes when an older flux could misread a journal

State = Literal["saved", "waiting", "unclear", "failed", "expired", "not_sent"]
NEEDS_WORK: dict[str, State] = {  # state of a run -> state of a request in it, most urgent first
    "recoverable": "waiting",
    "unclear": "unclear",
    "expired": "expired",
}


class PastCall(NamedTuple):
    """One request of an earlier run.

    Its state is `waiting` if it is paid for but not saved, `unclear` if it may be paid for.
    """

    number: int
    seed: Json
    model: str
    name: Name
    sent: bool = False
    reply: Reply | None = None
    media: tuple[Media, ...] = ()
    saved: tuple[str, ...] = ()
    whole: bool = False  # every image of the request is saved
    failure: dict[str, Json] | None = None  # code, message, billed, final, status, request_id
    cost_usd: float | None = None

    @property
    def state(self) -> State:
        """How far the request got."""
        failure = self.failure or {}
        if self.whole:
            return "saved"
        if failure.get("code") == "expired":
            return "expired"
        if failure.get("final"):
            return "failed"
        if self.reply or self.media:
            return "waiting"
        if failure:
            return "unclear" if failure.get("billed") else "failed"
        return "unclear" if self.sent else "not_sent"

    @property
    def is_paid(self) -> bool:
        """Whether the request cost something, or may have."""
        if self.saved or (self.failure or {}).get("billed"):
            return True
        return self.state in ("saved", "waiting", "unclear", "expired")

    @property
    def error(self) -> FluxError | None:
        """The failure of the request as the journal has it; None if there was none."""
        if self.failure is None:
            return None
        status = self.failure.get("status")
        error = FluxError(
            _text(self.failure, "message"),
            billed=bool(self.failure.get("billed")),
            status=status if isinstance(status, int) else None,
            request_id=_text(self.failure, "request_id"),
        )
        error.code = _text(self.failure, "code") or FluxError.code
        return error

    @property
    def request_id(self) -> str:
        """The provider's name for the request; "" if it gave none."""
        if self.media:
            return self.media[0].facts.request_id
        return _text(self.failure or {}, "request_id")


class PastRun(NamedTuple):
    """One run as its journal describes it.

    `facts` is the first line: request, provider, how to save.
    """

    id: str
    facts: dict[str, Json]
    calls: tuple[PastCall, ...]
    is_over: bool = False

    def count(self, *states: State) -> int:
        """How many requests are in one of these states."""
        return sum(call.state in states for call in self.calls)

    @property
    def state(self) -> str:
        """One word for the run. What still needs work comes first."""
        for word, state in NEEDS_WORK.items():
            if self.count(state):
                return word
        if not self.is_over and self.count("not_sent"):
            return "interrupted"
        saved = self.count("saved")
        if saved == len(self.calls):
            return "complete"
        return "partial" if saved else "failed"

    @property
    def cost_usd(self) -> float | None:
        """What the provider says the run cost, in USD; None where it did not say."""
        costs = [call.cost_usd for call in self.calls if call.is_paid]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def began(self) -> float | None:
        """When the run began, in seconds since the epoch; None if that is missing or invalid."""
        began = _number(self.facts.get("time"))
        return began if began is not None and began < LATEST else None

    def text(self, name: str) -> str:
        """A fact as text; "" if the journal does not have it."""
        return _text(self.facts, name)


def trace(run: str, number: int) -> str:
    """The trace id of a request (32 hexadecimal digits), by which the gateway lists it."""
    return hashlib.sha256(f"{run} {number}".encode()).hexdigest()[:32]


def read(lines: Iterable[bytes]) -> PastRun | None:
    """The run that a journal describes; None if it is not a journal. Invalid lines are skipped."""
    past: PastRun | None = None
    calls: dict[int, PastCall] = {}
    is_over = False
    for line in lines:
        event = _event(line)
        number = event.get("call")
        if past is None:
            past = _first_line(event)
            listed = past.calls if past else ()
            calls = {call.number: call for call in listed}
        elif event.get("event") == "end":
            is_over = True
        elif isinstance(number, int) and number in calls:
            calls[number] = _after(calls[number], event)
    return past and past._replace(calls=tuple(calls.values()), is_over=is_over)


def _event(line: bytes) -> dict[str, Json]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _first_line(event: dict[str, Json]) -> PastRun | None:
    listed, identity = event.pop("calls", None), event.get("id")
    if (event.get("event"), event.get("schema")) != ("run", SCHEMA):
        return None
    if not isinstance(listed, list) or not isinstance(identity, str):
        return None
    calls = tuple(_call(row) for row in listed if isinstance(row, dict))
    return PastRun(identity, event, calls)


def _call(row: dict[str, Json]) -> PastCall:
    number, template, fields = row.get("number"), row.get("template"), row.get("fields")
    known: dict[str, str | int] = {}
    if isinstance(fields, dict):
        known = {name: value for name, value in fields.items() if isinstance(value, str | int)}
    if not isinstance(template, str):
        template = "recovered.{ext}"
    return PastCall(
        number=number if isinstance(number, int) else 0,
        seed=row.get("seed"),
        model=_text(row, "model"),
        name=Name(template, known),
    )


def _after(call: PastCall, event: dict[str, Json]) -> PastCall:
    """The request after one event."""
    kind = event.get("event")
    if kind == "sent":
        return call._replace(sent=True)
    if kind == "answered":
        return call._replace(reply=_reply(event), failure=None)
    if kind == "fetched":
        media = read_media(event.get("media"))
        cost = media[0].facts.cost_usd if media else None
        return call._replace(media=media, failure=None, cost_usd=cost)
    if kind == "saved":
        path = _text(event, "path")
        saved = call.saved if path in call.saved else (*call.saved, path)
        return call._replace(saved=saved, cost_usd=_number(event.get("cost_usd")))
    if kind == "whole":
        return call._replace(whole=True)
    return call._replace(failure=event) if kind == "failed" else call


def _reply(event: dict[str, Json]) -> Reply:
    headers = event.get("headers")
    known: dict[str, str] = {}
    if isinstance(headers, dict):
        known = {name: str(value) for name, value in headers.items()}
    return Reply(200, known, str(event.get("body") or "").encode())


def read_media(value: Json) -> tuple[Media, ...]:
    """The images that a journal line lists. Invalid items are skipped."""
    listed = value if isinstance(value, list) else []
    items = [item for item in listed if isinstance(item, dict)]
    return tuple(Media(_text(item, "file"), _facts(item)) for item in items if _text(item, "file"))


def _facts(item: dict[str, Json]) -> Facts:
    seed = item.get("seed")
    return Facts(
        request_id=_text(item, "request_id"),
        provider=_text(item, "provider"),
        cost_usd=_number(item.get("cost_usd")),
        seed=seed if isinstance(seed, int) else None,
        revised_prompt=_text(item, "revised_prompt"),
    )


def _text(fields: dict[str, Json], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(value: Json) -> float | None:
    """A number within range; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < LARGEST else None
