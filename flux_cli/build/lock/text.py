"""Writes the text of a lock: sorted JSON, one line per fact and per file, so that git merges it.

The same rows always give the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flux_cli.core.text import disarm_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.lock.rows import Base, Row
    from flux_cli.core.model import Json

SCHEMA = 1  # increased when a key is removed or changes its meaning
OPENING = '{"schema":'  # of every lock, whatever its schema
START = f'{OPENING} {SCHEMA}, "assets": {{'
END = "}}"


def lock_text(rows: Mapping[str, Row], base: Base | None = None) -> str:
    """The whole text of a lock, which ends with a line break. Only that of a shard has a base."""
    blocks = [_block(name, rows[name]) for name in sorted(rows)]
    start = f'{OPENING} {SCHEMA}, "base": {dump(base._asdict())}, "assets": {{' if base else START
    return "\n".join([start, *_separated(blocks), END, ""])


def _block(name: str, row: Row) -> str:
    return "\n".join([f"{dump(name)}: {{", *_separated(list(_lines(row))), "}"])


def _lines(row: Row) -> Iterator[str]:
    """The facts of one row, a line each. A fact that says nothing has none."""
    yield f' "request": {dump(row.request)}, "resolved": {dump(row.resolved)}'
    for key in ("requested", "generated"):
        facts = getattr(row, key)
        if facts:
            yield f" {dump(key)}: {dump(dict(sorted(facts.items())))}"
    for key in ("original", "refused", "unclear"):
        value = getattr(row, key)
        if value:
            yield f" {dump(key)}: {dump(value._asdict())}"
    if row.take > 1:
        yield f' "take": {row.take}'
    for key in ("adopted", "placeholder"):
        if getattr(row, key):
            yield f" {dump(key)}: true"
    if row.files:
        lines = [f"  {dump(path)}: {_file(row, path)}" for path in sorted(row.files)]
        yield "\n".join([' "files": {', *_separated(lines), " }"])


def _file(row: Row, path: str) -> str:
    facts = row.files[path]._asdict()
    return dump({key: value for key, value in facts.items() if value is not None})


def dump(value: Json) -> str:
    """JSON on one line that no CI service obeys."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # characters that UTF-8 cannot write are escaped
        text = json.dumps(value)
    return disarm_json(text)


def _separated(parts: list[str]) -> list[str]:
    """The parts with a comma after each but the last."""
    return [*(f"{part}," for part in parts[:-1]), *parts[-1:]]
