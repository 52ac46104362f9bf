"""The journal, the job and the report of a checked run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.images import files
from flux_cli.images.names import folders_of
from flux_cli.providers.rows import most_in_flight
from flux_cli.request.posts import provider_of
from flux_cli.runs.check import CheckedRun, tasks_of
from flux_cli.runs.job import Job
from flux_cli.runs.records import journal, store
from flux_cli.runs.records.described import describe_run
from flux_cli.runs.report import Report

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import TextIO

    from flux_cli.config.load import Settings
    from flux_cli.runs.records.journal import Journal
    from flux_cli.runs.report import RunResult


def is_paid(checked: CheckedRun) -> bool:
    """Whether the run sends requests to a provider, so that it is recorded."""
    return bool(checked.row.hosted and checked.calls)


def open_journal(checked: CheckedRun, name: str) -> Journal:
    """The journal of the run. Runs that cost nothing are not recorded."""
    if not is_paid(checked):
        return journal.scratch()
    return journal.begin(store.runs_folder(), name, describe_run(checked))


def job_of(checked: CheckedRun, ledger: Journal, stdout: TextIO | None = None) -> Job:
    """The job of the run. Its images go to files, or to `stdout` if the run says so."""
    row, settings = checked.row, checked.settings
    sink: files.Pipe | files.Folder
    folders = {Path(folder) for part in checked.parts for folder in folders_of(part.names)}
    may_replace = checked.options.output.overwrite or checked.existing.replaced
    sink = files.Folder(overwrite=may_replace, mark=ledger.run, state=ledger.state)
    if checked.is_stdout and stdout is not None:
        sink, folders = files.Pipe(stdout.buffer), set()
    in_flight = (most_in_flight(row, part.resolved.dialect) for part in checked.parts)
    return Job(
        tasks=tasks_of(checked),
        provider=provider_of(checked.parts[0].prepared, checked.auth),
        hosted=row.hosted,
        sink=sink,
        ledger=ledger,
        concurrency=min(settings.concurrency, *in_flight, checked.total),
        traced=row.history,
        limit_usd=settings.max_cost,
        identity=checked.identity,
        output_folders=folders,
    )


def earlier_durations(settings: Settings, models: Collection[str]) -> tuple[float, ...]:
    """The seconds that images of these models took in earlier runs. Sketches have no records."""
    row = settings.provider
    if not row.hosted:
        return ()
    from flux_cli.runs.records.archive.durations import Asked, read_durations

    return read_durations(store.runs_folder(), Asked(row.name, settings.base_url, models))


def report_of(checked: CheckedRun, result: RunResult, name: str) -> Report:
    """The report of the run, whose journal has that name."""
    return Report(
        resolved=checked.parts[0].resolved,
        notes=checked.notes,
        provider=checked.row.name,
        hosted=checked.row.hosted,
        run=name if is_paid(checked) else "",
        existing=checked.existing,
        parts=checked.asked,
        **result._asdict(),
    )
