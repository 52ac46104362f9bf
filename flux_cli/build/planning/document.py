"""The JSON documents of `flux build --json`, and their shapes for `flux schema build`."""

from __future__ import annotations

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
from flux_cli.core.lite import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.build.planning.cost import Cost, Priced
    from flux_cli.core.model import Json

STATES = {
    NEW: "new",
    CHANGED: "changed",
    REMADE: "remade",
    MOVED: "moved",
    EDITED: "edited",
    REFUSED: "refused",
    UNCLEAR: "unclear",
    WAITS: "waiting",
    ORPHAN: "orphaned",
    SAME: "unchanged",
}
SOURCE = ("catalog", "provider", "none")  # where the figure of the cost comes from
CHANGE = {"key": "text", "old": "any", "new": "any"}
MOVE = {"old": "text", "new": "text"}
STEP = {
    "name": "text",
    "group": "text",
    "state": tuple(STATES.values()),
    "sign": "text",
    "reason": "text",
    "changes": ["#build_change"],
    "requests": "integer",
    "cost_usd": "number?",
    "make": ["text"],
    "moves": ["#build_move"],
    "orphans": ["text"],
    "choice": "text",  # the command that picks one of its candidates; "" if nothing is to be picked
}
BUILD = {
    "schema": "integer",
    "status": ("ok", "failed", "partial", "interrupted"),
    "mode": ("plan", "check", "build"),
    "steps": ["#build_step"],
    "counts": {"...": "integer"},
    "requests": "integer",
    "cost_usd": "number?",  # of the build; of a plan or a check, what a build would cost
    "planned_cost_usd": "number?",
    "cost_source": SOURCE,
    "limit_usd": "number?",
    "warnings": ["text"],
    "paths?": ["text"],
}


def build_document(
    mode: str,
    status: str,
    priced: Sequence[Priced],
    cost: Cost,
    limit: float | None,
    warnings: Sequence[str],
) -> dict[str, Json]:
    """One document for a plan, a check, or a build. Unchanged assets are only counted."""
    counts = dict.fromkeys(STATES.values(), 0)
    for one in priced:
        counts[STATES[one.step.sign]] += 1
    steps: list[Json] = [_step(one) for one in priced if not one.step.is_unchanged]
    return {
        "schema": SCHEMA,
        "status": status,
        "mode": mode,
        "steps": steps,
        "counts": dict(counts),
        "requests": cost.requests,
        "cost_usd": cost.usd,
        "planned_cost_usd": cost.usd,
        "cost_source": "catalog" if cost.requests else "none",
        "limit_usd": limit,
        "warnings": list(warnings),
    }


def _step(one: Priced) -> dict[str, Json]:
    step = one.step
    changes: list[Json] = [dict(change._asdict()) for change in step.changes]
    moves: list[Json] = [{"old": old, "new": new} for old, new in step.moves]
    return {
        "name": step.name,
        "group": step.group,
        "state": STATES[step.sign],
        "sign": step.sign,
        "reason": step.reason,
        "changes": changes,
        "requests": int(step.is_requested),
        "cost_usd": one.usd,
        "make": list(step.make),
        "moves": moves,
        "orphans": list(step.orphans),
        "choice": step.choice,
    }
