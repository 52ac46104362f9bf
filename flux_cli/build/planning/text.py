"""The plan as text for people: one line per asset, or per group where all have one reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flux_cli.build.candidates.bundles import bundle_name, bundle_reason, bundled
from flux_cli.build.planning.steps import (
    CHANGED,
    EDITED,
    MOVED,
    NEW,
    OPEN,
    ORPHAN,
    REFUSED,
    REMADE,
    SAME,
    UNCLEAR,
    WAITS,
)
from flux_cli.core.values import counted, show_amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from flux_cli.build.candidates.bundles import Bundle
    from flux_cli.build.planning.cost import Cost, Priced
    from flux_cli.build.planning.steps import Step

    Cells: TypeAlias = tuple[str, str, str, str]  # asset, reason, requests, cost

MOST_ALONE = 5  # assets of one group with one reason that have a line each
# Lines with one rank keep the order of the manifest.
RANKS = {
    NEW: 0,
    CHANGED: 0,
    REMADE: 1,
    MOVED: 2,
    EDITED: 3,
    REFUSED: 3,
    UNCLEAR: 3,
    WAITS: 3,
    SAME: 4,
    ORPHAN: 5,
}


def plan_lines(priced: Sequence[Priced], *, verbose: bool = False) -> list[Cells]:
    """The lines of a plan. Unchanged assets are listed only if it is `verbose`."""
    shown = [one for one in priced if verbose or not one.step.is_unchanged]
    shown.sort(key=lambda one: RANKS[one.step.sign])
    bundles = bundled(shown)
    if verbose:
        return [_line(bundle) for bundle in bundles]
    sizes = Counter(one.step.group for one in priced if _is_asset(one.step))
    alike: dict[tuple[str, str, str], list[Bundle]] = {}
    for bundle in bundles:
        step = bundle[0].step
        kind = (step.sign, step.group or bundle_name(step), _reason_of_many(bundle))
        alike.setdefault(kind, []).append(bundle)
    lines = []
    for several in alike.values():
        if len(several) > MOST_ALONE:
            lines.append(_group_line(several, sizes[several[0][0].step.group]))
        else:
            lines += map(_line, several)
    return lines


def _line(bundle: Bundle) -> Cells:
    step = bundle[0].step
    name = step.name if len(bundle) == 1 and step.sign in OPEN else bundle_name(step)
    return f" {step.sign} {name}", bundle_reason(bundle), _requests(bundle), _money(bundle)


def _group_line(several: Sequence[Bundle], size: int) -> Cells:
    first = several[0][0].step
    named = [bundle_name(several[at][0].step) for at in (0, 1, -1)]
    names = f"{named[0]}, {named[1]} … {named[2]}"
    title = f" {first.sign} {first.group} ({len(several):,} of {size:,})"
    every = [one for bundle in several for one in bundle]
    return title, f"{_reason_of_many(several[0])}: {names}", _requests(every), _money(every)


def _requests(several: Sequence[Priced]) -> str:
    count = sum(one.step.is_requested for one in several)
    return counted(count, "request") if count else ""


def _is_asset(step: Step) -> bool:
    return step.asset is not None and not step.asset.of


def _reason_of_many(bundle: Bundle) -> str:
    """The reason with `*` in place of the asset's own file name: that of others may be equal."""
    reason, asset = bundle_reason(bundle), bundle[0].step.asset
    if asset is None:
        return reason
    folder, slash, _ = asset.stem.rpartition("/")
    return reason.replace(asset.stem, f"{folder}{slash}*")


def _money(several: Sequence[Priced]) -> str:
    requested = [one.usd for one in several if one.step.is_requested]
    if not requested:
        return ""
    known = [usd for usd in requested if usd is not None]
    if len(known) == len(requested) and not any(known):
        return "free"
    return f"{show_amount(sum(known))} USD" if len(known) == len(requested) else "unknown"


def title_line(path: str, assets: int, files: int) -> str:
    """What a manifest describes."""
    return f"{path}: {counted(assets, 'asset')}, {counted(files, 'file')}"


def unchanged_line(priced: Iterable[Priced]) -> str:
    """How many assets are as they should be; "" if none is."""
    count = unchanged_count(priced)
    return f" {SAME} {count:,} unchanged" if count else ""


def unchanged_count(priced: Iterable[Priced]) -> int:
    """How many assets are as they should be; candidates belong to theirs."""
    return sum(_is_asset(one.step) and one.step.is_unchanged for one in priced)


def total_line(priced: Sequence[Priced], cost: Cost, limit: float | None) -> str:
    """What all steps come to, and what of the limit they cost."""
    files = sum(len(one.step.make) for one in priced if one.step.sign == REMADE)
    moves = sum(len(one.step.moves) for one in priced)
    pruned = sum(len(one.step.orphans) for one in priced if one.step.sign == ORPHAN)
    parts = [
        counted(cost.requests, "request"),
        *([f"{counted(files, 'file')} to make"] if files else []),
    ]
    if moves:
        parts.append(counted(moves, "move"))
    if pruned:
        parts.append(f"{counted(pruned, 'file')} not in the manifest")
    return f"{', '.join(parts)}; {_sum(cost, limit)}"


def _sum(cost: Cost, limit: float | None) -> str:
    of_limit = "" if limit is None else f" of {show_amount(limit)}"
    if cost.unknown:
        known = f"at least {show_amount(cost.known_usd)}" if cost.known_usd else "unknown"
        return f"cost {known}{of_limit}"
    if not cost.known_usd:
        return "nothing to pay"
    each = " to ".join(
        f"{show_amount(usd)}" for usd in sorted({min(cost.prices), max(cost.prices)})
    )
    return f"{show_amount(cost.known_usd)} USD{of_limit} ({each} per image, catalog price)"
