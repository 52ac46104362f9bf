"""The notes of a run of several parts, and what tells the parts apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.request import Note
    from flux_cli.request.prepare import Prepared
    from flux_cli.runs.combined.documents import Asked

LONGEST = 40  # characters of a prompt in a label


def notes_of_requests(requests: Sequence[Prepared]) -> tuple[Note, ...]:
    """The notes of all parts, each once. A note on some models alone names them."""
    models = {one.resolved.model_id for one in requests}
    found: dict[str, tuple[Note, dict[str, None]]] = {}
    for one in requests:
        for note in (*one.resolved.notes, *one.plan.notes):
            _, noted = found.setdefault(repr(note), (note, {}))
            noted[one.resolved.model_id] = None
    notes = []
    for note, noted in found.values():
        is_shared = len(noted) == len(models) or note.parameter == "model"
        reason = note.reason if is_shared else f"{', '.join(noted)}: {note.reason}"
        notes.append(note._replace(reason=reason))
    return tuple(notes)


def label_calls(parts: Sequence[Asked]) -> dict[int, str]:
    """What tells each request from others, by its number: model, values, or the prompt's start."""
    names_model = len({resolved.model_id for resolved, _, _ in parts}) > 1
    names_prompt = len({resolved.prompt for resolved, _, _ in parts}) > 1
    labels: dict[int, str] = {}
    for resolved, plan, values in parts:
        words = list(values.values())
        if names_prompt and not values:
            words = [_short(resolved.prompt)]
        if names_model:
            words.insert(0, resolved.model_id)
        labels |= {call.number: ", ".join(words) for call in plan.calls}
    return labels


def _short(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
