"""Which references of an asset are final when a build is planned, and what those that are not mean.

The original of another asset is final if nothing will be requested for that asset; it is pending
if a new one comes in this build; and an asset waits if neither is so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.choices import is_undecided
from flux_cli.build.planning.steps import (
    EDITED,
    OPEN,
    PAID,
    REFUSED,
    UNCLEAR,
    WAITS,
    Step,
)
from flux_cli.build.references.binding import bind
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from flux_cli.build.lock.rows import Original, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk, Wishes

NOT_SELECTED = "not selected"
NOT_AVAILABLE = "its original is not available"
NOT_PICKED = "none of its candidates is picked"
NOT_MADE = "it was not made"
STATES = {
    EDITED: "it is edited, and out of date",
    REFUSED: "it was refused",
    UNCLEAR: "it is unclear",
}


class _State(NamedTuple):
    """What the original of an asset is to those that need it."""

    original: Original | None = None  # of the lock
    stage: int | None = None  # in which a new one comes; None: none comes
    obstacle: str = ""  # why it is not final


def obstacle_of(step: Step, row: Row | None, wishes: Wishes, *, is_current: bool) -> str:
    """Why the original in the row of an asset that is not requested now is not final; "" if it is.

    `is_current` says whether the image in its row is what the manifest asks for.
    """
    # A sketch may be drawn from whatever is there: the next real build replaces it.
    is_good = is_current or wishes.offline
    if is_good and row and row.original:
        return ""
    if step.sign in OPEN:
        return STATES.get(step.sign, step.reason)
    return NOT_AVAILABLE if wishes.selected(step.name) else NOT_SELECTED


class Waiting:
    """What is known so far about the originals that assets of later stages need."""

    def __init__(self, disk: Disk, wishes: Wishes, needed: Collection[str]) -> None:
        self._disk, self._wishes, self._needed = disk, wishes, needed
        self._states: dict[str, _State] = {}

    def bound(self, asset: Asset) -> Asset:
        """The asset with all originals that are known, and that no step will replace."""
        states = {name: self._states[name] for name in asset.settings.needs}
        known = {
            name: state.original.sha256
            for name, state in states.items()
            if state.original and state.stage is None
        }
        return bind(asset, known)

    def note(self, step: Step, row: Row | None, *, is_current: bool) -> None:
        """Note the step of an asset, so that the steps of others can depend on it."""
        if step.name not in self._needed:
            return
        original = row.original if row else None
        if is_undecided(step) and not self._wishes.offline:
            self._states[step.name] = _State(original, None, NOT_PICKED)
            return
        if self._brings_original(step, original):
            self._states[step.name] = _State(original, step.stage)
            return
        obstacle = obstacle_of(step, row, self._wishes, is_current=is_current or bool(step.adopted))
        self._states[step.name] = _State(original, None, obstacle)

    def _brings_original(self, step: Step, original: Original | None) -> bool:
        if not self._wishes.selected(step.name):
            return False
        if step.adopted:
            return original is None or not self._disk.has_original(original)
        return step.sign in PAID

    def placed(self, step: Step) -> Step:
        """The step in its stage, or one that waits if a reference is not final."""
        asset = step.asset
        if asset is None or not asset.settings.needs or step.sign in OPEN:
            return step
        states = {name: self._states[name] for name in asset.settings.needs}
        pending = {name: state.stage for name, state in states.items() if state.stage is not None}
        if step.adopted:
            return step._replace(awaits=tuple(pending), stage=_after(pending.values()))
        if asset.settings.is_frozen and step.sign not in PAID:
            return step
        for name, state in states.items():
            if state.obstacle:
                return waiting(step, name, state.obstacle)
            is_missing = state.stage is None and not self._has(state.original)
            if step.sign in PAID and is_missing:
                return waiting(step, name, NOT_AVAILABLE)
        if step.sign not in PAID:
            return step
        return step._replace(awaits=tuple(pending), stage=_after(pending.values()))

    def _has(self, original: Original | None) -> bool:
        return original is not None and self._disk.has_original(original)


def waiting(step: Step, name: str, obstacle: str) -> Step:
    """The step of an asset that waits for another one: its files stay as they are."""
    reason = f"waits for {name}: {obstacle}"
    return step._replace(
        sign=WAITS, reason=reason, changes=(), make=(), moves=(), twin="", is_updated=False
    )


def _after(stages: Collection[int]) -> int:
    """The first stage after all of these."""
    return max(stages, default=-1) + 1
