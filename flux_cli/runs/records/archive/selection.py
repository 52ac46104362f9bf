"""Selects runs to list, the newest first, and opens no more journals than that needs."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flux_cli.config.ages import UNITS, parse_age
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.runs.records.listing import (
    STAMP,
    RecordedRun,
    Stray,
    age_key,
    dated_names,
    read_run,
)
from flux_cli.runs.records.store import SUFFIX

DAY = UNITS["d"]
FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")
WITHOUT_FAILURE = ("running", "complete")  # states of runs


class Filter(NamedTuple):
    """Which runs are wanted. `since` is in seconds since the epoch."""

    since: float = 0.0
    failed: bool = False
    search: str = ""

    def accepts(self, run: RecordedRun) -> bool:
        """Whether a run is wanted. One whose journal does not tell its time counts as new."""
        began = run.past.began
        if began is not None and began < self.since:
            return False
        if self.failed and run.state in WITHOUT_FAILURE:
            return False
        return not self.search or _mentions(run, self.search.casefold())


class Selection(NamedTuple):
    """Runs, the newest first. `more` is how many older ones were not read."""

    runs: list[RecordedRun]
    strays: list[Stray]
    more: int = 0


def select(root: Path, wanted: Filter, limit: float) -> Selection:
    """The newest runs that are wanted, at most `limit`, and what cannot be read among them."""
    oldest = _local(wanted.since)
    # Local time repeats an hour each year, so names that are a day older are read, too.
    readable = _local(wanted.since - DAY)
    dated = [(stamp, name) for stamp, name in dated_names(root) if stamp >= readable]
    runs: list[RecordedRun] = []
    strays: list[Stray] = []
    count, last = 0, ""
    for stamp, name in dated:
        if len(runs) >= limit and stamp != last:  # names of one second are in any order
            break
        count, last = count + 1, stamp
        found = read_run(root / f"{name}{SUFFIX}")
        if isinstance(found, Stray):
            strays.append(found)
        elif found and wanted.accepts(found):
            runs.append(found)
    runs.sort(key=age_key, reverse=True)
    shown = runs if len(runs) <= limit else runs[: int(limit)]
    unread = sum(stamp >= oldest for stamp, _ in dated[count:])
    return Selection(shown, strays, unread + len(runs) - len(shown))


def parse_since(text: str) -> float:
    """A time as seconds since the epoch: a local date, an age such as 7d, today, or yesterday.

    Raises UsageError.
    """
    now, word = time.time(), text.strip().lower()
    age = parse_age(word)
    if age is not None:
        return max(0.0, now - age)
    if word in ("today", "yesterday"):
        year, month, day, *_ = time.localtime(now)
        day -= word == "yesterday"  # the day before the first is the last of the month before
        return time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    for form in FORMS:
        try:
            return max(0.0, time.mktime(time.strptime(text.strip(), form)))
        except (ValueError, OverflowError):
            continue
    hint = "write a date (2026-01-31), an age (45m, 12h, 7d, 2w), today, or yesterday"
    raise UsageError(f"invalid time {text!r}", hint=hint)


def _local(seconds: float) -> str:
    """A time as names of runs have it."""
    return time.strftime(STAMP, time.localtime(max(0.0, seconds)))


def _mentions(run: RecordedRun, text: str) -> bool:
    """Whether a text in lower case is in a prompt or in the name of a file."""
    paths = (path for call in run.past.calls for path in call.saved)
    texts = (*run.past.prompts, *map(os.path.basename, paths))
    return any(text in one.casefold() for one in texts)
