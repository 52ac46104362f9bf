"""Reads a journal: its lines, which may be damaged, become the state of every request.

`journal` writes it, and `listing` finds it on disk. A line whose checksum is wrong is left out, and
every other line counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from string import Formatter

from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply
from flux_cli.images.names import SPEC_LENGTH, Name
from flux_cli.runs.records.lines import (
    LINE_SCHEMA,
    LISTED,
    SEAL_MARK,
    UNSEALED,
    answer_name,
    unseal,
)
from flux_cli.runs.records.past import PastCall, PastRun, read_number, read_text

FALLBACK = "recovered.{ext}"  # the name of an image whose own name is missing or invalid
SCHEMAS = (UNSEALED, LISTED, LINE_SCHEMA)
MOST_UNSENT = 10_000  # requests of one run that are listed although they were not sent


def read(lines: Iterable[bytes], *, with_replies: bool = True) -> PastRun | None:
    """The run that a journal describes; None if its first line is missing or damaged.

    Without `with_replies`, the replies are left out: they may hold images of megabytes.
    """
    past: PastRun | None = None
    calls: dict[int, PastCall] = {}
    damaged = 0
    for line in lines:
        event = _read_line(line, past)
        if event is None:
            damaged += 1
        elif past is None:
            past = _first_line(event)
            listed = past.calls if past else ()
            calls = {call.number: call for call in listed}
        elif event.get("event") in ("open", "end", "told"):
            past = _of_all_requests(past, event)
        else:
            _put_event(calls, event, past.facts, with_replies=with_replies)
    if past is None:
        return None
    known = _with_unsent(calls, past.facts)
    return past._replace(calls=_with_doubt(known, damaged), damaged=damaged)


def is_newer(line: bytes) -> bool:
    """Whether this is the first line of a journal that a newer flux has written."""
    event = _parse(unseal(line) or b"")
    schema = event.get("schema") if event and event.get("event") == "run" else None
    return isinstance(schema, int) and schema > LINE_SCHEMA


def _read_line(line: bytes, past: PastRun | None) -> dict[str, Json] | None:
    """The event of a line; None if it is damaged."""
    sealed = unseal(line)
    if sealed is not None:
        return _parse(sealed)
    if SEAL_MARK in line or (past and past.facts.get("schema") != UNSEALED):
        return None
    event = _parse(line)  # journals of the first schema have no checksums
    is_first = event is not None and event.get("schema") == UNSEALED
    return event if past or is_first else None


def _parse(line: bytes) -> dict[str, Json] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _of_all_requests(past: PastRun, event: dict[str, Json]) -> PastRun:
    """The run after an event that is not about one request."""
    if event.get("event") == "told":
        return past._replace(is_told=True)
    if event.get("event") == "open":
        return past._replace(owners=(*past.owners, event))
    process = (event.get("host"), event.get("pid"))
    left = (owner for owner in past.owners if (owner.get("host"), owner.get("pid")) != process)
    return past._replace(is_over=True, owners=tuple(left))


def _put_event(
    calls: dict[int, PastCall],
    event: dict[str, Json],
    facts: dict[str, Json],
    *,
    with_replies: bool,
) -> None:
    """Add what a line says of one request. The line that describes the request may be damaged."""
    number = event.get("call")
    if not isinstance(number, int) or (_lists_calls(facts) and number not in calls):
        return
    call = calls.get(number)
    if call is None or (event.get("event") == "sent" and not _lists_calls(facts)):
        call = _describe(number, event, facts, call)
    call = _after(call, event)
    if call.whole or not with_replies:
        call = call._replace(reply=None)
    calls[number] = call


def _lists_calls(facts: dict[str, Json]) -> bool:
    """Whether the first line of the journal lists all requests, so that no other one counts."""
    return facts.get("schema") in (UNSEALED, LISTED)


def _with_unsent(calls: dict[int, PastCall], facts: dict[str, Json]) -> list[PastCall]:
    """The requests in the order of their numbers, also those that no line describes."""
    n, skipped = facts.get("n"), facts.get("skipped")
    if isinstance(n, int) and not _lists_calls(facts):
        not_sent = set(range(1, min(n, MOST_UNSENT) + 1)).difference(calls)
        if isinstance(skipped, list):
            not_sent.difference_update(one for one in skipped if isinstance(one, int))
        unsent = _describe(0, {}, facts)
        calls |= {number: unsent._replace(number=number) for number in not_sent}
    return [calls[number] for number in sorted(calls)]


def _with_doubt(calls: Iterable[PastCall], damaged: int) -> tuple[PastCall, ...]:
    """Count requests as sent whose lines may be among the damaged ones.

    Requests are sent in their order, so these are the first of which the journal says nothing.
    """
    found = []
    for call in calls:
        is_doubtful = damaged > 0 and call.state == "not_sent"
        damaged -= is_doubtful
        found.append(call._replace(sent=call.sent or is_doubtful))
    return tuple(found)


def _first_line(event: dict[str, Json]) -> PastRun | None:
    listed, identity = event.pop("calls", None), event.get("id")
    if event.get("event") != "run" or event.get("schema") not in SCHEMAS:
        return None
    if not isinstance(identity, str) or (_lists_calls(event) and not isinstance(listed, list)):
        return None
    rows = listed if isinstance(listed, list) and _lists_calls(event) else []
    calls = tuple(_listed_call(row, event) for row in rows if isinstance(row, dict))
    return PastRun(identity, event, calls)


def _listed_call(row: dict[str, Json], facts: dict[str, Json]) -> PastCall:
    number = row.get("number")
    return _describe(number if isinstance(number, int) else 0, row, facts)


def _describe(
    number: int, row: dict[str, Json], facts: dict[str, Json], call: PastCall | None = None
) -> PastCall:
    """The request that a row and the facts of its run describe; `call` has its steps so far."""
    described = {**facts, **row}
    listed = _merged(facts.get("fields"), row.get("fields")).items()
    fields = {name: value for name, value in listed if isinstance(value, str | int)}
    about = row.get("about")
    return (call or PastCall(number, None, "", Name(FALLBACK, {})))._replace(
        seed=row.get("seed"),
        model=read_text(described, "model"),
        name=_name(described.get("template"), fields),
        delivery=_merged(facts.get("delivery"), row.get("delivery")),
        price_usd=read_number(described.get("price_usd")),
        key=read_text(row, "key"),
        about=about if isinstance(about, dict) else {},
    )


def _merged(shared: Json, own: Json) -> dict[str, Json]:
    """The object of a request: that of its run, with the keys that differ."""
    common = shared if isinstance(shared, dict) else {}
    return {**common, **own} if isinstance(own, dict) else common


def _name(template: Json, fields: dict[str, str | int]) -> Name:
    """The name of an image. If it is invalid, the image still gets one."""
    name = Name(template if isinstance(template, str) else FALLBACK, fields)
    try:
        specs = [spec or "" for _, _, spec, _ in Formatter().parse(name.template)]
        is_short = max(map(len, specs), default=0) <= SPEC_LENGTH
        is_valid = is_short and b"\0" not in name.path("png").encode("utf-8", "surrogateescape")
    except (ValueError, LookupError):
        is_valid = False
    return name if is_valid else Name(FALLBACK, fields)


def _after(call: PastCall, event: dict[str, Json]) -> PastCall:
    """The request after one event."""
    kind = event.get("event")
    if kind == "sent":
        listed = event.get("images")
        images = frozenset(map(str, listed)) if isinstance(listed, list) else frozenset()
        return call._replace(sent=True, images=images)
    if kind == "answered":
        reply = _reply(event)._replace(sent=call.images)
        files, _ = spooled(reply.data)
        return call._replace(answered=True, reply=reply, files=files, failure=None)
    if kind == "fetched":
        media = read_media(event.get("media"))
        cost = media[0].facts.cost_usd if media else None
        files = (*call.files, *(one.file for one in media))
        return call._replace(media=media, files=files, failure=None, cost_usd=cost)
    if kind == "saved":
        path = read_text(event, "path")
        saved = call.saved if path in call.saved else (*call.saved, path)
        return call._replace(saved=saved, cost_usd=read_number(event.get("cost_usd")))
    if kind == "whole":
        return call._replace(whole=True)
    if kind == "failed":  # there may be a file with an answer that was not understood
        return call._replace(failure=event, files=(*call.files, answer_name(call.number)))
    return call


def _reply(event: dict[str, Json]) -> Reply:
    headers = event.get("headers")
    known: dict[str, str] = {}
    if isinstance(headers, dict):
        known = {name: str(value) for name, value in headers.items()}
    data = str(event.get("body") or "").encode()
    return Reply(200, known, data, broken=read_text(event, "broken"))


def spooled(body: bytes) -> tuple[tuple[str, ...], bool]:
    """The names of the files that hold the images of a reply, and whether every one has a name."""
    from flux_cli.http.replies import BLOB  # lists of runs without an answer do not need it

    parts = body.split(BLOB.encode())[1:]
    listed = [part.partition(b'"')[0].decode("ascii", "replace") for part in parts]
    names = tuple(filter(str.isalnum, listed))
    return names, len(names) == len(listed)


def read_media(value: Json) -> tuple[Media, ...]:
    """The images that a journal line lists. Invalid items are skipped."""
    listed = value if isinstance(value, list) else []
    items = [item for item in listed if isinstance(item, dict)]
    return tuple(
        Media(read_text(item, "file"), _facts(item)) for item in items if read_text(item, "file")
    )


def _facts(item: dict[str, Json]) -> Facts:
    seed = item.get("seed")
    return Facts(
        request_id=read_text(item, "request_id"),
        provider=read_text(item, "provider"),
        cost_usd=read_number(item.get("cost_usd")),
        seed=seed if isinstance(seed, int) else None,
        revised_prompt=read_text(item, "revised_prompt"),
    )
