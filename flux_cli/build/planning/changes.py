"""What differs between a row and its asset, key by key, and how it is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flux_cli.build.planning.outcome import HIDDEN, hide_prompts
from flux_cli.build.planning.steps import Change
from flux_cli.build.references import sources
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json

SHOWN = 60  # characters of a value
ARROW = " -> "


def changes_of(old: Mapping[str, Json], new: Mapping[str, Json]) -> tuple[Change, ...]:
    """The keys whose values differ, the prompt first."""
    if str(old.get("prompt", "")).startswith(HIDDEN):
        new = hide_prompts(new)
    keys = sorted(old.keys() | new.keys(), key=lambda key: (key != "prompt", key))
    differing = [key for key in keys if old.get(key) != new.get(key)]
    return tuple(Change(key, old.get(key), new.get(key)) for key in differing)


def change_text(change: Change) -> str:
    """`seed: 7 -> 8`. Of a prompt, only the part that differs is shown; references by name."""
    old, new = change.old, change.new
    if change.key in sources.KEYS and (text := sources.change_text(old, new)):
        return text
    if isinstance(old, str) and isinstance(new, str):
        old, new = _differing(old, new)
    return f"{change.key}: {_shown(old)}{ARROW}{_shown(new)}"


def _differing(old: str, new: str) -> tuple[str, str]:
    """Two texts without the clauses, separated by commas, at which both begin and end."""
    first, second = old.split(", "), new.split(", ")
    shortest = min(len(first), len(second)) - 1
    start = 0
    while start < shortest and first[start] == second[start]:
        start += 1
    end = 0
    while end < shortest - start and first[-1 - end] == second[-1 - end]:
        end += 1
    parts = (texts[start : len(texts) - end] for texts in (first, second))
    one, other = (", ".join(part) for part in parts)
    return one, other


def _shown(value: Json) -> str:
    """A value on one line; text in quotes, so that spaces can be seen."""
    if value is None:
        return "none"
    if isinstance(value, str) and value.startswith(HIDDEN):
        return value[:19]
    text = plain(json.dumps(value, ensure_ascii=False), 4 * SHOWN)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 2]}…{text[-1]}"
