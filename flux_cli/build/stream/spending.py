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
    from collections.abc import Collection
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
    images: dict[tuple[str, str], float | None] = {}  # the costs by name and run
    unclear: set[str] = set()
    with Path(path).open("rb") as file:
        start, since = _last_mark(file, path)
        for place, line in lines_in(file, start, path):
            if time_of_mark(line):
                continue
            name, row = read_line(line, f"{path}, byte {place}")
            generated = _table(row, "generated")
            if str(generated.get("time", "")) >= since and "run" in generated:
                cost = generated.get("cost_usd")
                known = cost if isinstance(cost, int | float) else None
                images[name, str(generated["run"])] = known
            unclear.discard(name)
            if _table(row, "unclear").get("code", CLAIMED) != CLAIMED:  # others pay for theirs
                unclear.add(name)
    costs = [cost for cost in images.values() if cost is not None]
    return Spending(sum(costs), len(images) - len(costs) + len(unclear))


def _last_mark(file: BinaryIO, path: str) -> tuple[int, str]:
    """Where the last mark is, and its time; the beginning if there is none."""
    start, since = 0, ""
    for place, line in lines_in(file, 0, path):
        if time := time_of_mark(line):
            start, since = place, time
    return start, since


def _table(row: dict[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    return value if isinstance(value, dict) else {}
