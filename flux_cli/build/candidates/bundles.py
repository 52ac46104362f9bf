"""The steps of an asset and its candidates as one line: those that have one sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import owner_of
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.planning.steps import Step

    Bundle: TypeAlias = Sequence[Priced]  # never empty


def bundled(priced: Sequence[Priced]) -> list[Bundle]:
    """The steps by asset and sign, in their order."""
    found: dict[tuple[str, str], list[Priced]] = {}
    for one in priced:
        found.setdefault((bundle_name(one.step), one.step.sign), []).append(one)
    return list(found.values())


def bundle_name(step: Step) -> str:
    """The name of the asset, also for its candidates."""
    if step.asset is not None:
        return step.asset.of or step.name
    return owner_of(step.name) or step.name


def bundle_reason(bundle: Bundle) -> str:
    """The reason of the first step, and how many images have it. One bundle has one cause."""
    step = bundle[0].step
    count = sum(one.step.is_requested for one in bundle)
    reason = step.reason or "unchanged"
    is_several = len(bundle) > 1 or (step.asset is not None and step.asset.of)
    return f"{reason}: {counted(count, 'candidate')}" if count and is_several else reason
