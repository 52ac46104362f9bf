"""Reads the rows of a group: a CSV file with a header, or one JSON object per line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError
from flux_cli.request.expansion.rows import json_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.request.expansion.rows import Row


def read_rows(text: str, path: str) -> list[Row]:
    """The rows of a file, whose suffix says what it is. Raises ManifestError."""
    suffix = path.lower().rpartition(".")[2]
    if suffix == "csv":
        return list(_csv_rows(text, path))
    if suffix in ("jsonl", "ndjson"):
        return [row for _, row in json_rows(text, path, ManifestError)]
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
