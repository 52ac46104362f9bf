"""Reads JSON of manifests and locks strictly: names once, and numbers that can be written again."""

from __future__ import annotations

import json
import math
from typing import Any


def read_json(text: str, *, is_checked: bool = False) -> Any:  # noqa: ANN401 - what JSON can be
    """The value of a JSON text. Raises ValueError, also for a name that is given twice.

    To look for such names costs as much as to read; of a text that `is_checked`, it is left out.
    """
    pairs = None if is_checked else _unique
    return json.loads(
        text, object_pairs_hook=pairs, parse_float=_finite, parse_constant=_refuse_constant
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number")
    return number


def _refuse_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not a number")
