"""`flux generate --dry-run`: the requests, file names and cost of a run.

Nothing is generated or paid for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.images.formats import format_of_file
from flux_cli.providers.answers import read_estimate
from flux_cli.providers.openai import estimate_request
from flux_cli.request.posts import provider_of, request_line, short_body
from flux_cli.runs.check import CheckedRun
from flux_cli.runs.documents import dry_run_document, resolution_document
from flux_cli.runs.fields import planned_file_document, skipped_document
from flux_cli.runs.planned_files import expected_of
from flux_cli.runs.saving.delivery import sidecar_name
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from flux_cli.core.request import Call, Note, Post
    from flux_cli.images.names import Name


class Cost(NamedTuple):
    """The cost of a whole run in USD (None: unknown), and where the figure comes from."""

    usd: float | None
    source: str


class PlannedFile(NamedTuple):
    """A file that the run would save. The path ends in `{ext}` where the format is still open."""

    call: Call
    path: str
    is_sidecar: bool


def print_dry_run(run: CheckedRun) -> None:
    """Print what `flux generate` would do.

    If the provider offers estimates, one is fetched. Raises the FluxError of a failed estimate.
    """
    cost = _cost(run)
    if run.options.reporting.as_json:
        streams.out_json(_document(run, cost))
        return
    streams.say("\n".join(_lines(run, cost)))
    if not run.options.reporting.quiet:
        messages.notes(_notes(run))


def _lines(run: CheckedRun, cost: Cost) -> list[str]:
    lines = ["dry run: nothing is generated, nothing is paid for"]
    for post in _posts(run):
        body = json.dumps(short_body(post), ensure_ascii=False)
        lines.append(f"{request_line(run.prepared, post)} {body}")
    lines += [f"file {file.path}" for file in _planned_files(run)]
    for paths in run.existing.by_call.values():
        lines += [f"kept {path}" for path in paths]
    amount = "unknown" if cost.usd is None else f"{cost.usd:.2f} USD"
    return [*lines, f"cost {amount} ({cost.source})"]


def _document(run: CheckedRun, cost: Cost) -> dict[str, Json]:
    resolved = run.prepared.resolved
    files: list[Json] = [
        planned_file_document(file.path, format_of_file(file.path), file.call, resolved)
        for file in _planned_files(run)
        if not file.is_sidecar
    ]
    skipped: list[Json] = []
    for number, paths in run.existing.by_call.items():
        skipped += [skipped_document(number, path, run.existing.unverified) for path in paths]
    resolution = resolution_document(run.row, resolved, _notes(run), _posts(run))
    outdated = run.existing.outdated
    return dry_run_document(resolution, files, skipped, outdated, cost.usd, cost.source)


def _notes(run: CheckedRun) -> tuple[Note, ...]:
    return (*run.prepared.resolved.notes, *run.prepared.plan.notes)


def _posts(run: CheckedRun) -> list[Post]:
    provider = provider_of(run.prepared, None)
    calls = [call for call in run.prepared.plan.calls if call.number not in run.existing.complete]
    return [provider.request(call) for call in calls]


def _planned_files(run: CheckedRun) -> list[PlannedFile]:
    files = []
    for call, name in zip(run.prepared.plan.calls, run.names, strict=True):
        if call.number in run.existing.complete:
            continue
        sidecar = sidecar_name(name) if run.delivery.sidecar else None
        for expected in expected_of(run.prepared, run.delivery, name):
            path = _expected_path(expected.name)
            if path not in run.delivery.kept:
                files.append(PlannedFile(call, path, expected.name == sidecar))
    return files


def _expected_path(name: Name) -> str:
    candidates = name.candidates(None)
    return candidates[0] if len(candidates) == 1 else name.path("{ext}")


def _cost(run: CheckedRun) -> Cost:
    # Any other server may not know `dryRun`, or a proxy may drop it: it would make an image.
    is_own_server = run.prepared.settings.base_url == run.row.base_url
    if run.row.estimates and is_own_server and run.auth and run.calls:
        return Cost(_estimate(run) * run.calls, "estimate of the gateway")
    price = run.prepared.resolved.unit_price_usd
    if price is None:
        return Cost(None, "the catalog has no price for this server")
    source = "price of the catalog" if run.row.hosted else "sketches are free"
    return Cost(price * run.calls, source)


def _estimate(run: CheckedRun) -> float:
    """The gateway's estimate for one image, in USD.

    Raises FluxError if the request fails or the reply has no estimate.
    """
    from flux_cli.http.client import Http
    from flux_cli.runs import event_loop

    timeout, retries = run.prepared.settings.timeout, run.prepared.settings.retries
    provider = provider_of(run.prepared, run.auth)
    post = estimate_request(provider.request(run.prepared.plan.calls[0]))

    async def ask() -> float:
        async with Http(timeout=timeout, retries=retries, folder=None) as http:
            return read_estimate(await http.post(post))

    return event_loop.run(ask())
