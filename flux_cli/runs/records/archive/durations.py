"""How long images took in the latest runs, by their journals, so that a run can say what to expect.

Only a few journals are read, and only the beginning of each. One that is damaged teaches nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.runs.records.lines import unseal
from flux_cli.runs.records.listing import dated_names
from flux_cli.runs.records.past import read_number
from flux_cli.runs.records.store import SUFFIX, open_own

RUNS = 20  # journals that are opened, the latest ones
MOST_READ = 1 << 17  # bytes of a journal
ENOUGH = 5  # durations


class Asked(NamedTuple):
    """Whose durations count: a provider at its URL, and its models."""

    provider: str
    base_url: str
    models: Collection[str]


def read_durations(root: Path, asked: Asked) -> tuple[float, ...]:
    """Seconds that the latest images of the provider and models took; none if there are none."""
    found: list[float] = []
    for _, name in dated_names(root)[:RUNS]:
        with contextlib.suppress(OSError):
            found += durations_of(_first_lines(root / f"{name}{SUFFIX}"), asked)
        if len(found) >= ENOUGH:
            break
    return tuple(found[:ENOUGH])


def _first_lines(path: Path) -> list[bytes]:
    with os.fdopen(open_own(path), "rb") as file:
        return file.read(MOST_READ).split(b"\n")


def durations_of(lines: Iterable[bytes], asked: Asked) -> Iterator[float]:
    """The seconds from each request to its images, all saved by the run that sent it."""
    facts: dict[str, Json] = {}
    sent: dict[Json, float | None] = {}
    processes = 0
    for event in map(_event, lines):
        kind, number, time = event.get("event"), event.get("call"), read_number(event.get("time"))
        if kind == "run":
            facts = event
            if facts.get("model") is not None and not _is_asked(facts, asked):
                return  # all its requests have this model: most journals need no further look
        elif kind == "open":
            processes += 1
        elif kind == "sent" and isinstance(number, int) and _is_asked(facts | event, asked):
            sent[number] = time
        elif kind == "whole" and processes == 1 and isinstance(number, int):
            began = sent.pop(number, None)
            if began is not None and time is not None and time > began:
                yield time - began


def _is_asked(facts: dict[str, Json], asked: Asked) -> bool:
    server = (facts.get("provider"), facts.get("base_url"))
    return server == (asked.provider, asked.base_url) and facts.get("model") in asked.models


def _event(line: bytes) -> dict[str, Json]:
    """The event of a line; an empty one if it is damaged."""
    with contextlib.suppress(ValueError, RecursionError):
        event = json.loads(unseal(line) or b"")
        if isinstance(event, dict):
            return event
    return {}
