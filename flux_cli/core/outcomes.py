"""What became of the calls of a run, packed: a saved picture takes a seventh of what its nouns take."""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from typing import Any

from flux_cli.core.errors import Interrupted
from flux_cli.core.request import Call, Facts, Outcome, Saved

FACTS = Saved._fields.index("facts")


class Outcomes(Sequence[Outcome]):
    """One outcome a call, in the order of the calls. Calls of which nothing was heard were interrupted before."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._rows: list[bytes | Outcome | None] = [None] * len(calls)

    def put(self, place: int, outcome: Outcome) -> None:
        """What became of the call at a place, counted from 0."""
        self._rows[place] = outcome if outcome.error else _packed(outcome)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> Outcome:  # type: ignore[override] # nobody needs slices
        row, call = self._rows[place], self._calls[place]
        if row is None:
            return Outcome(call, error=Interrupted("interrupted before it was sent"))
        return _unpacked(row, call) if isinstance(row, bytes) else row


def _packed(outcome: Outcome) -> bytes:
    files: list[list[Any]] = [list(saved) for saved in outcome.saved]
    for one in files:
        one[FACTS] = tuple(one[FACTS])
    return marshal.dumps((files, outcome.skipped, outcome.seconds))


def _unpacked(row: bytes, call: Call) -> Outcome:
    files: list[list[Any]]
    files, skipped, seconds = marshal.loads(row)  # noqa: S302 - what this process has packed itself
    for one in files:
        one[FACTS] = Facts(*one[FACTS])
    return Outcome(call, tuple(Saved(*one) for one in files), None, skipped, seconds)
