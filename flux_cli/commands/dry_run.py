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
from flux_cli.runs.check import CheckedRun, Part
from flux_cli.runs.documents import dry_run_document, resolution_document
from flux_cli.runs.fields import planned_file_document, skipped_document
from flux_cli.runs.planned_files import expected_of
from flux_cli.runs.saving.delivery import sidecar_name
from flux_cli.runs.spending.access import is_gateway
from flux_cli.runs.spending.approval import bill_of_run, check_bill, needs_confirmation
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.request import Call, Post
    from flux_cli.images.names import Name

MOST_FILES = 10  # that are all listed, as are so many parts of a run


class PlannedFile(NamedTuple):
    """A file that the run would save. The path ends in `{ext}` where the format is still open."""

    part: Part
    call: Call
    path: str
    is_sidecar: bool


def print_dry_run(run: CheckedRun) -> None:
    """Print what `flux generate` would do. Opens a connection only with --estimate.

    Raises the BudgetError of the run itself, and the FluxError of an estimate that fails.
    """
    if run.options.run.estimate:
        from flux_cli.runs.spending.estimate import estimate_prices

        prepared = [part.prepared for part in run.parts]
        priced = estimate_prices(prepared, no_key=run.options.access.no_key)
        pairs = zip(run.parts, priced, strict=True)
        run = run._replace(parts=[part._replace(prepared=one) for part, one in pairs])
        check_bill(run)
    if run.options.reporting.as_json:
        streams.out_json(_document(run))
        return
    streams.say("\n".join(_lines(run)))
    if not run.options.reporting.quiet:
        messages.notes(run.notes)
        if question := needs_confirmation(run):
            messages.err(f"flux: note: the run asks for confirmation: {question}")


def _lines(run: CheckedRun) -> list[str]:
    lines = ["dry run: nothing is generated, nothing is paid for"]
    lines += _request_lines(list(_sent(run)))
    lines += _file_lines([file.path for file in _planned_files(run)])
    for paths in run.existing.by_call.values():
        lines += [f"kept {path}" for path in paths]
    cost, source = _cost(run)
    amount = "unknown" if cost is None else f"{show_amount(cost)} USD"
    return [*lines, f"cost {amount} ({source})"]


def _request_lines(sent: Sequence[tuple[Part, Sequence[Call]]]) -> list[str]:
    """The requests of each part; those of the first and the last if there are many."""
    if len(sent) <= MOST_FILES:
        return [_request_text(*one) for one in sent]
    between = sum(len(calls) for _, calls in sent[1:-1])
    return [_request_text(*sent[0]), f"and {between} more requests", _request_text(*sent[-1])]


def _request_text(part: Part, calls: Sequence[Call]) -> str:
    """All requests of a part in one line: they differ only in their seeds."""
    post = _first_post(part, calls)
    body = json.dumps(short_body(post), ensure_ascii=False)
    text = f"{request_line(part.prepared, post)} {body}"
    if len(calls) == 1:
        return text
    return f"{len(calls)} x {text}{describe_ranges(seed_ranges(calls))}"


def _first_post(part: Part, calls: Sequence[Call]) -> Post:
    return provider_of(part.prepared, None).request(calls[0])


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
    parts: list[Json] = []
    about: dict[int, dict[str, Json]] = {}
    if run.asked:
        from flux_cli.runs.combined.documents import about_calls, part_documents

        parts, about = part_documents(run.asked), about_calls(run.asked)
    files: list[Json] = []
    for file in _planned_files(run):
        if not file.is_sidecar:
            known, asked = format_of_file(file.path), file.part.resolved
            document = planned_file_document(file.path, known, file.call, asked)
            files.append(document | about.get(file.call.number, {}))
    skipped: list[Json] = []
    for number, paths in run.existing.by_call.items():
        for path in paths:
            document = skipped_document(number, path, run.existing.unverified)
            skipped.append(document | about.get(number, {}))
    sends = [(_first_post(part, calls), calls) for part, calls in _sent(run)]
    first = run.parts[0].resolved
    resolution = resolution_document(run.row, first, run.notes, sends, parts)
    return dry_run_document(resolution, files, skipped, run.existing.outdated, *_cost(run))


def _sent(run: CheckedRun) -> Iterator[tuple[Part, Sequence[Call]]]:
    """The calls of each part that would be sent, if there are any."""
    for part in run.parts:
        if calls := part.calls(run.existing.complete):
            yield part, calls


def _planned_files(run: CheckedRun) -> list[PlannedFile]:
    files: list[PlannedFile] = []
    for part in run.parts:
        for call, name in zip(part.calls(), part.names, strict=True):
            if call.number not in run.existing.complete:
                files += _files_of(part, call, name)
    return files


def _files_of(part: Part, call: Call, name: Name) -> Iterator[PlannedFile]:
    """The files that one request would save."""
    shown = _without_random_id(name)
    sidecar = sidecar_name(shown) if part.delivery.sidecar else None
    for expected in expected_of(part.prepared, part.delivery, shown):
        path = _expected_path(expected.name)
        if path not in part.delivery.kept:
            yield PlannedFile(part, call, path, expected.name == sidecar)


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
    bill = bill_of_run(run)
    unpriced = [part.resolved for part in run.parts if part.resolved.unit_price_usd is None]
    if unpriced:
        hint = "; --estimate asks the gateway" if is_gateway(run.settings) else ""
        models = ", ".join(dict.fromkeys(resolved.model_id for resolved in unpriced))
        what = "this server" if len(unpriced) == len(run.parts) else models
        return None, f"the catalog has no price for {what}{hint}"
    source = "catalog price" if run.row.hosted else "sketches are free"
    days = [part.resolved.price_day for part in run.parts if part.resolved.price_day]
    if days:
        source = f"the gateway's schema of {days[0]}"
    if run.options.run.estimate:
        source = "estimate of the gateway"
    return bill.cost, source
