"""The JSON about the parts of a run that has several, beside its shape."""

from __future__ import annotations

from flux_cli.runs.fields import note_document, request_document, resolved_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from flux_cli.core.model import Json
    from flux_cli.core.request import Plan, Resolved

    Asked: TypeAlias = tuple[Resolved, Plan, Mapping[str, str]]  # of one part, with its values

# `indexes` are those of the first and the last request of the part.
PART: dict[str, object] = {
    "indexes": ["integer"],
    "values": {"...": "text"},
    "request": "#request",
    "resolved": "#resolved",
    "notes": ["#note"],
}
# Keys of a file or an error of a run with several parts.
ABOUT: dict[str, object] = {"model?": "text", "prompt?": "text", "values?": {"...": "text"}}


def part_documents(parts: Iterable[Asked]) -> list[Json]:
    """What each part asks for, and what is sent."""
    return [_part_document(*part) for part in parts]


def _part_document(resolved: Resolved, plan: Plan, values: Mapping[str, str]) -> Json:
    return {
        "indexes": [plan.calls[0].number, plan.calls[-1].number],
        "values": dict(values),
        "request": request_document(resolved),
        "resolved": resolved_document(resolved),
        "notes": [note_document(note) for note in (*resolved.notes, *plan.notes)],
    }


def about_calls(parts: Iterable[Asked]) -> dict[int, dict[str, Json]]:
    """What tells a request from those of other parts, by its number."""
    found: dict[int, dict[str, Json]] = {}
    for resolved, plan, values in parts:
        about: dict[str, Json] = {
            "model": resolved.sent_model,
            "prompt": resolved.prompt,
            "values": dict(values),
        }
        found |= {call.number: about for call in plan.calls}
    return found
