"""What became of a run, and the same as one JSON document."""

from __future__ import annotations

from flux_cli.core.errors import Interrupted, common_exit_code
from flux_cli.core.lite import SCHEMA, NamedTuple
from flux_cli.core.request import Attachment
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json, Size
    from flux_cli.core.request import Call, Note, Outcome, Resolved, SavedImage


class Report(NamedTuple):
    """The one result of a run: text, JSON and exit code are all derived from it."""

    resolved: Resolved
    notes: tuple[Note, ...]
    provider: str
    hosted: bool
    outcomes: Sequence[Outcome]
    interrupted: bool = False
    stopped: tuple[tuple[str, bool], ...] = ()  # jobs given up at the provider -> whether it agreed
    remarks: tuple[str, ...] = ()  # what a person should know of the files, as sentences
    faults: tuple[FluxError, ...] = ()  # what stood in the way of the run, rather than of one of its calls
    run: str = ""  # its name in the journal, if it has one
    seconds: float = 0.0

    @property
    def saved(self) -> Iterator[SavedImage]:
        """The files, one after the other: of ten thousand, one is in memory."""
        return (saved for outcome in self.outcomes for saved in outcome.saved)

    @property
    def errors(self) -> tuple[FluxError, ...]:
        return (*(outcome.error for outcome in self.outcomes if outcome.error), *self.faults)

    @property
    def exit_code(self) -> int:
        """See `common_exit_code`; a run can also be interrupted after its last call."""
        if self.interrupted:
            return Interrupted.exit_code
        succeeded = any(outcome.saved or outcome.was_there for outcome in self.outcomes)
        return common_exit_code(self.errors, some_succeeded=succeeded)

    @property
    def status(self) -> str:
        return status_of(self.exit_code)

    @property
    def surprises(self) -> tuple[str, ...]:
        """What a server silently did otherwise than asked, as sentences."""
        said = list(self.remarks)
        for outcome in self.outcomes:
            for saved in outcome.saved:
                asked, used = outcome.call.seed, saved.facts.seed
                if isinstance(asked, int) and used is not None and used != asked:
                    said.append(f"{saved.path}: the server used seed {used}, not {asked}")
                size, received = outcome.call.body.get("size"), f"{saved.width}x{saved.height}"
                if self.resolved.size is None and isinstance(size, str) and "x" in size and size != received:
                    said.append(f"{saved.path}: the server made {received}, not {size}")
        return tuple(said)

    @property
    def cost_usd(self) -> float | None:
        """What the providers say this run cost, in USD; None if any call may have cost something nobody named."""
        paid = (outcome for outcome in self.outcomes if outcome.saved or (outcome.error and outcome.error.billed))
        return None if any(_named_cost(outcome) is None for outcome in paid) else self.known_cost_usd

    @property
    def known_cost_usd(self) -> float:
        """The sum of what the providers named, in USD: the run has cost that much or more."""
        return sum(cost for cost in map(_named_cost, self.outcomes) if cost is not None)


def status_of(exit_code: int) -> str:
    """The exit code as the word documents have for it."""
    return {0: "ok", 3: "partial", 130: "interrupted"}.get(exit_code, "failed")


def _named_cost(outcome: Outcome) -> float | None:
    return outcome.saved[0].facts.cost_usd if outcome.saved else outcome.cost_usd


def document(report: Report) -> dict[str, Json]:
    """The report with files in the order asked and errors with stable codes."""
    files: list[Json] = [
        _file(saved, outcome, report.resolved) for outcome in report.outcomes for saved in outcome.saved
    ]
    errors: list[Json] = [_failed(outcome) for outcome in report.outcomes if outcome.error]
    errors += [error_document(fault) for fault in report.faults]
    skipped: list[Json] = [
        {"index": outcome.call.number, "path": path} for outcome in report.outcomes for path in outcome.kept
    ]
    return {
        **ended_document(report.exit_code),
        "run": report.run or None,
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
        "known_cost_usd": report.known_cost_usd,
        "seconds": round(report.seconds, 3),
    }


def request_document(resolved: Resolved) -> dict[str, Json]:
    """What was asked, as it was typed; images by the name of their file."""
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
        "model": resolved.sent_model,
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


def ended_document(exit_code: int) -> dict[str, Json]:
    """What every document begins with that tells what was done."""
    return {"schema": SCHEMA, "status": status_of(exit_code), "exit_code": exit_code}


def failure_document(error: FluxError) -> dict[str, Json]:
    """The document of a run that ended before its first call."""
    return {**ended_document(error.exit_code), "files": [], "errors": [error_document(error)]}


def _failed(outcome: Outcome) -> dict[str, Json]:
    error = error_document(outcome.error) if outcome.error else {}
    return {"index": outcome.call.number, "seed": outcome.call.seed, **error}


def _file(saved: SavedImage, outcome: Outcome, resolved: Resolved) -> dict[str, Json]:
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


def _seed(call: Call, saved: SavedImage) -> Json:
    """What the provider says it used, else what was asked."""
    return call.seed if saved.facts.seed is None else saved.facts.seed


def _asked_size(resolved: Resolved) -> Json:
    """The size as the person typed it, whichever option it came by."""
    said = request_document(resolved)
    return said.get("size") or said.get("aspect_ratio")


def _native(size: Size | None) -> Json:
    return f"{size.native[0]}x{size.native[1]}" if size and size.native else None
