"""Warns before a model is retired, while its images can still be made."""

from __future__ import annotations

from datetime import date

NOTICE = 90  # days before a model is retired


def retirement_note(model: str, retires: str, today: str) -> str:
    """The warning about a model; "" if it is not retired soon, or `retires` is not a date.

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
