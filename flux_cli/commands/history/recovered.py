"""What `flux recover` did with one run, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence

from flux_cli.core.errors import FluxError, UnclearError
from flux_cli.core.lite import NamedTuple
from flux_cli.runs.progress.lines import report_errors
from flux_cli.runs.records.past import PastRun
from flux_cli.runs.report import Report
from flux_cli.terminal import messages, streams

NAMED = 3  # runs listed in one error message


class Recovered(NamedTuple):
    """One run after recovery: its state in the journal, and what was done.

    `moved` are the new paths of files that could not be saved where they belong. `is_told`: the
    user is told now that nothing can clear up the requests that are unclear.
    """

    past: PastRun
    report: Report
    moved: Sequence[str] = ()
    is_told: bool = False

    @property
    def unclear(self) -> int:
        """The number of requests that may have been paid for."""
        return self.past.count("unclear")

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to recover and there is nothing to report."""
        report = self.report
        return not (report.outcomes or report.faults or report.remarks or self.unclear)


def print_result(one: Recovered, *, paths: bool, verbose: bool) -> None:
    """Print paths to stdout, and failed requests, lost images and unclear requests to stderr."""
    if paths:
        for saved in one.report.saved:
            streams.out_path(saved.path)
    report_errors(one.report._replace(faults=()), verbose=verbose)
    for warning in one.report.warnings:
        messages.err(f"flux: note: {warning}")
    is_reported = any(isinstance(fault, UnclearError) for fault in one.report.faults)
    if one.unclear and not is_reported:
        count = f"{one.unclear} of {len(one.past.calls)} requests of run {one.past.id}"
        once = f"; {one.report.provider} keeps no history that tells" if one.is_told else ""
        messages.err(f"flux: note: {count} may have been billed{once}")


def print_faults(done: Sequence[Recovered], *, verbose: bool) -> None:
    """Print each failure of whole runs once, with the names of the runs."""
    hit: dict[str, tuple[FluxError, list[str]]] = {}
    for one in done:
        for fault in one.report.faults:
            hit.setdefault(fault.message, (fault, []))[1].append(one.past.id)
    for fault, runs in hit.values():
        more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
        fault.message = f"{', '.join(runs[:NAMED])}{more}: {fault.message}"
        messages.error(fault, verbose=verbose)
