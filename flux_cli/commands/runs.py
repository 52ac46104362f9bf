"""`flux runs`: what earlier runs asked, what they cost, and whether anything they paid for is still to be saved."""

from __future__ import annotations

from flux_cli.config import folders
from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import Json
from flux_cli.core.table import cell_text, text_width
from flux_cli.runs import journal
from flux_cli.runs.history import Entry
from flux_cli.terminal import messages, streams

SHOWN = 28  # columns for a prompt: a line has a hundred, and the name of a run says when it began
HINTS = {
    "recoverable": "flux recover saves what is paid for and not saved",
    "unclear": "flux recover asks what became of calls without an answer",
}


def run(*, run: str | None, as_json: bool) -> None:
    """Print earlier runs, or one call by call. Raises UsageError for a run nobody knows."""
    root = folders.state_folder() / "runs"
    rows = [journal.find(root, run)] if run else journal.rows(root)
    if as_json:
        documents: list[Json] = [document(row) for row in rows]
        streams.out_json({"schema": SCHEMA, "folder": str(root), "runs": documents})
        return
    if not rows:
        messages.err("flux: no runs yet")
        return
    heading = ("Run", "model", "saved", "USD", "state", "prompt")
    streams.say(streams.listing([heading, *(_line(row) for row in rows)], right=(2, 3)))
    if run:
        calls = [("Call", "seed", "state", "file or reason"), *(_call(entry) for entry in rows[0].past.entries)]
        streams.say("\n" + streams.listing(calls, right=(0,)))
    for state, hint in HINTS.items():
        if any(_state(row) == state for row in rows):
            messages.err(f"hint: {hint}")


def document(row: journal.RecordedRun) -> dict[str, Json]:
    """One run as JSON, and what became of each of its calls."""
    past = row.past
    listed: list[Json] = [_call_document(entry) for entry in past.entries]
    return {
        "run": past.id,
        "state": _state(row),
        "time": past.began,
        "provider": past.facts.get("provider"),
        "model": past.facts.get("model"),
        "prompt": past.facts.get("prompt"),
        "calls": len(past.entries),
        "saved": past.count("saved"),
        "waiting": past.count("waiting"),
        "unclear": past.count("unclear"),
        "cost_usd": past.cost_usd,
        "entries": listed,
    }


def _call_document(entry: Entry) -> dict[str, Json]:
    failure = entry.failure or {}
    return {
        "index": entry.number,
        "seed": entry.seed,
        "state": entry.state,
        "files": list(entry.saved),
        "error": failure.get("code"),
        "message": failure.get("message"),
        "request_id": failure.get("request_id") or None,
        "cost_usd": entry.cost_usd,
    }


def _line(row: journal.RecordedRun) -> tuple[str, ...]:
    past = row.past
    cost = "-" if past.cost_usd is None else f"{past.cost_usd:.2f}"
    saved = f"{past.count('saved')}/{len(past.entries)}"
    return (past.id, past.text("model"), saved, cost, _state(row), cell_text(_short(past.text("prompt")) or None))


def _short(prompt: str) -> str:
    if text_width(prompt) <= SHOWN:
        return prompt
    short = prompt[: SHOWN - 1]
    while text_width(short) >= SHOWN:
        short = short[:-1]
    return short + "…"


def _call(entry: Entry) -> tuple[str, ...]:
    failure = entry.failure or {}
    where = ", ".join(entry.saved) or str(failure.get("message") or "-")
    return (str(entry.number), cell_text(entry.seed), entry.state, cell_text(where))


def _state(row: journal.RecordedRun) -> str:
    return "running" if row.running else row.past.state
