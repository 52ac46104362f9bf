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
        try:
            row = read_json(line)
        except (ValueError, RecursionError) as fault:
            raise error(f"{path}, line {number}: not valid JSON: {fault}") from fault
        if not isinstance(row, dict) or not row:
            message = f"{path}, line {number}: not a JSON object with keys"
            raise error(message, hint=f"write {example}")
        wrong = [column for column, value in row.items() if not _is_value(value)]
        if wrong:
            message = f"{path}, line {number}: {wrong[0]} must be a string, a number, or a list"
            raise error(message)
        yield number, row


def _is_value(value: object) -> bool:
    """Whether a key may have this value in a row: a cell, a list of cells, or a table."""
    if isinstance(value, list):
        return all(map(is_cell, value))
    return is_cell(value) or (isinstance(value, dict) and is_json(value))
