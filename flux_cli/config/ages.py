"""Parses ages such as 30d and 12h, also as a rule for how long something is kept."""

from __future__ import annotations

UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}  # seconds
RULES = {"never": 0.0, "forever": float("inf")}  # seconds
LONGEST = 36_500 * 86_400.0  # seconds; an age that is longer is a slip


def parse_age(text: str) -> float | None:
    """The seconds of an age such as `45m`, `12h`, `30d`, or `2w`; None for any other text."""
    number, unit = text[:-1], text[-1:].lower()
    if unit not in UNITS or not (number.isascii() and number.isdigit()):
        return None
    seconds = float(number) * UNITS[unit]
    return seconds if seconds <= LONGEST else None


def seconds_to_keep(text: str) -> float:
    """The seconds of `never`, `forever`, or an age. Raises ValueError for any other text."""
    seconds = RULES.get(text, parse_age(text))
    if seconds is None:
        raise ValueError(text)
    return seconds
