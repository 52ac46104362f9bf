"""Reads rows: one JSON object per line. What their keys mean is up to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.request.expansion.cells import is_cell, is_json
from flux_cli.request.expansion.strict_json import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    Row: TypeAlias = dict[str, Any]  # by column

EXAMPLE = '{"sku": "A17", "color": "red"}'


def json_rows(
    text: str, path: str, error: type[UsageError] = UsageError, example: str = EXAMPLE
) -> Iterator[tuple[int, Row]]:
    """The number of each line that is not empty, and its row. Raises `error`."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = read_row(line, f"{path}, line {number}", error, example)
        yield number, row


def read_row(
    line: str, where: str, error: type[UsageError] = UsageError, example: str = EXAMPLE
) -> Row:
    """The row of one line. Raises `error`, which begins with `where`."""
    try:
        row = read_json(line)
    except (ValueError, RecursionError) as fault:
        raise error(f"{where}: not valid JSON: {fault}") from fault
    if not isinstance(row, dict) or not row:
        raise error(f"{where}: not a JSON object with keys", hint=f"write {example}")
    wrong = [column for column, value in row.items() if not _is_value(value)]
    if wrong:
        raise error(f"{where}: {wrong[0]} must be a string, a number, or a list")
    return row


def _is_value(value: object) -> bool:
    """Whether a key may have this value in a row: a cell, a list of cells, or a table."""
    if isinstance(value, list):
        return all(map(is_cell, value))
    return is_cell(value) or (isinstance(value, dict) and is_json(value))
