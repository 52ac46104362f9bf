"""`flux runs`: list earlier runs, their cost, and whether they have images left to save."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import Json
from flux_cli.core.values import show_amount
from flux_cli.runs.fields import error_document
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import Listing, RecordedRun, Stray, find_run, list_all
from flux_cli.runs.records.past import PastCall, PastRun
from flux_cli.runs.records.store import aside_folder
from flux_cli.terminal import messages, streams
from flux_cli.terminal.table import cell_text, text_width

SHOWN = 28  # columns for a prompt, so that a row fits into a hundred
RUN_HEADING = ("Run", "model", "saved", "USD", "state", "prompt")
REQUEST_HEADING = ("Request", "seed", "state", "file or reason")
HINTS = {
    "recoverable": "flux recover saves images that were paid for but not saved",
    "unclear": "flux recover looks up requests without a response",
}

ENTRY: dict[str, object] = {
    "index": "integer",
    "model": "text?",
    "prompt": "text?",
    "seed": "any",
    "state": ("saved", "waiting", "unclear", "failed", "expired", "not_sent"),
    "files": [{"path": "text?"}],
    "error": "#error?",
    "request_id": "text?",
    "cost_usd": "number?",
}
RUN: dict[str, object] = {
    "run": "text",
    "state": (
        "running",
        "recoverable",
        "unclear",
        "expired",
        "interrupted",
        "complete",
        "partial",
        "failed",
    ),
    "time": "text?",
    "provider": "text?",
    "model": "text?",
    "prompt": "text?",
    "requests": "integer",
    "saved": "integer",
    "waiting": "integer",
    "unclear": "integer",
    "cost_usd": "number?",
    "entries": ["#entry"],
}
RUN_LIST: dict[str, object] = {"schema": (SCHEMA,), "folder": "text", "runs": ["#run"]}


def run(*, run: str | None, as_json: bool) -> None:
    """Print earlier runs, or one run with its requests. Raises UsageError for an unknown run."""
    root = store.runs_folder()
    listing = Listing([find_run(root, run)], []) if run else list_all(root)
    runs = listing.runs
    _print_strays(root, listing.strays)
    if as_json:
        listed: list[Json] = [run_document(one.past, one.state, one.began) for one in runs]
        streams.out_json({"schema": SCHEMA, "folder": str(root), "runs": listed})
        return
    if not runs:
        messages.err("flux: no runs yet")
        return
    streams.say(streams.listing([RUN_HEADING, *map(_run_row, runs)], right=(2, 3)))
    if run:
        calls = runs[0].past.calls
        rows = [REQUEST_HEADING, *map(_request_row, calls)]
        if len({call.model for call in calls}) > 1:
            models = ("model", *(call.model for call in calls))
            pairs = zip(rows, models, strict=True)
            rows = [(*row[:-1], model, row[-1]) for row, model in pairs]
        streams.say("\n" + streams.listing(rows, right=(0,)))
    states = {one.state for one in runs}
    for state, hint in HINTS.items():
        if state in states:
            messages.err(f"hint: {hint}")


def _print_strays(root: Path, strays: Sequence[Stray]) -> None:
    """Print notes about journals that cannot be used, and about files that were moved aside."""
    for stray in strays:
        if not stray.is_foreign:
            hint = "; see: flux recover" if stray.is_damaged else ""
            messages.err(f"flux: note: run {stray.path.stem} cannot be read: {stray.reason}{hint}")
    aside = [folder for folder in map(aside_folder, root.glob("*")) if store.files_in(folder)]
    if aside:
        more = f" and {len(aside) - 1} other folders" if len(aside) > 1 else ""
        messages.err(f"flux: note: files that could not be recovered are in {aside[0]}{more}")


def _run_row(run: RecordedRun) -> tuple[str, ...]:
    past = run.past
    cost = "-" if past.cost_usd is None else show_amount(past.cost_usd)
    saved = f"{past.count('saved')}/{len(past.calls)}"
    models = dict.fromkeys(call.model for call in past.calls if call.model)
    model = past.text("model") or _one_or_many(models, "models")
    prompts = dict.fromkeys(filter(None, map(_prompt_of, past.calls)))
    prompt = past.text("prompt") or _one_or_many(prompts, "prompts")
    return (past.id, model, saved, cost, run.state, cell_text(_short(prompt) or None))


def _one_or_many(texts: Collection[str], noun: str) -> str:
    """The only text, or how many there are; "" if there is none."""
    if len(texts) > 1:
        return f"{len(texts)} {noun}"
    return next(iter(texts), "")


def _prompt_of(call: PastCall) -> str:
    """The prompt of one request, from the record that its files get; "" if that has none."""
    delivery = call.delivery if isinstance(call.delivery, dict) else {}
    record = delivery.get("record")
    prompt = record.get("prompt") if isinstance(record, dict) else None
    return prompt if isinstance(prompt, str) else ""


def _request_row(call: PastCall) -> tuple[str, ...]:
    reason = call.error.message if call.error else ""
    result = ", ".join(call.saved) or reason or "-"
    return (str(call.number), cell_text(call.seed), call.state.replace("_", " "), cell_text(result))


def _short(prompt: str) -> str:
    if text_width(prompt) <= SHOWN:
        return prompt
    short = prompt[: SHOWN - 1]
    while text_width(short) >= SHOWN:
        short = short[:-1]
    return short + "…"


def run_document(past: PastRun, state: str, began: str | None) -> dict[str, Json]:
    """One run of the journal, with what became of each of its requests. `began` is ISO 8601."""
    return {
        "run": past.id,
        "state": state,
        "time": began,
        "provider": past.text("provider") or None,
        "model": past.text("model") or None,
        "prompt": past.text("prompt") or None,
        "requests": len(past.calls),
        "saved": past.count("saved"),
        "waiting": past.count("waiting"),
        "unclear": past.count("unclear"),
        "cost_usd": past.cost_usd,
        "entries": [_entry_document(call) for call in past.calls],
    }


def _entry_document(call: PastCall) -> dict[str, Json]:
    """One request of an earlier run. The journal of a private run has no paths."""
    error = error_document(call.error) if call.error else None
    return {
        "index": call.number,
        "model": call.model or None,
        "prompt": _prompt_of(call) or None,
        "seed": call.seed,
        "state": call.state,
        "files": [{"path": path or None} for path in call.saved],
        "error": error,
        "request_id": call.request_id or None,
        "cost_usd": call.cost_usd,
    }
