"""Warns of models that end, so that images can still be made before."""

from __future__ import annotations

from datetime import date

NOTICE = 90  # days before a model ends


def retirement_note(model: str, retires: str, today: str) -> str:
    """The warning about a model; "" if it does not end soon. Dates that are no dates do not count.

    `retires` is its last day, as 2026-12-01.
    """
    try:
        day = date.fromisoformat(retires)
    except ValueError:
        return ""
    left = (day - date.fromisoformat(today)).days
    if left > NOTICE:
        return ""
    return f"{model} {'retires' if left >= 0 else 'retired'} on {retires}"
