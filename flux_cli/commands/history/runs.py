"""`flux runs`: list earlier runs, their cost, and whether they have images left to save."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf
from pathlib import Path

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import SCHEMA, NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.values import counted, show_amount
from flux_cli.runs.fields import error_document
from flux_cli.runs.records import store
from flux_cli.runs.records.archive.selection import Filter, Selection, parse_since, select
from flux_cli.runs.records.listing import LAST, RecordedRun, Stray, find_run
from flux_cli.runs.records.past import UNRECOVERABLE, PastCall, PastRun
from flux_cli.terminal import messages, streams
from flux_cli.terminal.table import cell_text, text_width

DEFAULT_LIMIT = 20  # runs in a list
ALL = "all"  # instead of a limit
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
        UNRECOVERABLE,
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
RUN_LIST: dict[str, object] = {
    "schema": (SCHEMA,),
    "folder": "text",
    "runs": ["#run"],
    "more": "integer",
    "totals": {
        "runs": "integer",
        "saved": "integer",
        "cost_usd": "number",
        "unpriced": "integer",
    },
}


class Wanted(NamedTuple):
    """Which runs to list, as typed; None means not given."""

    limit: str | None = None
    since: str | None = None
    failed: bool = False
    search: str | None = None


def run(
    *,
    run: str | None,
    limit: str | None = None,
    since: str | None = None,
    failed: bool = False,
    search: str | None = None,
    as_json: bool,
) -> None:
    """Print earlier runs, or one run with its requests. Raises UsageError for an unknown run."""
    root = store.runs_folder()
    wanted = Wanted(limit, since, failed, search)
    selection = _one(root, run, wanted) if run else _several(root, wanted)
    _print_strays(root, selection.strays)
    runs = selection.runs
    if as_json:
        streams.out_json(_list_document(root, selection))
        return
    if not runs:
        is_chosen = any(wanted._replace(limit=None))
        messages.err("flux: no such runs" if is_chosen else "flux: no runs yet")
        _print_more(selection.more, wanted)
        return
    streams.say(streams.listing([RUN_HEADING, *map(_run_row, runs)], right=(2, 3)))
    if run:
        _print_requests(runs[0].past.calls)
    else:
        messages.err(f"flux: {_totals_text(_totals(runs))}")
        _print_more(selection.more, wanted)
    states = {one.state for one in runs}
    for state, hint in HINTS.items():
        if state in states:
            messages.err(f"hint: {hint}")


def _one(root: Path, name: str, wanted: Wanted) -> Selection:
    """The run of that name. Raises UsageError."""
    if any(wanted):
        message = "--limit, --since, --failed, and --search select among all runs"
        raise UsageError(message, hint=f"leave them out: flux runs {name}")
    if name == LAST:
        return select(root, Filter(), 1)._replace(more=0)
    return Selection([find_run(root, name)], [])


def _several(root: Path, wanted: Wanted) -> Selection:
    """The newest runs that are wanted. Raises UsageError for an invalid value."""
    since = parse_since(wanted.since) if wanted.since else 0.0
    limit = _parse_limit(wanted.limit) if wanted.limit else DEFAULT_LIMIT
    return select(root, Filter(since, wanted.failed, wanted.search or ""), limit)


def _parse_limit(text: str) -> float:
    if text == ALL:
        return inf
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        hint = f"write a whole number from 1, or {ALL}"
        raise UsageError(f"invalid limit {text!r}", hint=hint)
    return number


def _print_more(more: int, wanted: Wanted) -> None:
    """Print how many older runs are not listed. They were not read, so some may not be wanted."""
    if not more:
        return
    is_filtered = wanted.failed or wanted.search
    what = "older runs were not searched" if is_filtered else "more runs"
    messages.err(f"flux: note: {what}: {more:,}; --limit {ALL} includes them")


def _print_requests(calls: Sequence[PastCall]) -> None:
    rows = [REQUEST_HEADING, *map(_request_row, calls)]
    if len({call.model for call in calls}) > 1:
        models = ("model", *(call.model for call in calls))
        pairs = zip(rows, models, strict=True)
        rows = [(*row[:-1], model, row[-1]) for row, model in pairs]
    streams.say("\n" + streams.listing(rows, right=(0,)))


class Totals(NamedTuple):
    """Sums over runs. `unpriced` is how many runs have requests of unknown cost."""

    runs: int
    saved: int
    cost_usd: float
    unpriced: int


def _totals(runs: Sequence[RecordedRun]) -> Totals:
    saved = sum(one.past.count("saved") for one in runs)
    cost_usd = sum(one.past.known_cost_usd for one in runs)
    unpriced = sum(one.past.cost_usd is None for one in runs)
    return Totals(len(runs), saved, cost_usd, unpriced)


def _totals_text(totals: Totals) -> str:
    saved = f"{counted(totals.saved, 'image')} saved"
    parts = [counted(totals.runs, "run"), saved, f"{show_amount(totals.cost_usd)} USD"]
    if totals.unpriced:
        parts.append(f"cost of {counted(totals.unpriced, 'run')} not known in full")
    return ", ".join(parts)


def _print_strays(root: Path, strays: Sequence[Stray]) -> None:
    """Print notes about journals that cannot be used, and about files that were moved aside."""
    for stray in strays:
        if not stray.is_foreign:
            hint = "; see: flux recover" if stray.is_damaged else ""
            messages.err(f"flux: note: run {stray.path.stem} cannot be read: {stray.reason}{hint}")
    aside = [folder for folder in store.aside_folders(root) if store.files_in(folder)]
    if aside:
        more = f" and {len(aside) - 1} other folders" if len(aside) > 1 else ""
        messages.err(f"flux: note: files that could not be recovered are in {aside[0]}{more}")


def _run_row(run: RecordedRun) -> tuple[str, ...]:
    past = run.past
    cost = "-" if past.cost_usd is None else show_amount(past.cost_usd)
    saved = f"{past.count('saved')}/{len(past.calls)}"
    models = dict.fromkeys(call.model for call in past.calls if call.model)
    model = past.text("model") or _one_or_many(models, "models")
    prompts = dict.fromkeys(filter(None, (call.prompt for call in past.calls)))
    prompt = past.text("prompt") or _one_or_many(prompts, "prompts")
    return (past.id, model, saved, cost, run.state, cell_text(_short(prompt) or None))


def _one_or_many(texts: Collection[str], noun: str) -> str:
    """The only text, or how many there are; "" if there is none."""
    if len(texts) > 1:
        return f"{len(texts)} {noun}"
    return next(iter(texts), "")


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


def _list_document(root: Path, selection: Selection) -> dict[str, Json]:
    """The runs of a selection, and what is known of them together."""
    listed: list[Json] = [run_document(one.past, one.state, one.began) for one in selection.runs]
    return {
        "schema": SCHEMA,
        "folder": str(root),
        "runs": listed,
        "more": selection.more,
        "totals": _totals(selection.runs)._asdict(),
    }


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
        "prompt": call.prompt or None,
        "seed": call.seed,
        "state": call.state,
        "files": [{"path": path or None} for path in call.saved],
        "error": error,
        "request_id": call.request_id or None,
        "cost_usd": call.cost_usd,
    }
