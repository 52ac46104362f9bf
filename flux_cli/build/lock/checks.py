"""Checks every value of a lock: a lock decides which files are moved and deleted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from flux_cli.build.candidates.naming import MOST, key_of
from flux_cli.build.lock.rows import NO_DIGEST, Base, File, Original, Row, Trouble
from flux_cli.build.manifest.paths import objection
from flux_cli.images.formats import FOREIGN, FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SHA256 = re.compile(r"[0-9a-f]{64}")
DIGEST = re.compile(r"[0-9a-f]{16}")
OUTPUT = re.compile(r"[0-9a-f]{8}")
MAX_NUMBER = 10**15
Shared = TypeVar("Shared", str, int | None)
KNOWN = frozenset((*Row._fields, "candidates"))
CANDIDATES = frozenset(map(str, range(1, MOST + 1)))


# Stands for an asset that has only candidates: all that is known of it is their rows.
NOTHING = Row(NO_DIGEST, NO_DIGEST)


def read_rows(assets: Iterable[tuple[str, Any]]) -> dict[str, Row]:
    """The rows of assets by name. Raises ValueError for any value or name that is not right."""
    rows: dict[str, Row] = {}
    for name, table in assets:
        if name in rows:
            raise ValueError(f"{name!r} is given twice")
        row = _row(name, table)
        candidates = _table_in(name, table.get("candidates", {}))
        if row != NOTHING or not candidates:
            rows[name] = row
        for number, candidate in candidates.items():
            if number not in CANDIDATES:
                raise ValueError(f"{name!r}: {number!r} is not the number of a candidate")
            rows[key_of(name, int(number))] = _row(f"{name}#{number}", candidate)
    return rows


def read_base(table: Any) -> Base | None:  # noqa: ANN401
    """From what a shard started; None for a lock of no shard. Raises ValueError."""
    if table is None:
        return None
    facts = table_of(table)
    if facts.keys() != set(Base._fields):
        raise ValueError("its base is not that of a shard")
    return Base(_match(DIGEST, facts["manifest"]), _match(DIGEST, facts["lock"]))


def _row(name: str, table: Any) -> Row:  # noqa: ANN401 - what JSON can be
    unknown = _table_in(name, table).keys() - KNOWN
    if unknown:
        raise ValueError(f"{name!r} has the unknown key {min(unknown)!r}; a newer flux wrote it")
    try:
        files = table_of(table.get("files", {}))
        return Row(
            request=_match(DIGEST, table["request"]),
            resolved=_match(DIGEST, table["resolved"]),
            requested=_facts(table.get("requested", {})),
            generated=_facts(table.get("generated", {})),
            original=_original(table.get("original")),
            files={path: file_of(path, file) for path, file in files.items()},
            take=_number(table.get("take", 1)),
            adopted=_flag(table.get("adopted", False)),
            placeholder=_flag(table.get("placeholder", False)),
            refused=_trouble(table.get("refused")),
            unclear=_trouble(table.get("unclear")),
            pick=_pick(table.get("pick", 0)),
        )
    except KeyError as fault:
        raise ValueError(f"{name!r} lacks {fault}") from fault
    except ValueError as fault:
        raise ValueError(f"{name!r}: {fault}") from fault


def file_of(path: str, table: Any) -> File:  # noqa: ANN401
    """One file of a row. Raises ValueError, KeyError."""
    reason = objection(path)
    if reason:
        raise ValueError(f"{path!r} {reason}")
    table = table_of(table)
    return File(
        output=_shared(_match(OUTPUT, table["output"])),
        sha256=_match(SHA256, table["sha256"]),
        bytes=_number(table["bytes"]),
        width=_shared(_optional(table.get("width"))),
        height=_shared(_optional(table.get("height"))),
    )


def _facts(value: Any) -> dict[str, Any]:  # noqa: ANN401
    facts = table_of(value)
    for key, fact in facts.items():
        if isinstance(fact, str):
            facts[key] = _shared(fact)
    return facts


@lru_cache(maxsize=1 << 12)
def _shared(value: Shared) -> Shared:
    """One object for equal values: many files are alike, and thousands of values take memory."""
    return value


def _original(table: Any) -> Original | None:  # noqa: ANN401
    if table is None:
        return None
    facts = table_of(table)
    name = facts["format"]
    if name not in FORMATS and name not in FOREIGN:
        raise ValueError(f"{name!r} is not a format")
    return Original(
        sha256=_match(SHA256, facts["sha256"]),
        bytes=_number(facts["bytes"]),
        width=_shared(_number(facts["width"])),
        height=_shared(_number(facts["height"])),
        format=_shared(name),
    )


def _trouble(table: Any) -> Trouble | None:  # noqa: ANN401
    if table is None:
        return None
    facts = table_of(table)
    request, number = _match(DIGEST, facts["request"]), _number(facts["number"])
    return Trouble(request, _text(facts["run"]), number, _text(facts["code"]))


def table_of(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """The value, if it is an object. Raises ValueError for anything else."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"{value!r} is not an object")


def _table_in(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """The value, if it is an object. Raises ValueError, which names the asset."""
    try:
        return table_of(value)
    except ValueError as fault:
        raise ValueError(f"{name!r}: {fault}") from fault


def _match(pattern: re.Pattern[str], value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not a digest")


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not text")


def _number(value: Any) -> int:  # noqa: ANN401
    if type(value) is int and 0 <= value < MAX_NUMBER:  # not true or false, which are numbers, too
        return value
    raise ValueError(f"{value!r} is not a whole number")


def _optional(value: Any) -> int | None:  # noqa: ANN401
    return None if value is None else _number(value)


def _pick(value: Any) -> int:  # noqa: ANN401
    if _number(value) <= MOST:
        return _number(value)
    raise ValueError(f"{value!r} is not the number of a candidate")


def _flag(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not true or false")
