"""Plans all assets of a manifest: rows that belong to them, twins, and what is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.choices import with_choices, would_repeat
from flux_cli.build.candidates.following import follow_side
from flux_cli.build.candidates.naming import owner_of
from flux_cli.build.candidates.restoring import requested_for, restored
from flux_cli.build.planning.adoption import adopt
from flux_cli.build.planning.asset import Planner
from flux_cli.build.planning.steps import ORPHAN, PAID, REMADE, WAITS, Step
from flux_cli.build.references.binding import bind, in_stages, originals_of
from flux_cli.build.references.waiting import Waiting
from flux_cli.core.errors import UsageError
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from flux_cli.build.lock.reading import Lock
    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk, Wishes


FIRST = "#1"  # ends the key of the image that was candidate 1 before another was picked


def plan_assets(
    assets: Mapping[str, Asset],
    rows: Mapping[str, Row],
    disk: Disk,
    wishes: Wishes,
    resolve: Callable[[Asset], str],
) -> list[Step]:
    """The steps of all selected assets, in their order, then those of what is left over.

    Raises UsageError if an image cannot be requested again.
    """
    planning = _Planning(assets, rows, disk, wishes, resolve)
    for names in in_stages(assets):
        planning.plan_stage(names)
    steps = [planning.steps[name] for name, asset in assets.items() if planning.selects(asset)]
    steps = list(_with_twins(list(with_choices(steps, rows, wishes.reroll)), rows, disk))
    claimed = {*assets, *planning.renamed.values()}
    left = {
        name: row
        for name, row in rows.items()
        if claimed.isdisjoint((name, owner_of(name))) and wishes.selected(owner_of(name) or name)
    }
    return [*steps, *_leftovers(steps, left, disk)]


class _Planning:
    """The steps of all assets that are selected, and of those whose originals others need."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        rows: Mapping[str, Row],
        disk: Disk,
        wishes: Wishes,
        resolve: Callable[[Asset], str],
    ) -> None:
        self._assets, self._rows, self._disk, self._wishes = assets, rows, disk, wishes
        self._planner, self._resolve = Planner(disk, wishes, resolve), resolve
        self._needed = {need for asset in assets.values() for need in asset.settings.needs}
        self._waiting = Waiting(disk, wishes, self._needed)
        self.renamed: dict[str, str] = {}  # old names of assets, by new name
        self.steps: dict[str, Step] = {}

    def plan_stage(self, names: Iterable[str]) -> None:
        """Plan assets that need originals of earlier stages only."""
        bound = {name: self._waiting.bound(self._assets[name]) for name in names}
        taken = {*self._assets, *self.renamed.values()}
        self.renamed |= _find_renamed(bound, self._rows, taken)
        for name, asset in bound.items():
            if self.selects(asset) or name in self._needed:
                self._plan_one(name, asset)

    def selects(self, asset: Asset) -> bool:
        """Whether a person wants this asset, or the one that it is a candidate of, to be built."""
        return self._wishes.selected(asset.of or asset.name)

    def _plan_one(self, name: str, asset: Asset) -> None:
        wishes, was = self._wishes, self.renamed.get(name, name)
        row = self._rows.get(was)
        is_selected = self.selects(asset)
        if is_selected and name in wishes.reroll and _is_there(row, self._disk):
            check_reroll(asset, row)
        step = self._planner.plan(asset, row, was)
        step = restored(step, self._assets, self._rows, self._disk, wishes.reroll)
        step = requested_for(step, self.steps.get(asset.of))
        if is_selected and name in wishes.adopt and not step.is_unchanged:
            step = adopt(asset, row, was, self._disk, self._resolve)
        step = self.steps[name] = self._waiting.placed(step)
        if name in self._needed:
            is_current = step.sign != WAITS and self._planner.is_current(asset, row)
            self._waiting.note(step, row, is_current=is_current)


