"""What all shards of a build cost together, and what one of them may still spend.

Shards start at different times, so what is planned of the whole must not depend on the files that
other shards write meanwhile: it counts what the common lock has, as if nobody had edited it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.cost import Cost, Priced, cost_of
from flux_cli.build.planning.plan import plan_assets
from flux_cli.build.shards.division import Part, share_of_limit
from flux_cli.build.shards.merging import new_images
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.build.lock.rows import File, Original, Row
    from flux_cli.build.planning.steps import Disk, Wishes
    from flux_cli.build.pricing import Catalog
    from flux_cli.build.project import Project


class Whole(NamedTuple):
    """The cost of all shards together, of one, and what that one has spent so far, in USD."""

    cost: Cost
    own: Cost
    spent_usd: float = 0.0

    @property
    def part(self) -> Part:
        return Part(self.own.known_usd, self.cost.known_usd, is_known=not self.cost.unknown)


class _CommonDisk:
    """The files that the common lock knows: those that are there count as they were written."""

    def __init__(self, rows: Mapping[str, Row], disk: Disk) -> None:
        self._paths = {path for row in rows.values() for path in row.files}
        self._disk = disk

    def exists(self, path: str) -> bool:
        return path in self._paths and self._disk.exists(path)

    def holds(self, path: str, _: File) -> bool:
        return self.exists(path)

    def equals(self, path: str, _: File) -> bool:
        return self.exists(path)

    def can_move(self, old: str, new: str) -> bool:
        return self._disk.can_move(old, new)

    def has_original(self, original: Original) -> bool:
        return self._disk.has_original(original)


def cost_of_whole(
    project: Project, rows: Mapping[str, Row], disk: Disk, wishes: Wishes, catalog: Catalog
) -> Whole | None:
    """The cost of all shards of a project; None if it is not divided.

    `rows` are those of this shard, with what it has paid for so far.
    """
    if project.division is None:
        return None
    common = project.division.common
    adopted = wishes.adopt
    chosen = wishes._replace(
        adopt=frozenset(), selected=lambda name: wishes.selected(name) and name not in adopted
    )
    still = _CommonDisk(common, disk)
    steps = plan_assets(project.assets, common, still, chosen, catalog.resolve)
    requested = [step for step in steps if step.is_requested]
    priced = [Priced(step, catalog.price(step.wanted)) for step in requested]
    own = [one for one in priced if project.owns(one.step.name)]
    return Whole(cost_of(priced), cost_of(own), _spent(project, rows, catalog))


def _spent(project: Project, rows: Mapping[str, Row], catalog: Catalog) -> float:
    """What a shard has spent since the common lock, and what it may have been billed for."""
    common = project.division.common if project.division else {}
    own = {name: row for name, row in rows.items() if project.owns(name)}
    unclear = [name for name, row in own.items() if row.unclear and row != common.get(name)]
    paid = {one.name: one.cost_usd for one in new_images([own], common).values()}
    spent = sum(filter(None, paid.values()))
    silent = {name for name, cost in paid.items() if cost is None}
    for name in silent.union(unclear) & project.assets.keys():
        spent += catalog.price(project.assets[name]) or 0.0
    return spent


def left_to_spend(limit: float | None, project: Project, wholes: Sequence[Whole]) -> float | None:
    """What a shard may still spend of a limit that covers these plans; None without a limit."""
    if limit is None or project.division is None:
        return limit
    parts = [whole.part for whole in wholes]
    own, everything, is_known = zip(*parts, strict=True)
    part = Part(sum(own), sum(everything), all(is_known))
    spent = sum(whole.spent_usd for whole in wholes)
    return max(0.0, share_of_limit(limit, project.division.shard, part) - spent)
