"""`flux generate --dry-run`: the requests, file names and cost of a run.

Nothing is generated or paid for.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import seed_ranges
from flux_cli.core.values import show_amount
from flux_cli.images.formats import format_of_file
from flux_cli.request.posts import provider_of, request_line, short_body
from flux_cli.request.seeds import describe_ranges
from flux_cli.runs.check import CheckedRun
from flux_cli.runs.documents import dry_run_document, resolution_document
from flux_cli.runs.fields import planned_file_document, skipped_document
from flux_cli.runs.planned_files import expected_of
from flux_cli.runs.saving.delivery import sidecar_name
from flux_cli.runs.spending.access import is_gateway
from flux_cli.runs.spending.approval import check_bill, needs_confirmation
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.request import Call, Note
    from flux_cli.images.names import Name

MOST_FILES = 10  # that are all listed


class PlannedFile(NamedTuple):
    """A file that the run would save. The path ends in `{ext}` where the format is still open."""

    call: Call
    path: str
    is_sidecar: bool


def print_dry_run(run: CheckedRun) -> None:
    """Print what `flux generate` would do. Opens a connection only with --estimate.

    Raises the BudgetError of the run itself, and the FluxError of an estimate that fails.
    """
    if run.options.run.estimate:
        from flux_cli.runs.spending.estimate import estimate_price

        prepared = estimate_price(run.prepared, no_key=run.options.access.no_key)
        run = run._replace(prepared=prepared)
        check_bill(run)
    if run.options.reporting.as_json:
        streams.out_json(_document(run))
        return
    streams.say("\n".join(_lines(run)))
    if not run.options.reporting.quiet:
        messages.notes(_notes(run))
        if question := needs_confirmation(run):
            messages.err(f"flux: note: the run asks for confirmation: {question}")


def _lines(run: CheckedRun) -> list[str]:
    lines = ["dry run: nothing is generated, nothing is paid for"]
    if calls := _calls(run):
        lines.append(_request_text(run, calls))
    lines += _file_lines([file.path for file in _planned_files(run)])
    for paths in run.existing.by_call.values():
        lines += [f"kept {path}" for path in paths]
    cost, source = _cost(run)
    amount = "unknown" if cost is None else f"{show_amount(cost)} USD"
    return [*lines, f"cost {amount} ({source})"]


def _request_text(run: CheckedRun, calls: Sequence[Call]) -> str:
    """All requests in one line: they differ only in their seeds."""
    post = provider_of(run.prepared, None).request(calls[0])
    body = json.dumps(short_body(post), ensure_ascii=False)
    text = f"{request_line(run.prepared, post)} {body}"
    if len(calls) == 1:
        return text
    return f"{len(calls)} x {text}{describe_ranges(seed_ranges(calls))}"


def _file_lines(paths: Sequence[str]) -> list[str]:
    """The first and last file, and how many are between them; all if there are few.

    Names that differ only in what is still open are one line.
    """
    counts = Counter(paths)
    lines = [f"{count} x file {path}" for path, count in counts.items()]
    lines = [line.removeprefix("1 x ") for line in lines]
    if len(lines) <= MOST_FILES:
        return lines
    _, *between, _ = counts.values()
    return [lines[0], f"and {sum(between)} more files", lines[-1]]


def _document(run: CheckedRun) -> dict[str, Json]:
    resolved, calls = run.prepared.resolved, _calls(run)
    files: list[Json] = [
        planned_file_document(file.path, format_of_file(file.path), file.call, resolved)
        for file in _planned_files(run)
        if not file.is_sidecar
    ]
    skipped: list[Json] = []
    for number, paths in run.existing.by_call.items():
        skipped += [skipped_document(number, path, run.existing.unverified) for path in paths]
    first = provider_of(run.prepared, None).request(calls[0]) if calls else None
    resolution = resolution_document(run.row, resolved, _notes(run), calls, first)
    return dry_run_document(resolution, files, skipped, run.existing.outdated, *_cost(run))


def _notes(run: CheckedRun) -> tuple[Note, ...]:
    return (*run.prepared.resolved.notes, *run.prepared.plan.notes)


def _calls(run: CheckedRun) -> Sequence[Call]:
    """The calls that would be sent."""
    calls, complete = run.prepared.plan.calls, run.existing.complete
    if not complete:
        return calls
    return [call for call in calls if call.number not in complete]


def _planned_files(run: CheckedRun) -> list[PlannedFile]:
    files = []
    for call, name in zip(run.prepared.plan.calls, run.names, strict=True):
        if call.number in run.existing.complete:
            continue
        shown = _without_random_id(name)
        sidecar = sidecar_name(shown) if run.delivery.sidecar else None
        for expected in expected_of(run.prepared, run.delivery, shown):
            path = _expected_path(expected.name)
            if path not in run.delivery.kept:
                files.append(PlannedFile(call, path, expected.name == sidecar))
    return files


def _expected_path(name: Name) -> str:
    candidates = name.candidates(None)
    return candidates[0] if len(candidates) == 1 else name.path("{ext}")


def _without_random_id(name: Name) -> Name:
    """The name with `{id}` in place of the random id, which the run will not use."""
    identity = name.fields.get("id")
    fields = [field for field, value in name.fields.items() if value == identity]
    return name._replace(fields={**name.fields, **dict.fromkeys(fields, "{id}")})


def _cost(run: CheckedRun) -> tuple[float | None, str]:
    """The cost of the whole run in USD (None: unknown), and where the figure comes from."""
    price = run.prepared.resolved.unit_price_usd
    if price is None:
        hint = "; --estimate asks the gateway" if is_gateway(run.prepared.settings) else ""
        return None, f"the catalog has no price for this server{hint}"
    source = "catalog price" if run.row.hosted else "sketches are free"
    if day := run.prepared.resolved.price_day:
        source = f"the gateway's schema of {day}"
    if run.options.run.estimate:
        source = "estimate of the gateway"
    return price * run.images, source
