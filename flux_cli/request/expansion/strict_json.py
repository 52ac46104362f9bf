"""Reads JSON of manifests, rows and locks strictly: names once, and numbers that can be written."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACES = r"[ \t\r\n]*"
NOTHING, COLON, COMMA = (re.compile(f"{SPACES}{mark}{SPACES}") for mark in ("", ":", ","))
END = re.compile(rf"{SPACES}}}{SPACES}}}{SPACES}")


def read_json(text: str) -> Any:  # noqa: ANN401 - what JSON can be
    """The value of a JSON text. Raises ValueError, also for a name that is given twice."""
    return DECODER.decode(text)


def read_members(text: str, start: int) -> Iterator[tuple[str, Any]]:
    """The members of an inner object, one at a time: together they may take much memory.

    The first one is at the place `start`, and the text ends with the object around it. Raises
    ValueError as `read_json` does, but not for two members of one name.
    """
    place, mark = start, NOTHING
    while not END.fullmatch(text, place):
        name, place = DECODER.raw_decode(text, _after(mark, text, place))
        if not isinstance(name, str):
            raise json.JSONDecodeError("Expecting a name", text, place)
        value, place = DECODER.raw_decode(text, _after(COLON, text, place))
        yield name, value
        mark = COMMA


def _after(mark: re.Pattern[str], text: str, place: int) -> int:
    """The place after a mark and the spaces around it. Raises ValueError if there is none."""
    found = mark.match(text, place)
    if not found:
        raise json.JSONDecodeError("Expecting ':' or ','", text, place)
    return found.end()


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


DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse_constant
)
