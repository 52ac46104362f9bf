"""Sets the row of an asset, and has the rows of its candidates follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import key_of, keys_of, number_of

if TYPE_CHECKING:
    from flux_cli.build.lock.rows import Row


def put_row(rows: dict[str, Row], was: str, name: str, row: Row) -> None:
    """Set the row of an asset that was known as `was`. The candidates of a renamed one follow."""
    rows.pop(was, None)
    rows[name] = row
    if was != name:
        for key in list(keys_of(was, rows)):
            rows[key_of(name, number_of(key))] = rows.pop(key)
    if not row.pick:  # it has the image of candidate 1 itself
        rows.pop(key_of(name, 1), None)
