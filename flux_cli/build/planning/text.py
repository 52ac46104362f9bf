"""The plan as text for people: one line per asset, or per group where all have one reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flux_cli.build.planning.steps import (
    CHANGED,
    EDITED,
    MOVED,
    NEW,
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
    if verbose:
        return [_line(one) for one in shown]
    sizes = Counter(one.step.group for one in priced if one.step.sign != ORPHAN)
    alike: dict[tuple[str, str, str], list[Priced]] = {}
    for one in shown:
        step = one.step
        kind = (step.sign, step.group or step.name, _reason_of_many(step))
        alike.setdefault(kind, []).append(one)
    lines = []
    for several in alike.values():
        if len(several) > MOST_ALONE:
            lines.append(_group_line(several, sizes[several[0].step.group]))
        else:
            lines += map(_line, several)
    return lines


def _line(one: Priced) -> Cells:
    step = one.step
    reason = step.reason or "unchanged"
    requests = counted(1, "request") if step.is_requested else ""
    return f" {step.sign} {step.name}", reason, requests, _money([one])


def _group_line(several: Sequence[Priced], size: int) -> Cells:
    first, last = several[0].step, several[-1].step
    names = f"{first.name}, {several[1].step.name} … {last.name}"
    title = f" {first.sign} {first.group} ({len(several):,} of {size:,})"
    count = sum(one.step.is_requested for one in several)
    requests = counted(count, "request") if count else ""
    return title, f"{_reason_of_many(first)}: {names}", requests, _money(several)


def _reason_of_many(step: Step) -> str:
    """The reason with `*` in place of the asset's own file name: that of others may be equal."""
    if step.asset is None:
        return step.reason
    folder, slash, _ = step.asset.stem.rpartition("/")
    return step.reason.replace(step.asset.stem, f"{folder}{slash}*")


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
    count = sum(one.step.is_unchanged for one in priced)
    return f" {SAME} {count:,} unchanged" if count else ""


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
    return f"{', '.join(parts)}; {cost_text(cost, limit)}"


def cost_text(cost: Cost, limit: float | None) -> str:
    """What all requests cost, and of which limit."""
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
