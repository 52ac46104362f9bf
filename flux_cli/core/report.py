"""A run as one JSON document. The schema number changes when a key changes its meaning or goes away."""

from __future__ import annotations

from flux_cli.core.request import Attachment
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json, Size
    from flux_cli.core.request import Call, Note, Outcome, Report, Resolved, Saved

SCHEMA = 1


def document(report: Report) -> dict[str, Json]:
    """The report with files in the order asked and errors with stable codes."""
    files: list[Json] = [
        _file(saved, outcome, report.resolved) for outcome in report.outcomes for saved in outcome.saved
    ]
    errors: list[Json] = [_failed(outcome) for outcome in report.outcomes if outcome.error]
    skipped: list[Json] = [
        {"index": outcome.call.number, "path": outcome.skipped} for outcome in report.outcomes if outcome.skipped
    ]
    return {
        "schema": SCHEMA,
        "status": report.status,
        "exit_code": report.exit_code,
        "provider": report.provider,
        "hosted": report.hosted,
        "request": request_document(report.resolved),
        "resolved": resolved_document(report.resolved),
        "notes": [note_document(note) for note in report.notes],
        "files": files,
        "skipped": skipped,
        "errors": errors,
        "surprises": list(report.surprises),
        "stopped_jobs": [{"id": identity, "agreed": agreed} for identity, agreed in report.stopped],
        "cost_usd": report.cost_usd,
    }


def request_document(resolved: Resolved) -> dict[str, Json]:
    """What was asked, as it was typed; pictures by the name of their file."""
    request = resolved.request
    asked: dict[str, Json] = {
        name: shorten(value.asked if isinstance(value, Attachment) else value)
        for name, value in request.parameters.items()
    }
    return {"prompt": resolved.prompt, "model": request.model, "route": request.route, **asked, "n": resolved.n}


def resolved_document(resolved: Resolved) -> dict[str, Json]:
    """What is meant; long values (data URIs) are shortened."""
    size = resolved.size
    return {
        "model": resolved.wire_model,
        "route": resolved.route,
        "size": size.name if size else None,
        "aspect_ratio": size.aspect_ratio if size else None,
        "resolution": size.resolution if size else None,
        "native_size": _native(size),
        "n": resolved.n,
        "seed": resolved.seed,
        "output_format": resolved.format,
        "output_compression": resolved.quality,
        "parameters": {name: shorten(value) for name, value in resolved.parameters.items()},
        "price_usd": resolved.price_usd,
    }


def note_document(note: Note) -> dict[str, Json]:
    """One decision, by its fields."""
    return dict(note._asdict())


def error_document(error: FluxError) -> dict[str, Json]:
    """One failure with its stable code."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "may_have_been_billed": error.billed,
        "http_status": error.status,
        "request_id": error.request_id or None,
    }


def failure_document(error: FluxError) -> dict[str, Json]:
    """The document of a run that ended before its first call."""
    return {
        "schema": SCHEMA,
        "status": "failed",
        "exit_code": error.exit_code,
        "files": [],
        "errors": [error_document(error)],
    }


def _failed(outcome: Outcome) -> dict[str, Json]:
    error = error_document(outcome.error) if outcome.error else {}
    return {"index": outcome.call.number, "seed": outcome.call.seed, **error}


def _file(saved: Saved, outcome: Outcome, resolved: Resolved) -> dict[str, Json]:
    facts = saved.facts
    size = resolved.size
    return {
        "path": saved.path,
        "index": outcome.call.number,
        "seed": _seed(outcome.call, saved),
        "format": saved.format,
        "bytes": saved.size,
        "requested_size": _asked_size(resolved),
        "nominal_size": size.name if size else None,
        "received_size": f"{saved.width}x{saved.height}",
        "width": saved.width,
        "height": saved.height,
        "as_received": saved.as_received,
        "quality": saved.quality,
        "variant": saved.label or None,
        "provider": facts.provider or None,
        "request_id": facts.request_id or None,
        "cost_usd": facts.cost_usd,
        "revised_prompt": facts.revised_prompt or None,
        "seconds": round(outcome.seconds, 3),
    }


def _seed(call: Call, saved: Saved) -> Json:
    """What the provider says it used, else what was asked."""
    return call.seed if saved.facts.seed is None else saved.facts.seed


def _asked_size(resolved: Resolved) -> Json:
    """The size as the person typed it, whichever option it came by."""
    said = request_document(resolved)
    return said.get("size") or said.get("aspect_ratio")


def _native(size: Size | None) -> Json:
    return f"{size.native[0]}x{size.native[1]}" if size and size.native else None
