"""Estimates how long one request takes, and all that are left, from what others have taken."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

RECENT = 15  # requests that count; those of earlier runs are the first to be left out
LEAST = 2  # requests of a run without earlier ones: the first to end is often the fastest
STEPS = ((20, 1), (60, 5), (300, 10))  # seconds up to which a time is rounded up to such steps
LONG_STEP = 60


class Pace:
    """How long requests take. `earlier` are the seconds that those of earlier runs took."""

    def __init__(self, earlier: Iterable[float] = ()) -> None:
        self._seconds = deque(earlier, maxlen=RECENT)
        self._least = 1 if self._seconds else LEAST

    def add(self, seconds: float) -> None:
        """Count a request of this run that has ended well."""
        self._seconds.append(seconds)

    @property
    def typical(self) -> float | None:
        """The seconds of a usual request: the median, as one may have waited for an hour."""
        if len(self._seconds) < self._least:
            return None
        ordered = sorted(self._seconds)
        middle = len(ordered) // 2
        return (ordered[middle] + ordered[-1 - middle]) / 2


def seconds_left(running: Sequence[float], to_come: int, typical: float, at_once: int) -> float:
    """When the last request ends, if each one to come begins as soon as another one ends.

    `running` are the seconds that those under way still need, and `at_once` is how many can be
    under way.
    """
    idle = max(0, at_once - len(running))
    ends = sorted([*running, *[0.0] * idle]) or [0.0]
    rounds, rest = divmod(to_come, len(ends))
    last = max(ends[-1], ends[rest - 1] + typical) if rest else ends[-1]
    return rounds * typical + last


def rounded(seconds: float) -> int:
    """Whole seconds, as exact as an estimate is: `18`, `25`, `140`, `540`."""
    step = next((step for limit, step in STEPS if seconds <= limit), LONG_STEP)
    return max(1, math.ceil(seconds / step)) * step
