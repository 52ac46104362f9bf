"""Makes the cards of candidates: the images of one asset of which a person picks one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.picks import candidate_rows
from flux_cli.build.review.commands import pick_command
from flux_cli.build.review.content import CandidateCard, Picture
from flux_cli.build.review.differences import value_text
from flux_cli.build.review.facts import cost_text
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.review.content import Thumbnail


class Choice(NamedTuple):
    """One image to choose."""

    row: Row
    thumbnail: Thumbnail


def candidates_of(
    step: Step, assets: Mapping[str, Asset], rows: Mapping[str, Row]
) -> Iterator[tuple[int, Row]]:
    """The images to choose from, by number; none where nothing happens and nothing is open."""
    asset = step.asset
    if asset and not asset.of and asset.settings.candidates and not step.is_unchanged:
        yield from candidate_rows(asset, assets, rows)


def candidate_cards(
    step: Step, choices: Mapping[int, Choice], picked: int, manifest: str, alt: str
) -> Iterator[CandidateCard]:
    """The cards of the candidates of an asset, by number."""
    for number, (row, thumbnail) in choices.items():
        is_picked = picked == number
        picture = Picture("", f"Candidate {number}: {alt}", thumbnail)
        facts = (("Seed", _seed(row)), ("Cost", cost_text(row)))
        command = None if is_picked else pick_command(manifest, step.name, number)
        yield CandidateCard(number, is_picked, picture, facts, command)


def _seed(row: Row) -> str:
    seed = row.generated.get("seed", row.requested.get("seed"))
    return "not known" if seed is None else value_text(seed)
