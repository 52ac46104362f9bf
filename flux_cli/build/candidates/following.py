"""Sets the row of an asset, and has the rows of its candidates follow: they are of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import key_of, keys_of, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.lock.rows import Row


def put_row(rows: dict[str, Row], was: str, name: str, row: Row) -> None:
    """Set the row of an asset that was known as `was`. The candidates of a renamed one follow."""
    rows.pop(was, None)
    rows[name] = row
    if was != name:
        for key in list(keys_of(was, rows)):
            rows[key_of(name, number_of(key))] = rows.pop(key)
    drop_stand_in(rows, name)


def follow_side(rows: dict[str, Row], others: Mapping[str, Row], name: str) -> None:
    """Take the candidates of an asset from the side of a merge conflict that its row is of.

    `rows` has those of the first side, and what only the other side has.
    """
    is_other = rows[name] == others[name]
    for key in keys_of(name, others):
        first, second = (others[key], rows[key]) if is_other else (rows[key], others[key])
        # An image that is paid for is not given up for a request that has brought none.
        is_lacking = second.is_made and not first.is_made and first.request == second.request
        rows[key] = second if is_lacking else first
    drop_stand_in(rows, name)


def drop_stand_in(rows: dict[str, Row], name: str) -> None:
    """Drop candidate 1 of an asset that has its image itself, because none is picked."""
    if not rows[name].pick:
        rows.pop(key_of(name, 1), None)
