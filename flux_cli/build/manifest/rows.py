"""Reads the rows of a group: a CSV file with a header, or one JSON object per line."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from flux_cli.build.manifest.values import is_cell, is_json
from flux_cli.build.strict_json import read_json
from flux_cli.core.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    Row: TypeAlias = dict[str, Any]  # by column


def read_rows(text: str, path: str) -> list[Row]:
    """The rows of a file, whose suffix says what it is. Raises ManifestError."""
    suffix = path.lower().rpartition(".")[2]
    if suffix == "csv":
        return list(_csv_rows(text, path))
    if suffix in ("jsonl", "ndjson"):
        return list(_json_rows(text, path))
    raise ManifestError(f"{path}: rows come from a .csv or .jsonl file", hint="rename the file")


def _csv_rows(text: str, path: str) -> Iterator[Row]:
    """The rows below the header. A cell without text sets no key, but is a field."""
    lines = csv.reader([f"{line}\n" for line in text.split("\n")], strict=True)
    try:
        columns = [column.strip() for column in next(lines, [])]
        _check_columns(columns, path)
        for cells in lines:
            if not any(cells):
                continue  # an empty line
            if len(cells) != len(columns):
                count = f"{len(cells)} cells, and the header has {len(columns)}"
                hint = "quote cells that contain commas"
                raise ManifestError(f"{path}, line {lines.line_num}: {count}", hint=hint)
            stripped = [cell.strip() for cell in cells]
            yield dict(zip(columns, stripped, strict=True))
    except csv.Error as fault:
        raise ManifestError(f"{path}, line {lines.line_num}: {fault}") from fault


def _check_columns(columns: list[str], path: str) -> None:
    if not any(columns):
        raise ManifestError(f"{path} is empty", hint="the first line names the columns")
    twice = [column for column in columns if columns.count(column) > 1]
    if "" in columns or twice:
        what = f"the column {twice[0]!r} twice" if twice and twice[0] else "a column without a name"
        raise ManifestError(f"{path} has {what}", hint="the first line names the columns")


def _json_rows(text: str, path: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = read_json(line)
        except (ValueError, RecursionError) as fault:
            raise ManifestError(f"{path}, line {number}: not valid JSON: {fault}") from fault
        if not isinstance(row, dict) or not row:
            message = f"{path}, line {number}: not a JSON object with keys"
            raise ManifestError(message, hint='write {"sku": "A17", "color": "red"}')
        wrong = [column for column, value in row.items() if not _is_value(value)]
        if wrong:
            message = f"{path}, line {number}: {wrong[0]} must be a string, a number, or a list"
            raise ManifestError(message)
        yield row


def _is_value(value: object) -> bool:
    """Whether a key may have this value in a row: a cell, a list of cells, or a table."""
    if isinstance(value, list):
        return all(map(is_cell, value))
    return is_cell(value) or (isinstance(value, dict) and is_json(value))


def field_text(value: object) -> str:
    """The value of a column as a field of templates."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
