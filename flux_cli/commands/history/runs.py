"""`flux runs`: list earlier runs, their cost, and whether they have images left to save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import Json
from flux_cli.core.values import show_amount
from flux_cli.runs.documents import run_document
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import Listing, RecordedRun, Stray, find_run, list_all
from flux_cli.runs.records.past import PastCall
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
        rows = map(_request_row, runs[0].past.calls)
        streams.say("\n" + streams.listing([REQUEST_HEADING, *rows], right=(0,)))
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
    prompt = cell_text(_short(past.text("prompt")) or None)
    return (past.id, past.text("model"), saved, cost, run.state, prompt)


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
