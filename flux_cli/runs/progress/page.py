"""The result of a run as Markdown, for the page of a CI run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.values import show_amount
from flux_cli.runs.progress.summary import summarize
from flux_cli.terminal.markdown import escaped, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.errors import FluxError
    from flux_cli.core.outcome import Outcome
    from flux_cli.runs.report import Report

FILES = ("file", "size", "model", "seed", "USD")
FAILURES = ("request", "code")
PROMPT, REASON = "prompt", "reason"


def run_page(report: Report, limit: float | None, *, private: bool) -> str:
    """The summary of a run with its limit in USD, its files and its failures.

    A `private` one has no prompts, and no messages, which may quote them.
    """
    return "\n".join([*_lines(report, limit, private=private), "", ""])


def _lines(report: Report, limit: float | None, *, private: bool) -> Iterator[str]:
    yield "### flux generate"
    yield ""
    of_limit = "" if limit is None else f"; limit {show_amount(limit)} USD"
    yield escaped(f"{summarize(report)}{of_limit}")
    files = [row for outcome in report.outcomes for row in _files(report, outcome)]
    failures: list[tuple[str, ...]] = [
        (str(outcome.call.number), *_failure(outcome.error))
        for outcome in report.outcomes
        if outcome.error
    ]
    failures += [("", *_failure(fault)) for fault in report.faults]
    if private:
        files = [row[: len(FILES)] for row in files]
        failures = [row[: len(FAILURES)] for row in failures]
    yield from table(FILES if private else (*FILES, PROMPT), files)
    yield from table(FAILURES if private else (*FAILURES, REASON), failures)


def _files(report: Report, outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """The files of a request. Its cost is that of its first file."""
    asked = report.asked_of(outcome)
    for saved in outcome.saved:
        path = "(standard output)" if saved.path == "-" else saved.path
        seed = outcome.call.seed if saved.facts.seed is None else saved.facts.seed
        cost = saved.facts.cost_usd if saved is outcome.saved[0] else None
        drawn = "" if seed is None else str(seed)
        amount = "" if cost is None else show_amount(cost)
        yield path, saved.pixels, asked.sent_model, drawn, amount, asked.prompt
    for path in outcome.kept:
        yield path, "already there", asked.sent_model, "", "", asked.prompt


def _failure(error: FluxError) -> tuple[str, str]:
    return error.code, error.message
