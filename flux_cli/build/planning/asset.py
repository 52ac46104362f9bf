"""Plans one asset: what the manifest says, what its row says, and what is on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.lock.rows import ARRIVED
from flux_cli.build.planning import reasons
from flux_cli.build.planning.changes import changes_of
from flux_cli.build.planning.matching import Match, match_files
from flux_cli.build.planning.steps import (
    CHANGED,
    EDITED,
    MOVED,
    NEW,
    REFUSED,
    REMADE,
    SAME,
    UNCLEAR,
    WAITS,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk, Wishes


class Planner:
    """Plans assets one by one. `resolve` returns the digest of what a request means."""

    def __init__(self, disk: Disk, wishes: Wishes, resolve: Callable[[Asset], str]) -> None:
        self._disk, self._wishes, self._resolve = disk, wishes, resolve

    def plan(self, asset: Asset, row: Row | None, was: str) -> Step:
        """The step of an asset. `was` is the name of its row, which may be another one."""
        step = Step(SAME, asset.name, asset.group, "", asset=asset, row=row, was=was)
        if row is None or not row.is_made:
            return self._begin(step, asset, row)
        step = self._compare(step, asset, row)
        match = match_files(asset, row, self._disk)
        if match.orphans:
            step = step._replace(orphans=match.orphans)
        if (match.edited or match.blocked) and not self._wishes.overwrite:
            return step._replace(sign=EDITED, reason=self._edited(match), changes=())
        if step.sign == WAITS:
            return step
        if step.sign in (NEW, CHANGED):
            return self._request(step._replace(make=tuple(asset.files)), row)
        return self._finish(step, asset, row, match)

    def _edited(self, match: Match) -> str:
        return reasons.edited(match, may_adopt=self._wishes.may_adopt)

    def is_current(self, asset: Asset, row: Row | None) -> bool:
        """Whether the image in a row is the one that the manifest asks for."""
        if row is None or not row.is_made:
            return False
        step = Step(SAME, asset.name, asset.group, "", asset=asset, row=row)
        return self._compare(step, asset, row).sign == SAME

    def _begin(self, step: Step, asset: Asset, row: Row | None) -> Step:
        """An asset that was never made, unless a request for it failed."""
        taken = tuple(path for path in asset.files if self._disk.exists(path))
        if taken and not self._wishes.overwrite:
            return step._replace(sign=EDITED, reason=self._edited(Match(blocked=taken)))
        step = step._replace(sign=NEW, reason="new", make=tuple(asset.files))
        return self._request(step, row)

    def _compare(self, step: Step, asset: Asset, row: Row) -> Step:
        """Whether the image itself is the one that the manifest asks for."""
        wishes = self._wishes
        if row.placeholder and not wishes.offline:
            return step._replace(sign=NEW, reason=reasons.PLACEHOLDER)
        if asset.name in wishes.reroll:
            return step._replace(sign=CHANGED, reason=reasons.REROLL)
        if row.request == asset.request or (asset.settings.is_frozen and not row.placeholder):
            return step
        resolved = self._resolve(asset)
        changes = changes_of(row.requested, asset.requested)
        step = step._replace(changes=changes, resolved=resolved)
        if resolved == row.resolved:
            return step._replace(reason=reasons.RESPELLED, is_updated=True)
        if wishes.offline and not row.placeholder:
            return step._replace(sign=WAITS, reason=reasons.NOT_OFFLINE)
        return step._replace(sign=CHANGED, reason=reasons.changed(changes))

    def _request(self, step: Step, row: Row | None) -> Step:
        """A step that needs a request, unless that very request has failed before."""
        asset = step.asset
        if row is None or asset is None or asset.name in self._wishes.reroll:
            return step
        is_unsaved = row.unclear and row.unclear.code == ARRIVED
        unclear = reasons.UNSAVED if is_unsaved else reasons.UNCLEAR
        for sign, trouble, reason in (
            (REFUSED, row.refused, reasons.REFUSED),
            (UNCLEAR, row.unclear, unclear),
        ):
            if trouble and trouble.request == asset.request:
                return step._replace(sign=sign, reason=reason.format(trouble.code), make=())
        return step

    def _finish(self, step: Step, asset: Asset, row: Row, match: Match) -> Step:
        """The image stays: its files are made, moved, or as they should be."""
        make = (*match.make, *match.replaced)
        if make and not (row.original and self._disk.has_original(row.original)):
            lost = step._replace(reason=reasons.lost(match), make=tuple(asset.files))
            if asset.settings.is_frozen or (self._wishes.offline and not row.placeholder):
                return lost._replace(sign=WAITS, make=())
            return self._request(lost._replace(sign=NEW), row)
        if make:
            reason = reasons.remade(asset, row, match)
            return step._replace(sign=REMADE, reason=reason, make=make, moves=match.moves)
        if match.moves or step.was != step.name:
            step = step._replace(moves=match.moves)
            return step._replace(sign=MOVED, reason=reasons.moved(step))
        return step
