"""Brings back the image of a picked candidate whose original is lost.

Its files are made of that candidate, and of no other: the request of the asset itself would bring
candidate 1. Without a seed, no request brings that image again, so one is to be picked anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import key_of
from flux_cli.build.planning import reasons
from flux_cli.build.planning.steps import NEW, REFUSED, REMADE, UNCLEAR, WAITS
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk, Step


def restored(
    step: Step,
    assets: Mapping[str, Asset],
    rows: Mapping[str, Row],
    disk: Disk,
    reroll: Collection[str],
) -> Step:
    """The step of an asset. If its picked image is lost, it comes from its candidate."""
    row, asset = step.row, step.wanted
    is_lost = row is not None and row.pick > 1 and row.request == asset.request
    if row is None or not is_lost or step.sign != NEW or row.placeholder or asset.seed is None:
        return step
    candidate = assets.get(key_of(step.name, row.pick))
    if candidate is None:
        reason = f"lost: candidate {row.pick} was picked, and the manifest has fewer candidates"
        return step._replace(sign=WAITS, reason=reason, make=())
    key = key_of(step.was, row.pick)
    kept = rows.get(key)
    original = kept.original if kept and kept.request == candidate.request else None
    if original and disk.has_original(original):
        reason = f"candidate {row.pick}: {counted(len(step.make), 'file')} from the original"
        return step._replace(sign=REMADE, reason=reason, twin=key)
    if kept and candidate.name not in reroll:
        for sign, trouble, text in (
            (REFUSED, kept.refused, reasons.REFUSED),
            (UNCLEAR, kept.unclear, reasons.UNCLEAR),
        ):
            if trouble and trouble.request == candidate.request:
                return step._replace(sign=sign, reason=text.format(trouble.code), make=())
    return step._replace(twin=candidate.name)


def requested_for(step: Step, owner: Step | None) -> Step:
    """The step of a candidate, which is requested again if its asset has lost that image."""
    if owner is None or owner.sign != NEW or owner.twin != step.name:
        return step
    return step._replace(sign=NEW, reason=owner.reason)
