"""Joins the parts of shards with the lock they started from, and says what a person should know."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from flux_cli.build.shards.division import manifest_digest
from flux_cli.build.shards.merging import (
    duplicates,
    merge_rows,
    new_images,
    total,
    without_renamed,
)
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import counted, show_amount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from flux_cli.build.lock.rows import Base, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk
    from flux_cli.build.shards.division import Shard
    from flux_cli.build.shards.merging import Paid, Rows

MOST_LISTED = 5


class Source(NamedTuple):
    """One part: its rows, and from what its shard started."""

    path: str
    shard: Shard | None
    rows: Mapping[str, Row]
    base: Base | None


class Joined(NamedTuple):
    """The rows of all parts and of the lock, and what is said of them."""

    rows: dict[str, Row]
    common: Mapping[str, Row]  # the rows of the lock before
    sources: Sequence[Source]
    duplicates: Sequence[Paid]
    complete: Collection[str] = ()  # shards of which nothing is left to be made, as they are typed

    @property
    def images(self) -> int:
        """How many images the lock did not have."""
        return len(self._new([source.rows for source in self.sources]))

    @property
    def cost_usd(self) -> float | None:
        return total(self._new([source.rows for source in self.sources]))

    def new_of(self, source: Source) -> int:
        return len(self._new([source.rows]))

    def cost_of(self, source: Source) -> float | None:
        return total(self._new([source.rows]))

    def _new(self, rows: Sequence[Rows]) -> list[Paid]:
        return list(new_images(rows, self.common).values())

    @property
    def missing(self) -> list[str]:
        """The shards of which there is no part, as they are typed.

        A shard that was merged before is not missing, if its part is not needed anymore.
        """
        found: dict[int, set[int]] = defaultdict(set)
        for source in self.sources:
            if source.shard:
                found[source.shard.shards].add(source.shard.number)
        missing = [
            f"{index}/{count}"
            for count, known in sorted(found.items())
            for index in range(1, count + 1)
            if index not in known
        ]
        return [shard for shard in missing if shard not in self.complete]

    def warnings(self, assets: Mapping[str, Asset]) -> Iterator[str]:
        """What a person should know about the parts."""
        if missing := self.missing:
            named = _listed(missing)
            yield f"no part of shard {named}: what it has paid for is not in the lock"
        here = manifest_digest(assets)
        bases = {source.base for source in self.sources if source.base}
        for source in self.sources:
            if source.base and source.base.manifest != here:
                yield f"{source.path} was built from another manifest"
        if len({base.lock for base in bases}) > 1:
            yield "the parts started from different locks: all of them are merged"
        if again := self.duplicates:
            cost = total(again)
            price = "at unknown cost" if cost is None else f"for {show_amount(cost)} USD"
            names = _listed([one.name for one in again])
            yield f"{counted(len(again), 'image')} paid for twice, {price}: {names}"


def is_settled(asset: Asset, rows: Mapping[str, Row]) -> bool:
    """Whether no build would request an asset, which is bound to these rows."""
    row, owner = rows.get(asset.name), rows.get(asset.of)
    if owner and owner.pick:
        return True
    if row is None:
        return False
    if row.request == asset.request and row.is_made:
        return True
    troubles = (row.refused, row.unclear)
    return any(one is not None and one.request == asset.request for one in troubles)


def _listed(texts: Sequence[str]) -> str:
    more = ", …" if len(texts) > MOST_LISTED else ""
    return ", ".join(texts[:MOST_LISTED]) + more


def join(
    common: Rows, sources: Sequence[Source], assets: Mapping[str, Asset], disk: Disk
) -> Joined:
    """The best rows of the lock and all parts."""
    all_rows = [common, *(source.rows for source in sources)]
    rows = without_renamed(merge_rows(all_rows, assets, disk), assets, disk)
    return Joined(rows, common, sources, duplicates(all_rows, rows))
