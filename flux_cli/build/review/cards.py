"""Makes the card of an asset from its step, its row, and its images before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.document import STATES
from flux_cli.build.planning.reasons import changed
from flux_cli.build.planning.steps import EDITED, NEW, ORPHAN, PAID, REMADE, SAME
from flux_cli.build.review.candidates import candidate_cards
from flux_cli.build.review.commands import commands_of
from flux_cli.build.review.content import AssetCard, Picture
from flux_cli.build.review.differences import difference_of
from flux_cli.build.review.facts import facts_of, file_lines, prompt_of
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.planning.steps import Change, Step
    from flux_cli.build.review.candidates import Choice
    from flux_cli.build.review.content import Difference, Thumbnail

WITHHELD = "(prompt)"  # stands for a prompt in the message of a provider
FAILED = "×"
UPDATED, UNDECIDED = "updated", "undecided"


class Views(NamedTuple):
    """The image of an asset as it was before this run, and as it is now. None: there is none."""

    before: Thumbnail | None = None
    now: Thumbnail | None = None
    choices: Mapping[int, Choice] = {}  # its candidates by number


class Circumstances(NamedTuple):
    """What the cards of one project have in common."""

    manifest: str = ""  # as commands name it; "" for the one that is found
    shows_prompts: bool = True
    is_built: bool = False  # a plan or a check changes nothing
    rows: Mapping[str, Row] = {}  # those after the run
    failures: Mapping[str, str] = {}  # messages by asset


def is_shown(step: Step, failures: Mapping[str, str]) -> bool:
    """Whether a step has a card of its own. Candidates are on that of their asset, if they can."""
    is_candidate = step.asset is not None and bool(step.asset.of)
    return not is_candidate or step.is_open or step.name in failures


def card_of(one: Priced, views: Views, common: Circumstances) -> AssetCard:
    """The card of one step."""
    step = one.step
    row = common.rows.get(step.name) if common.is_built else step.row
    failure = "" if step.sign == ORPHAN else common.failures.get(step.name, "")
    prompt = prompt_of(one, row)
    card = AssetCard(
        step.name,
        step.sign,
        _state(step),
        reason=_reason(step),
        failure=failure,
        differences=tuple(_differences(step, common)),
        pictures=tuple(_pictures(step, views, common, is_failed=bool(failure))),
        candidates=tuple(
            candidate_cards(
                step,
                views.choices,
                row.pick if row else 0,
                common.manifest,
                _alt(step, common),
            )
        ),
        prompt=prompt,
        facts=tuple(facts_of(one, row, is_planned=not common.is_built)),
        files=tuple(file_lines(row, step.row)),
        commands=tuple(commands_of(step.sign, common.manifest, step.name)),
    )
    if failure:
        card = card._replace(sign=FAILED, state="failed")
    return card if common.shows_prompts else _without_prompt(card)


def _state(step: Step) -> str:
    """The state in one word. Nothing happens to an asset of which a candidate is to be picked."""
    if step.sign != SAME:
        return STATES[step.sign]
    if step.choice:
        return UNDECIDED
    return UPDATED if step.is_updated else STATES[SAME]


def _without_prompt(card: AssetCard) -> AssetCard:
    """The card without its prompt, which a provider may have quoted."""
    if not card.prompt:
        return card
    failure = card.failure.replace(card.prompt, WITHHELD)
    reason = card.reason.replace(card.prompt, WITHHELD)
    return card._replace(prompt="", failure=failure, reason=reason)


def _is_private(change: Change, common: Circumstances) -> bool:
    return not common.shows_prompts and "prompt" in change.key


def _differences(step: Step, common: Circumstances) -> Iterator[Difference]:
    for change in step.changes:
        yield difference_of(change, is_hidden=_is_private(change, common))


def _reason(step: Step) -> str:
    """Why something is done. What the differences show is not said twice."""
    if step.sign == NEW and step.reason == STATES[NEW]:
        return ""
    listed = changed(step.changes)
    return step.reason.removeprefix(listed).removeprefix(", ") if step.changes else step.reason


def _pictures(
    step: Step, views: Views, common: Circumstances, *, is_failed: bool
) -> Iterator[Picture]:
    """The images to look at: before and after, or one where nothing is to be compared."""
    alt = _alt(step, common)
    before, now, choices = views
    now = now if common.is_built else now or before
    is_new_image = step.sign in PAID or (step.sign == REMADE and bool(step.twin))
    is_due = is_new_image and (not common.is_built or is_failed)
    if choices and step.choice and (step.sign == SAME or not before):
        return  # its image is one of the candidates
    if is_due:
        if before:
            yield Picture("Before", f"Before: {alt}", before)
        yield Picture("After", about="failed" if is_failed else "not made yet")
    elif before and now and (is_new_image or before.source != now.source):
        yield Picture("Before", f"Before: {alt}", before)
        yield Picture("After", f"After: {alt}", now)
    elif view := now or before:
        yield Picture(_label(step, is_gone=now is None), alt, view)


def _label(step: Step, *, is_gone: bool) -> str:
    """What the only image of an asset is."""
    if step.sign == ORPHAN and is_gone:
        return "Deleted"
    return {EDITED: "On disk", NEW: "New"}.get(step.sign, "Now")


def _alt(step: Step, common: Circumstances) -> str:
    asset = step.asset
    if asset is None:
        return step.name
    return asset.alt or (asset.prompt if common.shows_prompts else asset.name)
