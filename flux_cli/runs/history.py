"""What a journal tells of a run: its lines, which may be cut short or odd, read into what became of every call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Literal

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import Facts, Media, Reply
from flux_cli.images.names import Name

BLOCK = 1 << 16  # characters
LARGEST = 1e15  # of any number a journal can mean
LATEST = 253_402_300_800.0  # the year 10000, which calendars cannot write
SCHEMA = 1  # changes when an older flux could misread a journal

State = Literal["saved", "waiting", "unclear", "failed", "expired", "not sent"]


class Entry(NamedTuple):
    """One call of a run. `waiting`: paid for and not saved yet; `unclear`: it may have been paid for, nobody knows."""

    number: int
    seed: Json
    model: str
    name: Name
    sent: bool = False
    reply: Reply | None = None
    media: tuple[Media, ...] = ()
    saved: tuple[str, ...] = ()
    whole: bool = False  # everything the call brought is saved
    failure: dict[str, Json] | None = None  # code, message, billed, status, request_id
    cost_usd: float | None = None

    @property
    def state(self) -> State:
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
        return "unclear" if self.sent else "not sent"

    @property
    def paid(self) -> bool:
        """Whether the call has cost something, or may have."""
        billed = bool((self.failure or {}).get("billed"))
        return billed or bool(self.saved) or self.state in ("saved", "waiting", "unclear", "expired")


class Past(NamedTuple):
    """One run as its journal tells it. `facts` is the first line: what was asked, of whom, and what files must be."""

    id: str
    facts: dict[str, Json]
    entries: tuple[Entry, ...]
    ended: bool = False

    def count(self, *states: State) -> int:
        """How many calls are in one of these states."""
        return sum(entry.state in states for entry in self.entries)

    @property
    def state(self) -> str:
        """One word for a run: what there is to do comes first."""
        for word, states in (("recoverable", ("waiting",)), ("unclear", ("unclear",)), ("expired", ("expired",))):
            if any(entry.state in states for entry in self.entries):
                return word
        if not self.ended and self.count("not sent"):
            return "interrupted"
        saved = self.count("saved")
        return "complete" if saved == len(self.entries) else "partial" if saved else "failed"

    @property
    def cost_usd(self) -> float | None:
        """What the providers said the run cost, in USD; None where one did not say."""
        costs = [entry.cost_usd for entry in self.entries if entry.paid]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def began(self) -> float | None:
        """When it began, in seconds since the epoch; None for what is no time of this world."""
        began = _number(self.facts.get("time"))
        return began if began is not None and began < LATEST else None

    def text(self, name: str) -> str:
        """A fact that is a text; "" where the journal has none."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else ""


def trace(run: str, number: int) -> str:
    """The name flux gives a request, 32 hexadecimal digits: under it a gateway's history lists the call."""
    return hashlib.sha256(f"{run} {number}".encode()).hexdigest()[:32]


def first_line(about: dict[str, Json], calls: Iterable[dict[str, Json]]) -> Iterator[str]:
    """The line that opens a journal, in blocks that are worth a write: ten thousand calls are four megabytes."""
    block, opening = f"\n{json.dumps(about, ensure_ascii=False)[:-1]}", ', "calls": ['
    for call in calls:
        block += opening + json.dumps(call, ensure_ascii=False)
        opening = ", "
        if len(block) > BLOCK:
            yield block
            block = ""
    yield f"{block}{opening if opening != ', ' else ''}]}}\n"


def read(lines: Iterable[bytes]) -> Past | None:
    """The run a journal tells of; None for what is no journal of this kind. A line that makes no sense is left out."""
    past: Past | None = None
    entries: dict[int, Entry] = {}
    ended = False
    for line in lines:
        event = _event(line)
        number = event.get("call")
        if past is None:
            past = _begun(event)
            entries = {entry.number: entry for entry in past.entries} if past else {}
        elif event.get("event") == "end":
            ended = True
        elif isinstance(number, int) and number in entries:
            entries[number] = _told(entries[number], event)
    return past and past._replace(entries=tuple(entries.values()), ended=ended)


def _event(line: bytes) -> dict[str, Json]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _begun(event: dict[str, Json]) -> Past | None:
    calls, identity = event.pop("calls", None), event.get("id")
    if (event.get("event"), event.get("schema")) != ("run", SCHEMA):
        return None
    if not isinstance(calls, list) or not isinstance(identity, str):
        return None
    entries = tuple(_entry(call) for call in calls if isinstance(call, dict))
    return Past(identity, event, entries)


def _entry(call: dict[str, Json]) -> Entry:
    number, template, fields = call.get("number"), call.get("template"), call.get("fields")
    known = (
        {key: value for key, value in fields.items() if isinstance(value, str | int)}
        if isinstance(fields, dict)
        else {}
    )
    return Entry(
        number=number if isinstance(number, int) else 0,
        seed=call.get("seed"),
        model=str(call.get("model") or ""),
        name=Name(template if isinstance(template, str) else "recovered.{ext}", known),
    )


def _told(entry: Entry, event: dict[str, Json]) -> Entry:
    """The entry after one event."""
    kind = event.get("event")
    if kind == "sent":
        return entry._replace(sent=True)
    if kind == "answered":
        headers = event.get("headers")
        known = {name: str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        return entry._replace(reply=Reply(200, known, str(event.get("body") or "").encode()), failure=None)
    if kind == "fetched":
        media = _media(event.get("media"))
        return entry._replace(media=media, failure=None, cost_usd=media[0].facts.cost_usd if media else None)
    if kind == "saved":
        path = str(event.get("path") or "")
        saved = entry.saved if path in entry.saved else (*entry.saved, path)
        return entry._replace(saved=saved, cost_usd=_number(event.get("cost_usd")))
    if kind == "whole":
        return entry._replace(whole=True)
    return entry._replace(failure=event) if kind == "failed" else entry


def _media(listed: Json) -> tuple[Media, ...]:
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return tuple(Media(str(item["file"]), _facts(item)) for item in items if isinstance(item.get("file"), str))


def _facts(item: dict[str, Json]) -> Facts:
    texts = (str(item.get(name) or "") for name in ("request_id", "provider", "revised_prompt"))
    request_id, provider, revised = texts
    seed = item.get("seed")
    return Facts(request_id, provider, _number(item.get("cost_usd")), seed if isinstance(seed, int) else None, revised)


def _number(value: Json) -> float | None:
    """A number that can be counted with."""
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return value if usable and isinstance(value, int | float) and abs(value) < LARGEST else None
