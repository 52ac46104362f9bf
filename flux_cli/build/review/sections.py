"""Sorts cards into the sections of the review page, and adds up what it says at the top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.steps import OPEN, ORPHAN
from flux_cli.build.review.cards import FAILED, UNDECIDED
from flux_cli.build.review.content import AssetCard, Section
from flux_cli.core.values import show_amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.cost import Cost
    from flux_cli.build.review.content import Pair

UNCHANGED = "unchanged"
CHANGED_TITLES = {"plan": "To be built", "check": "Out of sync", "build": "Changed"}
ABOUT = (
    ("changed", "", ""),
    ("candidates", "Candidates", "Compare them, and pick one with its command."),
    ("decisions", "Waiting for a decision", "A build leaves these as they are."),
    ("failed", "Failed", "What they had before is still there."),
    ("leftovers", "Not in the manifest", "A build keeps these files unless told to delete them."),
    (UNCHANGED, "Unchanged", ""),
)


def failed_cards(failures: Iterable[Pair], names: Iterable[str]) -> list[AssetCard]:
    """Cards of failures that belong to no asset, such as those of a lock."""
    known = frozenset(names)
    return [
        AssetCard(name, FAILED, "failed", failure=text)
        for name, text in failures
        if name not in known
    ]


def sections_of(cards: Sequence[AssetCard], mode: str) -> Iterator[Section]:
    """The sections that have cards, in the order in which a person should look at them."""
    kinds: dict[str, list[AssetCard]] = {}
    for card in cards:
        kinds.setdefault(_kind(card), []).append(card)
    for identity, title, about in ABOUT:
        if found := kinds.get(identity):
            is_quiet = identity == UNCHANGED
            heading = title or CHANGED_TITLES[mode]
            yield Section(identity, heading, about, tuple(found), is_quiet=is_quiet)


def _kind(card: AssetCard) -> str:
    if card.failure:
        return "failed"
    if card.candidates or card.state == UNDECIDED:
        return "candidates"
    if card.sign in OPEN:
        return "decisions"
    if card.sign == ORPHAN:
        return "leftovers"
    return UNCHANGED if card.state == UNCHANGED else "changed"


def totals_of(
    assets: Iterable[Asset], cost: Cost, limit: float | None, paid: str
) -> Iterator[Pair]:
    """The numbers at the top. `paid` is what a build has cost, in words; "" for a plan."""
    files = [len(asset.files) for asset in assets if not asset.of]
    yield "Assets", f"{len(files):,}"
    yield "Files", f"{sum(files):,}"
    yield "Requests", f"{cost.requests:,}"
    yield ("Cost", paid) if paid else ("Planned cost", planned_text(cost))
    if limit is not None:
        yield "Limit", f"{show_amount(limit)} USD"


def planned_text(cost: Cost) -> str:
    """What the requests of a plan cost, as far as that is known."""
    if not cost.requests or not (cost.unknown or cost.known_usd):
        return "nothing to pay"
    if cost.unknown:
        return f"at least {show_amount(cost.known_usd)} USD" if cost.known_usd else "unknown"
    return f"{show_amount(cost.known_usd)} USD"
