"""Parts of the JSON documents about runs, each beside its shape: errors, notes, requests, files.

Shapes are in the notation that `commands/schema.py` turns into JSON Schema.
"""

from __future__ import annotations

from flux_cli.core.request import Attachment, seed_of, seed_ranges
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json, Size
    from flux_cli.core.outcome import Outcome, SavedImage
    from flux_cli.core.request import Call, Note, Post, Resolved
    from flux_cli.runs.saving.existing import Outdated

ERROR: dict[str, object] = {
    "code": "text",
    "message": "text",
    "hint": "text",
    "may_have_been_billed": "boolean",
    "http_status": "integer?",
    "request_id": "text?",
}


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


REQUEST_ERROR: dict[str, object] = {"index": "integer", "seed": "any", **ERROR}


def request_error_document(call: Call, error: FluxError) -> dict[str, Json]:
    """The failure of one request of a run."""
    return {"index": call.number, "seed": call.seed, **error_document(error)}


NOTE: dict[str, object] = {
    "parameter": "text",
    "asked": "any",
    "used": "any",
    "behavior": (
        "passthrough",
        "renamed",
        "converted",
        "emulated",
        "ignored",
        "default",
        "unsupported",
    ),
    "reason": "text",
    "warning": "boolean",
}


def note_document(note: Note) -> dict[str, Json]:
    """One decision about a parameter."""
    return {
        "parameter": note.parameter,
        "asked": note.asked,
        "used": note.used,
        "behavior": note.behavior,
        "reason": note.reason,
        "warning": note.warning,
    }


# Every parameter that was given is there, too, under its own name.
REQUEST: dict[str, object] = {
    "prompt": "text",
    "model": "text",
    "route": "text?",
    "n": "integer",
    "...": "any",
}


def request_document(resolved: Resolved) -> dict[str, Json]:
    """What the user asked for. Local images appear by their file names, numbers as numbers."""
    request = resolved.request
    asked: dict[str, Json] = {}
    for name, value in request.parameters.items():
        typed = value.asked if isinstance(value, Attachment) else value
        asked[name] = shorten(_with_type(name, typed, resolved))
    if request.references:
        asked["image"] = [shorten(one.asked) for one in request.references]
    if request.mask:
        asked["mask"] = request.mask.asked
    return {
        "prompt": resolved.prompt,
        "model": request.model,
        "route": request.route,
        **asked,
        "n": resolved.n,
    }


def _with_type(name: str, typed: Json, resolved: Resolved) -> Json:
    """A value as it was typed, but `7` instead of `"7"` if a number or a boolean is sent."""
    seed = resolved.seed if len(resolved.seeds) == 1 else None  # a list stays as typed
    known = {"n": resolved.n, "seed": seed, "output_compression": resolved.quality}
    sent = known[name] if name in known else resolved.parameters.get(name)
    return typed if sent is None or isinstance(sent, str) else sent


RESOLVED: dict[str, object] = {
    "model": "text",
    "route": "text?",
    "size": "text?",
    "aspect_ratio": "text?",
    "resolution": "text?",
    "native_size": "text?",
    "n": "integer",
    "seed": "integer?",
    "seeds": ["integer"],
    "output_format": "text?",
    "output_compression": "integer?",
    "parameters": {"...": "any"},
    "price_usd": "number?",
}


def resolved_document(resolved: Resolved) -> dict[str, Json]:
    """The request as flux understood it. Long values such as data URIs are shortened."""
    return {
        "model": resolved.sent_model,
        "route": resolved.route,
        **_size_fields(resolved.size),
        "n": resolved.n,
        "seed": resolved.seed,
        "seeds": list(resolved.seeds),
        "output_format": resolved.format,
        "output_compression": resolved.quality,
        "parameters": {name: shorten(value) for name, value in resolved.parameters.items()},
        "price_usd": resolved.price_usd,
    }


def _size_fields(size: Size | None) -> dict[str, Json]:
    if size is None:
        return dict.fromkeys(("size", "aspect_ratio", "resolution", "native_size"))
    return {
        "size": size.name,
        "aspect_ratio": size.aspect_ratio,
        "resolution": size.resolution,
        "native_size": size.native_name,
    }


