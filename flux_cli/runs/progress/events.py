"""Builds the events of a request that progress displays and logs receive."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flux_cli.core.outcome import Event, Facts

if TYPE_CHECKING:
    from flux_cli.core.outcome import Media, Outcome, SavedImage


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
    """The events of a request that has ended: one per file, and one for a failure."""
    number, seconds, key = outcome.call.number, outcome.seconds, outcome.key
    for extra, saved in enumerate(outcome.saved):
        yield Event(
            "saved",
            number,
            _describe(saved),
            seconds,
            saved.path,
            saved.size,
            cost_usd=None if extra else saved.facts.cost_usd,
            request_id=saved.facts.request_id,
            key=key,
        )
    for path in outcome.kept:
        yield Event("skipped", number, "already there", path=path, key=key)
    if error := outcome.error:
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


def _describe(saved: SavedImage) -> str:
    """A short description of an image: pixels, format and size on disk."""
    return f"{saved.pixels} {saved.format}, {saved.size / 1000:,.0f} kB".lstrip()


def _size(file: str) -> int:
    with contextlib.suppress(OSError):
        return os.stat(file).st_size
    return 0
