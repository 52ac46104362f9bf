"""Writes the text of a lock: sorted JSON, one line per fact and per file, so that git merges it.

The same rows always give the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import number_of, owner_of
from flux_cli.build.lock.rows import NO_DIGEST, Row
from flux_cli.core.text import disarm_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.core.model import Json

SCHEMA = 1  # increased when a key is removed or changes its meaning
OPENING = '{"schema":'  # of every lock, whatever its schema
START = f'{OPENING} {SCHEMA}, "assets": {{'
END = "}}"


def lock_text(rows: Mapping[str, Row]) -> str:
    """The whole text of a lock, which ends with a line break."""
    owners, candidates = _nested(rows)
    blocks = [_block(name, owners[name], candidates.get(name, {})) for name in sorted(owners)]
    return "\n".join([START, *_separated(blocks), END, ""])


def _nested(rows: Mapping[str, Row]) -> tuple[dict[str, Row], dict[str, dict[int, Row]]]:
    """The rows of assets, and those of their candidates by number, which have no files."""
    owners: dict[str, Row] = {}
    candidates: dict[str, dict[int, Row]] = {}
    for key, row in rows.items():
        owner = owner_of(key)
        if owner and not row.files:
            candidates.setdefault(owner, {})[number_of(key)] = row
        else:
            owners[key] = row
    for owner in candidates.keys() - owners.keys():
        owners[owner] = Row(NO_DIGEST, NO_DIGEST)
    return owners, candidates


def _block(name: str, row: Row, candidates: Mapping[int, Row]) -> str:
    lines = list(_lines(row))
    if candidates:
        own = [f'  "{number}": {_on_one_line(candidates[number])}' for number in sorted(candidates)]
        block = "\n".join([' "candidates": {', *_separated(own), " }"])
        lines.insert(len(lines) - bool(row.files), block)
    return "\n".join([f"{dump(name)}: {{", *_separated(lines), "}"])


def _on_one_line(row: Row) -> str:
    return f"{{{', '.join(line.strip() for line in _lines(row))}}}"


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
    if row.pick:
        yield f' "pick": {row.pick}'
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
