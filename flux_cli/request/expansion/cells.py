"""The values that a row or an axis may have: strings, numbers, switches, and JSON of them."""

from __future__ import annotations

import json
import math
import re

NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,15})?", re.ASCII)


def scalar(value: object) -> str | int | float | None:
    """A string or a number; a string that is plainly a number becomes one. None for all else."""
    if isinstance(value, str):
        return _number(value) if NUMBER.fullmatch(value) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) < 1e300 else None


def _number(text: str) -> int | float:
    if "." in text:
        return float(text)
    return int(text)


def is_cell(value: object) -> bool:
    """Whether a value can stand in a row: a string, a number, or true or false."""
    return isinstance(value, bool) or scalar(value) is not None


def is_json(value: object) -> bool:
    """Whether a value of a document can be sent as JSON."""
    if isinstance(value, dict):
        return all(map(is_json, value.values()))
    if isinstance(value, list):
        return all(map(is_json, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def field_text(value: object) -> str:
    """The value of a column as a field of templates."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