# Requests that differ only in their seeds are one item: `count` requests with the seeds of these
# ranges, each the first and the last seed. The body is that of the first one.
SEND: dict[str, object] = {
    "method": "text",
    "url": "text?",
    "body": {"...": "any"},
    "count": "integer",
    "seeds": [["integer"]],
}


def send_document(post: Post, calls: Sequence[Call], *, hosted: bool) -> dict[str, Json]:
    """The HTTP requests of these calls. An offline sketch has no URL."""
    seeds: list[Json] = [[first, last] for first, last in seed_ranges(calls)]
    return {
        "method": "POST",
        "url": post.url if hosted else None,
        "body": post.shown,
        "count": len(calls),
        "seeds": seeds,
    }


# Not `verified`: the file has no record, so it was kept without a comparison.
SKIPPED: dict[str, object] = {"index": "integer", "path": "text", "verified": "boolean"}


def skipped_document(index: int, path: str, unverified: Collection[str]) -> dict[str, Json]:
    """A file that existed already and was kept."""
    return {"index": index, "path": path, "verified": path not in unverified}


OUTDATED: dict[str, object] = {
    "index": "integer",
    "path": "text",
    "difference": "text",
    "reason": "text",
}


def outdated_document(file: Outdated) -> dict[str, Json]:
    """A file that `--update` replaces. `difference` is "prompt", "damaged", or a parameter."""
    return {
        "index": file.number,
        "path": file.path,
        "difference": file.difference.name,
        "reason": file.difference.reason,
    }


FILE: dict[str, object] = {
    "path": "text",
    "index": "integer",
    "seed": "any",
    "format": "text",
    "bytes": "integer",
    "requested_size": "any",
    "nominal_size": "text?",
    # Unknown in some formats that flux does not make.
    "received_size": "text?",
    "width": "integer?",
    "height": "integer?",
    "as_received": "boolean",
    "quality": "integer?",
    "variant": "text?",
    "provider": "text?",
    "request_id": "text?",
    "cost_usd": "number?",
    "revised_prompt": "text?",
    "seconds": "number",
}


def file_document(saved: SavedImage, outcome: Outcome, resolved: Resolved) -> dict[str, Json]:
    """One file that was saved."""
    facts = saved.facts
    return {
        "path": saved.path,
        "index": outcome.call.number,
        "seed": seed_of(outcome.call, facts),
        "format": saved.format,
        "bytes": saved.size,
        "requested_size": _requested_size(resolved),
        "nominal_size": resolved.size.name if resolved.size else None,
        "received_size": saved.pixels or None,
        "width": saved.width or None,
        "height": saved.height or None,
        "as_received": saved.as_received,
        "quality": saved.quality,
        "variant": saved.label or None,
        "provider": facts.provider or None,
        "request_id": facts.request_id or None,
        "cost_usd": facts.cost_usd,
        "revised_prompt": facts.revised_prompt or None,
        "seconds": round(outcome.seconds, 3),
    }


# A file of a dry run has the keys of a saved file. Values that depend on the image are null.
PLANNED_FILE: dict[str, object] = {
    **dict.fromkeys(FILE, "null"),
    "path": "text",
    "index": "integer",
    "seed": "any",
    "format": "text?",
    "requested_size": "any",
    "nominal_size": "text?",
}


def planned_file_document(
    path: str, file_format: str | None, call: Call, resolved: Resolved
) -> dict[str, Json]:
    """One file that a run would save. The path ends in `{ext}` where the format is still open."""
    unknown: dict[str, Json] = dict.fromkeys(FILE)
    return {
        **unknown,
        "path": path,
        "index": call.number,
        "seed": call.seed,
        "format": file_format,
        "requested_size": _requested_size(resolved),
        "nominal_size": resolved.size.name if resolved.size else None,
    }


def _requested_size(resolved: Resolved) -> Json:
    """The size as the user typed it, as pixels or as an aspect ratio."""
    asked = request_document(resolved)
    return asked.get("size") or asked.get("aspect_ratio")
