"""The JSON documents about runs, each beside its shape: report, dry run, recovery.

Their parts are in `runs/fields.py`. The documents of lookups are built by their own commands.
"""

from __future__ import annotations

from flux_cli.core.errors import UnclearError, status_of
from flux_cli.core.lite import SCHEMA
from flux_cli.runs.fields import (
    error_document,
    file_document,
    note_document,
    outdated_document,
    request_document,
    request_error_document,
    resolved_document,
    send_document,
    skipped_document,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json, ProviderRow
    from flux_cli.core.request import Call, Note, Post, Resolved
    from flux_cli.runs.records.past import PastRun
    from flux_cli.runs.report import Report
    from flux_cli.runs.saving.existing import Outdated

STATUSES = ("ok", "partial", "failed", "interrupted", "unclear", "dry_run")
HEADING: dict[str, object] = {"schema": (SCHEMA,), "status": STATUSES, "exit_code": "integer"}


def heading(exit_code: int, status: str = "") -> dict[str, Json]:
    """The first keys of every document that says how a command ended."""
    return {
        "schema": SCHEMA,
        "status": status or status_of(exit_code),
        "exit_code": exit_code,
    }


FAILURE: dict[str, object] = {**HEADING, "files": [], "errors": ["#error"]}


def failure_document(error: FluxError) -> dict[str, Json]:
    """The document of a command that failed before it did anything."""
    return {**heading(error.exit_code), "files": [], "errors": [error_document(error)]}


SUBJECT: dict[str, object] = {
    "provider": "text",
    "hosted": "boolean",
    # Both are null if the run has several parts.
    "request": "#request?",
    "resolved": "#resolved?",
    "notes": ["#note"],
    "parts?": ["#part"],
}


def _subject(
    provider: str,
    resolved: Resolved,
    notes: Sequence[Note],
    parts: Sequence[Json] = (),
    *,
    hosted: bool,
) -> dict[str, Json]:
    """The keys about a request: the provider, what the user asked for, and what is sent.

    If there are `parts`, they say it.
    """
    if parts:
        return {
            "provider": provider,
            "hosted": hosted,
            "request": None,
            "resolved": None,
            "notes": [note_document(note) for note in notes],
            "parts": list(parts),
        }
    return {
        "provider": provider,
        "hosted": hosted,
        "request": request_document(resolved),
        "resolved": resolved_document(resolved),
        "notes": [note_document(note) for note in notes],
    }


RESOLUTION: dict[str, object] = {"schema": (SCHEMA,), **SUBJECT, "sends": ["#send"]}


def resolution_document(
    row: ProviderRow,
    resolved: Resolved,
    notes: Sequence[Note],
    sends: Sequence[tuple[Post, Sequence[Call]]],
    parts: Sequence[Json] = (),
) -> dict[str, Json]:
    """The document of `flux resolve`: what `flux generate` would send, and why.

    `sends` are calls with the request of the first one, for each part that has calls to send.
    """
    return {
        "schema": SCHEMA,
        **_subject(row.name, resolved, notes, parts, hosted=row.hosted),
        "sends": [send_document(first, calls, hosted=row.hosted) for first, calls in sends],
    }


DRY_RUN: dict[str, object] = {
    **HEADING,
    "status": ("dry_run",),
    **SUBJECT,
    "sends": ["#send"],
    "files": ["#planned_file"],
    "skipped": ["#skipped"],
    "outdated": ["#outdated"],
    "cost_usd": "number?",
    "cost_source": "text",
}


def dry_run_document(
    resolution: dict[str, Json],
    files: list[Json],
    skipped: list[Json],
    outdated: Sequence[Outdated],
    cost_usd: float | None,
    cost_source: str,
) -> dict[str, Json]:
    """What `flux generate` would do: a resolution, and the files and the cost to expect."""
    return {
        **heading(0, "dry_run"),
        **resolution,
        "files": files,
        "skipped": skipped,
        "outdated": list(map(outdated_document, outdated)),
        "cost_usd": cost_usd,
        "cost_source": cost_source,
    }


REPORT: dict[str, object] = {
    **HEADING,
    "run": "text?",
    **SUBJECT,
    "files": ["#file"],
    "skipped": ["#skipped"],
    "outdated": ["#outdated"],
    "errors": ["#request_error"],
    "warnings": ["text"],
    "canceled_jobs": ["#canceled_job"],
    "cost_usd": "number?",
    "known_cost_usd": "number",
    "seconds": "number",
}
CANCELED_JOB: dict[str, object] = {"id": "text", "confirmed": "boolean"}


def report_document(
    report: Report, told: Mapping[int, dict[str, Json]] | None = None
) -> dict[str, Json]:
    """What a run did, in the order of its requests.

    `told` is what tells them apart, by their numbers, if the report has no parts.
    """
    files: list[Json] = []
    skipped: list[Json] = []
    errors: list[Json] = []
    parts, about = _parts_of(report) if told is None else ([], told)
    for outcome in report.outcomes:
        asked = report.asked_of(outcome)
        number, unverified = outcome.call.number, report.existing.unverified
        own = about.get(number, {})
        files += [file_document(saved, outcome, asked) | own for saved in outcome.saved]
        skipped += [skipped_document(number, path, unverified) | own for path in outcome.kept]
        if outcome.error:
            errors.append(request_error_document(outcome.call, outcome.error) | own)
    errors += [error_document(fault) for fault in report.faults]
    return {
        **heading(report.exit_code, report.status),
        "run": report.run or None,
        **_subject(report.provider, report.resolved, report.notes, parts, hosted=report.hosted),
        "files": files,
        "skipped": skipped,
        "outdated": list(map(outdated_document, report.existing.outdated)),
        "errors": errors,
        "warnings": list(report.warnings),
        "canceled_jobs": [
            {"id": identity, "confirmed": confirmed} for identity, confirmed in report.canceled
        ],
        "cost_usd": report.cost_usd,
        "known_cost_usd": report.known_cost_usd,
        "seconds": round(report.seconds, 3),
    }


def _parts_of(report: Report) -> tuple[list[Json], Mapping[int, dict[str, Json]]]:
    """The parts of a run that has several, and what tells its requests apart, by number."""
    if not report.parts:
        return [], {}
    from flux_cli.runs.combined.documents import about_calls, part_documents

    return part_documents(report.parts), about_calls(report.parts)


RECOVERED: dict[str, object] = {
    **REPORT,
    "errors": [("#request_error", "#error")],
    "unclear": "integer",
    "moved": ["text"],
}
RECOVERY: dict[str, object] = {**HEADING, "runs": ["#recovered"]}


def recovered_document(report: Report, past: PastRun, moved: Sequence[str]) -> dict[str, Json]:
    """What was recovered of one run. The cost is unknown as long as requests are unclear.

    Files and errors of a run with several models have theirs.

    `moved` are the paths of received files that no request names, or that are no images.
    """
    unclear = past.count("unclear")
    has_several = len({call.model for call in past.calls}) > 1
    models = ((call.number, call.model) for call in past.calls if has_several)
    made = report_document(report, {number: {"model": model} for number, model in models})
    made["status"] = recovery_status(report.exit_code, report.errors, unclear)
    if unclear:
        made["cost_usd"] = None
    return {**made, "unclear": unclear, "moved": list(moved)}


def recovery_document(
    exit_code: int, recovered: Sequence[tuple[Report, PastRun, Sequence[str]]]
) -> dict[str, Json]:
    """What `flux recover` did: every run with its unclear requests and the files it moved."""
    errors = [error for report, _, _ in recovered for error in report.errors]
    unclear = sum(past.count("unclear") for _, past, _ in recovered)
    return {
        **heading(exit_code, recovery_status(exit_code, errors, unclear)),
        "runs": [recovered_document(*one) for one in recovered],
    }


def recovery_status(exit_code: int, errors: Sequence[FluxError], unclear: int) -> str:
    """The status of a recovery: `unclear` if nothing failed but some requests stay unclear."""
    failed = any(not isinstance(error, UnclearError) for error in errors)
    if unclear and not failed and exit_code in (0, UnclearError.exit_code):
        return "unclear"
    return status_of(exit_code)
