"""What a shard of JSON lines has spent since it was complete, by its part of the ledger.

A shard that starts again must not spend its share of the limit anew. Once everything was built, a
mark ends what the limit covers: the next lines have a limit of their own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.lock.rows import CLAIMED
from flux_cli.build.stream.ledger import lines_in, read_line, time_of_mark
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any, BinaryIO


class Spending(NamedTuple):
    """What is known to be spent, in USD, and how many requests have an unknown cost."""

    known_usd: float = 0.0
    unknown: int = 0

    def most(self, prices: Collection[float]) -> float:
        """What was spent at most, if each request cost no more than the highest of these prices."""
        return self.known_usd + self.unknown * max(prices, default=0.0)


def read_spending(ledger: str, part: str) -> Spending:
    """What a part has spent since its last mark. Raises ManifestError."""
    path = os.path.join(ledger, part)
    if not os.path.isfile(path):
        return Spending()
    with Path(path).open("rb") as file:
        start = _last_mark(file, path)
        images: dict[tuple[str, str], float | None] = {}  # the costs by name and run
        unclear: set[tuple[str, str, str]] = set()  # also of those that were requested again
        for name, row in _rows(file, start, path):
            if run := _run_of(row):
                cost = _table(row, "generated").get("cost_usd")
                images[name, run] = cost if isinstance(cost, int | float) else None
            unclear |= _unclear_of(name, row)
        for name, row in _rows(file, 0, path, start):  # rows that were only written again
            images.pop((name, _run_of(row)), None)
            unclear -= _unclear_of(name, row)
    unclear = {one for one in unclear if one[:2] not in images}
    costs = [cost for cost in images.values() if cost is not None]
    return Spending(sum(costs), len(images) - len(costs) + len(unclear))


def _last_mark(file: BinaryIO, path: str) -> int:
    """Where the last mark is; 0 if there is none."""
    marks = (place for place, line in lines_in(file, 0, path) if time_of_mark(line))
    return max(marks, default=0)


def _rows(
    file: BinaryIO, start: int, path: str, end: int | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The names and rows of a part, from one byte on, and before another."""
    for place, line in lines_in(file, start, path):
        if end is not None and place >= end:
            return
        if not time_of_mark(line):
            yield read_line(line, f"{path}, byte {place}")


def _run_of(row: dict[str, Any]) -> str:
    """The run that generated the image of a row; "" if none has."""
    return str(_table(row, "generated").get("run", ""))


def _unclear_of(name: str, row: dict[str, Any]) -> set[tuple[str, str, str]]:
    """The request of a row that may have been billed, if there is one. Others pay for theirs."""
    trouble = _table(row, "unclear")
    if trouble.get("code", CLAIMED) == CLAIMED:
        return set()
    return {(name, str(trouble.get("run")), str(trouble.get("number")))}


def _table(row: dict[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    return value if isinstance(value, dict) else {}
