"""`flux generate --dry-run`: the calls, the file names and the cost; nothing is made, nothing is paid."""

from __future__ import annotations

import json

from flux_cli.core.lite import SCHEMA, NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.values import shorten
from flux_cli.providers.answers import read_estimate
from flux_cli.providers.openai import estimate_request
from flux_cli.request.prepare import goes_to, provider_of
from flux_cli.runs.check import CheckedRun, expected_of
from flux_cli.runs.report import note_document, request_document, resolved_document
from flux_cli.terminal import messages, streams


class Cost(NamedTuple):
    """USD for a whole run, and who says so; None: nobody knows."""

    usd: float | None
    source: str


def foretell(ready: CheckedRun) -> None:
    """Print what generate would do. Asks the gateway for its estimate where that is possible."""
    cost = _cost(ready)
    if ready.options.reporting.as_json:
        streams.out_json(_document(ready, cost))
        return
    provider = provider_of(ready.prepared, None)
    posts = [provider.request(call) for call in ready.prepared.plan.calls if call.number not in ready.skip]
    lines = ["dry run: nothing is made, nothing is paid"]
    for post in posts:
        body = {name: value if name == "prompt" else shorten(value) for name, value in post.body.items()}
        lines.append(f"{goes_to(ready.prepared, post)} {json.dumps(body, ensure_ascii=False)}")
    lines += [f"file {path}" for path in _paths(ready)]
    lines += [f"kept {path}" for paths in ready.kept.values() for path in paths]
    amount = "unknown" if cost.usd is None else f"{cost.usd:.2f} USD"
    lines.append(f"cost {amount} ({cost.source})")
    streams.say("\n".join(lines))
    if not ready.options.reporting.quiet:
        messages.notes((*ready.prepared.resolved.notes, *ready.prepared.plan.notes))


def _document(ready: CheckedRun, cost: Cost) -> dict[str, Json]:
    prepared = ready.prepared
    paths: list[Json] = list(_paths(ready))
    notes: list[Json] = [note_document(note) for note in (*prepared.resolved.notes, *prepared.plan.notes)]
    provider = provider_of(prepared, None)
    posts = [provider.request(call) for call in prepared.plan.calls if call.number not in ready.skip]
    bodies: list[Json] = [post.body for post in posts]
    skipped: list[Json] = [path for paths in ready.kept.values() for path in paths]
    return {
        "schema": SCHEMA,
        "status": "dry_run",
        "provider": ready.row.name,
        "hosted": ready.row.hosted,
        "request": request_document(prepared.resolved),
        "resolved": resolved_document(prepared.resolved),
        "notes": notes,
        "sends": bodies,
        "files": paths,
        "skipped": skipped,
        "cost_usd": cost.usd,
        "cost_source": cost.source,
    }


def _paths(ready: CheckedRun) -> list[str]:
    """The names to come; a suffix only the image can tell is shown as `{ext}`."""
    paths = []
    for call, one in zip(ready.prepared.plan.calls, ready.names, strict=True):
        for name in () if call.number in ready.skip else expected_of(ready.prepared, ready.delivery, one):
            candidates = name.candidates(None)
            path = candidates[0] if len(candidates) == 1 else name.path("{ext}")
            if path not in ready.delivery.kept:
                paths.append(path)
    return paths


def _cost(ready: CheckedRun) -> Cost:
    if ready.row.estimates and ready.auth and ready.calls:
        return Cost(_estimate(ready) * ready.calls, "estimate of the gateway")
    price = ready.prepared.resolved.unit_price_usd
    if price is None:
        return Cost(None, "no catalog knows this server's price")
    return Cost(price * ready.calls, "price of the catalog" if ready.row.hosted else "sketches are free")


def _estimate(ready: CheckedRun) -> float:
    """USD of one image, asked of the gateway. Raises the FluxError of an answer that is no estimate."""
    import asyncio
    import tempfile
    from pathlib import Path

    from flux_cli.http.client import Http

    settings = ready.prepared.settings
    provider = provider_of(ready.prepared, ready.auth)
    post = estimate_request(provider.request(ready.prepared.plan.calls[0]))

    async def ask(folder: str) -> float:
        async with Http(timeout=settings.timeout, retries=settings.retries, folder=Path(folder)) as http:
            return read_estimate(await http.post(post))

    with tempfile.TemporaryDirectory(prefix="flux-") as folder:
        return asyncio.run(ask(folder))
