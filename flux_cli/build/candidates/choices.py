"""What candidates mean for a plan: which are not requested, and which assets wait for a pick."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import keys_of
from flux_cli.build.planning.steps import MOVED, PAID, SAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step


def with_choices(
    steps: Sequence[Step], rows: Mapping[str, Row], reroll: Collection[str]
) -> Iterator[Step]:
    """The steps: no candidate is requested once one is picked, and open choices are named.

    Only --reroll with its name, or the loss of the picked image, requests it again.
    """
    owners = {step.name: step for step in steps}
    for step in steps:
        asset = step.wanted
        owner = owners.get(asset.of)
        is_wanted = owner is not None and (owner.twin == step.name or step.name in reroll)
        if owner and _is_closed(owner) and step.sign not in (SAME, MOVED) and not is_wanted:
            yield step._replace(sign=SAME, reason="", changes=(), is_updated=False)
        elif is_undecided(step):
            yield _undecided(step, rows)
        else:
            yield step


def _is_closed(step: Step) -> bool:
    """Whether no more candidates of an asset are wanted."""
    row = step.row
    if row is None or not row.is_made or row.placeholder:
        return False
    if step.sign in PAID and not step.keeps_pick:
        return False
    return bool(row.pick) or step.wanted.settings.is_frozen


def is_undecided(step: Step) -> bool:
    """Whether one of the candidates of an asset is to be picked, now or after the build."""
    asset, row = step.wanted, step.row
    if asset.of or not asset.settings.candidates:
        return False
    if step.sign in PAID:
        return not step.keeps_pick
    return row is not None and row.is_made and not row.placeholder and not row.pick


def _undecided(step: Step, rows: Mapping[str, Row]) -> Step:
    choice = f"flux build --pick {shlex.quote(step.name)}=N"
    if step.sign != SAME:
        return step._replace(choice=choice)
    count = 1 + sum(rows[key].is_made for key in keys_of(step.was, rows))
    reasons = filter(None, (step.reason, f"{count} candidates, none picked: {choice}"))
    return step._replace(choice=choice, reason="; ".join(reasons))


def rerolled(
    names: frozenset[str], assets: Mapping[str, Asset], rows: Mapping[str, Row]
) -> frozenset[str]:
    """The names with their candidates. With seeds, finished ones would bring the same images."""
    several = {name for name in names if name in assets and assets[name].settings.candidates}
    owned = {name for name, asset in assets.items() if asset.of in several}
    every = names | owned
    left = {name for name in several | owned if not would_repeat(assets[name], rows.get(name))}
    found = set(every - several - owned) | left
    # Nothing is left of an asset: it stays, and is refused by its name.
    idle = {name for name in several if not left & {name, *_own(name, owned, assets)}}
    return frozenset(found | idle)


def _own(name: str, owned: set[str], assets: Mapping[str, Asset]) -> Iterator[str]:
    return (key for key in owned if assets[key].of == name)


def would_repeat(asset: Asset, row: Row | None) -> bool:
    """Whether another request would bring the image of a row, which is whole."""
    if row is None or not row.is_made or row.placeholder or asset.seed is None:
        return False
    failed = {trouble.request for trouble in (row.refused, row.unclear) if trouble}
    return row.request == asset.request and asset.request not in failed
