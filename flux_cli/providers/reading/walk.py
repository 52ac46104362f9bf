"""Walks through the objects of an answer, within limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flux_cli.core.model import Json

# What servers repeat of the request, or count: nothing in it is about the image.
ECHOES = frozenset(("input", "inputs", "request", "parameters", "params", "usage", "metadata"))
MAX_DEPTH = 6  # levels that are looked at
MAX_PARTS = 10_000  # values that are looked at

Fields = Mapping[str, Json]


def fold(name: str) -> str:
    """A name without `_`, `-` and capitals: servers write `task_id`, `taskId` and `TaskID`."""
    return name.replace("_", "").replace("-", "").lower()


def folded(fields: Fields) -> Fields:
    """The same object with folded names."""
    return {fold(name): part for name, part in fields.items()}


def objects(body: Json) -> Iterator[Fields]:
    """The objects in an answer, level by level, with folded names."""
    level: list[Json] = [body]
    left = MAX_PARTS
    for _ in range(MAX_DEPTH):
        following: list[Json] = []
        for value in level[: max(0, left)]:
            left -= 1
            if isinstance(value, dict):
                fields = folded(value)
                yield fields
                following += [part for name, part in fields.items() if name not in ECHOES]
            elif isinstance(value, list):
                following += value[:MAX_PARTS]
        level = following


def text_of(fields: Fields, names: tuple[str, ...]) -> str:
    """The first text or number under one of these names; "" if there is none."""
    for name in names:
        value = fields.get(name)
        is_text = isinstance(value, str | int) and not isinstance(value, bool)
        if is_text and str(value).strip():
            return str(value).strip()
    return ""
