"""The notes of a run of several parts, and what tells the parts apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flux_cli.core.request import Note, Resolved
    from flux_cli.request.prepare import Prepared
    from flux_cli.runs.combined.documents import Asked
    from flux_cli.runs.report import Report

LONGEST = 40  # characters of a prompt in a label


def name_models(asked: Iterable[Resolved]) -> dict[str, str]:
    """The shortest names that tell models apart, by the names under which they are requested.

    A model that is requested through two upstreams has the same ID.
    """
    names = {one.sent_model: one.model_id for one in asked}
    if len(set(names.values())) < len(names):
        return {sent: sent for sent in names}
    return names


def notes_of_requests(requests: Sequence[Prepared]) -> tuple[Note, ...]:
    """The notes of all parts, each once. A note on some models alone names them."""
    models = name_models(one.resolved for one in requests)
    found: dict[str, tuple[Note, dict[str, None]]] = {}
    for one in requests:
        for note in (*one.resolved.notes, *one.plan.notes):
            _, noted = found.setdefault(repr(note), (note, {}))
            noted[models[one.resolved.sent_model]] = None
    notes = []
    for note, noted in found.values():
        is_shared = len(noted) == len(models) or note.parameter == "model"
        reason = note.reason if is_shared else f"{', '.join(noted)}: {note.reason}"
        notes.append(note._replace(reason=reason))
    return tuple(notes)


def label_calls(parts: Sequence[Asked]) -> dict[int, str]:
    """What tells each request from others, by its number: model, values, or the prompt's start."""
    models = name_models(resolved for resolved, _, _ in parts)
    names_prompt = len({resolved.prompt for resolved, _, _ in parts}) > 1
    labels: dict[int, str] = {}
    for resolved, plan, values in parts:
        words = list(values.values())
        if names_prompt and not values:
            words = [_short(resolved.prompt)]
        if len(models) > 1:
            words.insert(0, models[resolved.sent_model])
        labels |= {call.number: ", ".join(words) for call in plan.calls}
    return labels


def models_of_failures(report: Report) -> dict[tuple[str, str], dict[str, None]]:
    """The models by code and message of a failure; nothing if the run has one model."""
    models = name_models(resolved for resolved, _, _ in report.parts)
    if len(models) < 2:
        return {}
    failed: dict[tuple[str, str], dict[str, None]] = {}
    for outcome in report.outcomes:
        if error := outcome.error:
            of_kind = failed.setdefault((error.code, error.message), {})
            of_kind[models[report.asked_of(outcome).sent_model]] = None
    return failed


def _short(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
