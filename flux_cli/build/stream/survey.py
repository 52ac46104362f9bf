"""Adds up what a build from JSON lines would do. Only what is to be done takes memory."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from flux_cli.build.planning.cost import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.stream.lines import Line

MOST_LISTED = 20  # assets of a plan that have a line of their own
MOST_PRICES = 1000  # different ones that are told apart


class Survey:
    """Counts and costs of all lines."""

    def __init__(self, most_listed: int = MOST_LISTED) -> None:
        self.signs: Counter[str] = Counter()
        self.files = 0
        self.changed = 0  # assets for which anything is to be done, or waits for a person
        self.wrong = 0  # lines that are no asset
        self.unselected = 0
        self.others = 0  # assets of other shards
        self.listed: list[Priced] = []
        self._most_listed = most_listed
        self._places = array("q")  # of the lines to do: number and first byte of each
        self._known_usd = 0.0
        self._requests = self._unknown = 0  # with and without a known price
        self._prices: set[float] = set()

    @property
    def assets(self) -> int:
        return self.signs.total()

    @property
    def is_empty(self) -> bool:
        """Whether no line is an asset."""
        return not (self.assets or self.unselected or self.others)

    @property
    def share(self) -> float:
        """The part of a limit that this shard may spend: its part of all lines.

        What other shards have built meanwhile must not matter, so the costs do not.
        """
        return self.assets / max(1, self.assets + self.others)

    @property
    def unchanged(self) -> int:
        return self.assets - self.changed

    @property
    def todo(self) -> Iterator[tuple[int, int]]:
        """The number and the first byte of each line for which anything is to be done."""
        return zip(*[iter(self._places)] * 2, strict=True)

    @property
    def is_waiting(self) -> bool:
        """Whether an asset waits for a person."""
        return any(self.signs[sign] for sign in "!x?^")

    @property
    def cost(self) -> Cost:
        requests = self._unknown + self._requests
        return Cost(requests, self._known_usd, self._unknown, tuple(sorted(self._prices)))

    def add(self, line: Line, priced: Priced) -> None:
        """Count one asset."""
        step = priced.step
        self.signs[step.sign] += 1
        self.files += len(step.wanted.settings.variants)
        if step.is_unchanged:
            return
        self.changed += 1
        if len(self.listed) < self._most_listed:
            self.listed.append(priced)
        if step.make or step.moves or step.is_updated:
            self._places.extend((line.number, line.place))
        if not step.is_requested:
            return
        if priced.usd is None:
            self._unknown += 1
            return
        self._requests += 1
        self._known_usd += priced.usd
        if len(self._prices) < MOST_PRICES:
            self._prices.add(priced.usd)
