"""The outcomes of a run's requests, packed into a tenth of the memory that the objects would take."""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Sequence
from typing import Any

from flux_cli.core.errors import NotSentError
from flux_cli.core.request import Call, Facts, Outcome, SavedImage

FACTS = SavedImage._fields.index("facts")
BLOCK = 1 << 14  # bytes; an outcome belongs to the block in which it begins, even if it is longer
NOTHING = -1


class Outcomes(Sequence[Outcome]):
    """One outcome per call, in the order of the calls. A call without one was never sent."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._where = array("q", [NOTHING]) * len(calls)
        self._blocks = [bytearray()]
        self._failed: dict[int, Outcome] = {}

    def put(self, place: int, outcome: Outcome) -> None:
        """Record the outcome of the call at a place, counted from 0."""
        if outcome.error:
            self._failed[place] = outcome
            return
        if len(self._blocks[-1]) >= BLOCK:
            self._blocks.append(bytearray())
        self._where[place] = (len(self._blocks) - 1) * BLOCK + len(self._blocks[-1])
        self._blocks[-1] += _packed(outcome)

    def __len__(self) -> int:
        return len(self._where)

    def __getitem__(self, place: int) -> Outcome:  # type: ignore[override] # slices are not needed
        place = range(len(self))[place]
        call, where = self._calls[place], self._where[place]
        if where == NOTHING:
            nothing = Outcome(call, error=NotSentError("interrupted before it was sent"))
            return self._failed.get(place, nothing)
        block, begin = divmod(where, BLOCK)
        return _unpacked(memoryview(self._blocks[block])[begin:], call)


def _packed(outcome: Outcome) -> bytes:
    files: list[list[Any]] = [list(saved) for saved in outcome.saved]
    for one in files:
        one[FACTS] = tuple(one[FACTS])
    return marshal.dumps((files, outcome.kept, outcome.seconds))


def _unpacked(row: memoryview, call: Call) -> Outcome:
    files: list[list[Any]]
    files, kept, seconds = marshal.loads(row)  # noqa: S302 - packed by this process
    for one in files:
        one[FACTS] = Facts(*one[FACTS])
    return Outcome(call, tuple(SavedImage(*one) for one in files), None, kept, seconds)