def chosen_rows(assets: Mapping[str, Asset], lock: Lock, disk: Disk) -> Mapping[str, Row]:
    """The rows of a lock. Of two sides of a conflict, the one that matches manifest and disk."""
    if not lock.is_conflicted:
        return lock.rows
    rows = dict(lock.rows)
    for names in in_stages(assets):
        for name in [name for name in names if name in lock.others and not assets[name].of]:
            asset = bind(assets[name], originals_of(assets[name], rows))
            if _rank(lock.others[name], asset, disk) > _rank(rows[name], asset, disk):
                rows[name] = lock.others[name]
            follow_side(rows, lock.others, name)
    return rows


def _rank(row: Row, asset: Asset, disk: Disk) -> tuple[bool, int]:
    """How well a row matches: its request first, then how many of its files are there."""
    present = [
        path for path, file in row.files.items() if disk.exists(path) and disk.equals(path, file)
    ]
    return row.request == asset.request, len(present)


def _is_there(row: Row | None, disk: Disk) -> bool:
    """Whether a row has files, or an original from which they can be made."""
    if row is None:
        return False
    return bool(row.files) or (row.original is not None and disk.has_original(row.original))


def check_reroll(asset: Asset, row: Row | None) -> None:
    """Raise UsageError if another request would bring the same image."""
    if would_repeat(asset, row):
        message = f"{asset.name} has seed {asset.seed}: same seed, same image"
        raise UsageError(message, hint="give it another seed")


def _find_renamed(
    assets: Mapping[str, Asset], rows: Mapping[str, Row], taken: Collection[str]
) -> dict[str, str]:
    """The old names of assets without a row, by new name: rows with the same request.

    Rows whose names are `taken` belong to other assets.
    """
    new = [asset for name, asset in assets.items() if name not in rows]
    if not new:
        return {}
    free: dict[str, list[str]] = {}
    for name in sorted(rows, reverse=True):
        if name not in taken and rows[name].is_made and not name.endswith(FIRST):
            free.setdefault(rows[name].request, []).append(name)
    return {asset.name: free[asset.request].pop() for asset in new if free.get(asset.request)}


def _with_twins(steps: list[Step], rows: Mapping[str, Row], disk: Disk) -> Iterator[Step]:
    """The steps, of which those with one request and one seed share one image."""
    if not any(step.sign in PAID for step in steps):
        yield from steps
        return
    made = {row.request: name for name, row in rows.items() if _can_lend(row, disk)}
    asked: dict[str, str] = {}
    for step in steps:
        asset = step.asset
        is_alone = asset is None or asset.of or asset.seed is None or step.sign not in PAID
        if asset is None or is_alone or step.twin:
            yield step
        elif asset.request in made:
            twin = made[asset.request]
            reason = f"same request as {twin}: {counted(len(step.make), 'file')}"
            yield step._replace(sign=REMADE, reason=reason, twin=twin)
        elif asset.request in asked:
            twin = asked[asset.request]
            yield step._replace(reason=f"{step.reason}, same request as {twin}", twin=twin)
        else:
            asked[asset.request] = step.name
            yield step


def _can_lend(row: Row, disk: Disk) -> bool:
    """Whether other assets can be made from the original of a row."""
    is_generated = row.is_made and not row.placeholder and not row.adopted
    return (
        is_generated
        and not row.pick
        and row.original is not None
        and disk.has_original(row.original)
    )


def _leftovers(steps: list[Step], left: Mapping[str, Row], disk: Disk) -> Iterator[Step]:
    """Files that are no longer in the manifest, of assets that are and of those that are not."""
    for step in steps:
        if step.orphans:
            yield _leftover(step.name, step.group, step.row, step.orphans)
    for name, row in sorted(left.items()):
        yield _leftover(name, "", row, tuple(filter(disk.exists, sorted(row.files))))


def _leftover(name: str, group: str, row: Row | None, paths: tuple[str, ...]) -> Step:
    reason = f"not in the manifest: {counted(len(paths), 'file')} (--prune)"
    return Step(ORPHAN, name, group, reason, row=row, was=name, orphans=paths)
