"""Builds the events of a request that progress displays and logs receive."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING

from flux_cli.core.outcome import Event, Facts
from flux_cli.runs.failures import ClaimedError

if TYPE_CHECKING:
    from flux_cli.core.outcome import Media, Outcome, SavedImage
    from flux_cli.runs.saving.conversion import Result


def received_event(number: int, media: Sequence[Media], seconds: float, *, key: str = "") -> Event:
    """The event for the arrival of a request's images. `seconds`: how long that took."""
    facts = media[0].facts if media else Facts()
    return Event(
        "received",
        number,
        seconds=seconds,
        size=sum(_size(one.file) for one in media if one.file),
        cost_usd=facts.cost_usd,
        request_id=facts.request_id,
        key=key,
    )


def end_events(outcome: Outcome) -> Iterator[Event]:
    """The events of a request that has ended: one per file, and one for a failure.

    A task that the caller names is one of many, and the files of its image are one event.
    """
    number, seconds, key = outcome.call.number, outcome.seconds, outcome.key
    if key and len(outcome.saved) > 1:
        yield _joined(outcome)
    else:
        yield from starmap(partial(_saved, outcome), enumerate(outcome.saved))
    for path in outcome.kept:
        yield Event("skipped", number, "already there", path=path, key=key)
    error = outcome.error
    if isinstance(error, ClaimedError):
        yield Event("skipped", number, error.message, seconds, key=key)
    elif error:
        yield Event(
            "failed",
            number,
            error.message,
            seconds,
            request_id=error.request_id,
            status=error.status,
            code=error.code,
            key=key,
        )


def conversion_events(number: int, result: Result, size: int, seconds: float) -> Iterator[Event]:
    """The events of an image of `size` bytes that was converted: one per file and failure."""
    for saved in result.saved:
        detail = f"{_size_text(size)} -> {_size_text(saved.size)}"
        name = f"{result.source} -> {saved.path}"
        yield Event("saved", number, detail, seconds, saved.path, saved.size, key=name)
    for error in result.errors:
        yield Event("failed", number, error.message, seconds, code=error.code)
    if not result.saved and not result.errors:
        yield Event("skipped", number, "already there", key=result.source)


def _size_text(size: int) -> str:
    """A size in units that people read: `240 kB`, `1.3 MB`."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:,.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"


def _saved(outcome: Outcome, extra: int, saved: SavedImage) -> Event:
    return Event(
        "saved",
        outcome.call.number,
        _describe(saved),
        outcome.seconds,
        saved.path,
        saved.size,
        cost_usd=None if extra else saved.facts.cost_usd,
        request_id=saved.facts.request_id,
        key=outcome.key,
    )


def _joined(outcome: Outcome) -> Event:
    size = sum(saved.size for saved in outcome.saved)
    detail = f"{len(outcome.saved)} files, {size / 1000:,.0f} kB"
    first = _saved(outcome, 0, outcome.saved[0])
    return first._replace(detail=detail, path=outcome.key, size=size)


def _describe(saved: SavedImage) -> str:
    """A short description of an image: pixels, format and size on disk."""
    return f"{saved.pixels} {saved.format}, {saved.size / 1000:,.0f} kB".lstrip()


def _size(file: str) -> int:
    with contextlib.suppress(OSError):
        return os.stat(file).st_size
    return 0
