"""Sends the requests of a build, and keeps what arrives."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.build.execution.originals import Keeper
from flux_cli.build.shards.division import share_of_rate
from flux_cli.core.lite import NamedTuple
from flux_cli.providers.rows import connect, most_in_flight
from flux_cli.runs.progress.choice import open_display, tell_both
from flux_cli.runs.progress.summary import Scope
from flux_cli.runs.records import journal, store
from flux_cli.runs.report import RunResult

if TYPE_CHECKING:
    from flux_cli.build.execution.build import Build
    from flux_cli.build.execution.originals import Owner
    from flux_cli.build.execution.site import Site
    from flux_cli.build.references.staging import Stages
    from flux_cli.build.stores.sharing import Shared
    from flux_cli.commands.build.session import Session
    from flux_cli.config.load import Settings
    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Json
    from flux_cli.images.signing import Identity
    from flux_cli.runs.job import Job, Task
    from flux_cli.runs.progress.lines import Display
    from flux_cli.runs.progress.log import Log
    from flux_cli.runs.records.journal import Journal


class Run(NamedTuple):
    """The run that sends the requests of a build."""

    name: str
    created: str  # the time that files record
    auth: Auth | None
    signer: Identity | None
    log: Log | None


def send_requests(session: Session, build: Build, stages: Stages, run: Run) -> RunResult:
    """Send all requests, and update the rows of what arrives."""
    from flux_cli.runs import event_loop
    from flux_cli.runs.pipeline import generate

    settings = session.settings
    display = _display(session, build, stages)
    with _journal(settings, run.name, build.sites) as ledger, display as listener:
        sender = _Sender(session, build, run, ledger)
        folder = ledger.folder if settings.provider.hosted else None
        told = tell_both(run.log, listener) if run.log else listener

        async def send_all() -> list[RunResult]:
            results = []
            for tasks in stages.tasks():
                job, shared = sender.job(tasks)
                result = await event_loop.await_job(job, folder, settings, told, generate)
                build.sink.sync()
                results.append(sender.take(result, shared))
                stages.note(results[-1])
            return results

        return _joined(event_loop.run(send_all()))


class _Sender:
    """Makes the job of each stage of a run, and takes its results."""

    def __init__(self, session: Session, build: Build, run: Run, ledger: Journal) -> None:
        settings = session.settings
        self._session, self._build, self._run = session, build, run
        self._recorded_run = run.name if settings.provider.hosted else ""
        self._owners: dict[str, Owner] = {}
        self._keeper = Keeper(
            lambda task: self._owners[task.key],
            provider=settings.provider.name,
            run=self._recorded_run,
            created=run.created,
        )
        self._job = _job(session, build, run, ledger, self._keeper)

    def job(self, tasks: list[Task]) -> tuple[Job, Shared | None]:
        """The job of one stage, and what it shares with other machines."""
        session, build, run = self._session, self._build, self._run
        self._owners.update((step.name, site.owner(step)) for site, step in build.requested())
        job = self._job._replace(
            tasks=tasks,
            concurrency=_concurrency(session, tasks),
            output_folders=build.sink.folders(task.name for task in tasks),
        )
        if session.sharing is None:
            return job, None
        names = {task.key for task in tasks}
        steps = [(site, step) for site, step in build.requested() if step.name in names]
        shared = session.sharing.run(steps, self._keeper, run.name, run.created)
        return job._replace(store=shared, claim=shared.claims), shared

    def take(self, result: RunResult, shared: Shared | None) -> RunResult:
        """Update the rows of what arrived, here or on other machines. Returns our own requests."""
        build, run = self._build, self._recorded_run
        if shared is None:
            build.take_outcomes(result.outcomes, self._keeper, run)
            return result
        own = shared.end(result.outcomes, run)
        build.take_outcomes(own, self._keeper, run)
        unclear = shared.claims.look_again()
        build.take_shared(shared.claims.found, unclear)
        build.unstored |= shared.errors
        build.errors = {**shared.errors, **build.errors}
        return result._replace(outcomes=own)


def _job(session: Session, build: Build, run: Run, ledger: Journal, keeper: Keeper) -> Job:
    """What the jobs of all stages share."""
    from flux_cli.runs.job import Job
    from flux_cli.runs.spending.shared_budget import SharedBudget

    settings, row = session.settings, session.settings.provider
    return Job(
        tasks=(),
        provider=connect(row, settings.base_url, run.auth),
        hosted=row.hosted,
        sink=build.sink,
        ledger=ledger,
        concurrency=1,
        traced=row.history,
        limit_usd=_limit(session),
        budget=SharedBudget(_limit(session)),
        identity=run.signer,
        store=keeper,
    )


def _joined(results: list[RunResult]) -> RunResult:
    """The result of all stages."""
    whole = RunResult(outcomes=())
    for one in results:
        whole = RunResult(
            outcomes=[*whole.outcomes, *one.outcomes],
            interrupted=whole.interrupted or one.interrupted,
            canceled=(*whole.canceled, *one.canceled),
            remarks=tuple(dict.fromkeys((*whole.remarks, *one.remarks))),
            seconds=whole.seconds + one.seconds,
        )
    return whole


def _display(session: Session, build: Build, stages: Stages) -> Display:
    """How the progress of the requests is shown."""
    from flux_cli.runs.execution.of_run import earlier_durations

    settings, models = session.settings, {task.call.model for task in stages.first}
    groups = {step.name: f"assets.{step.group}" for _, step in build.requested()}
    concurrency = _concurrency(session, stages.first)
    scope = Scope(stages.total, _limit(session), groups, concurrency)
    earlier = partial(earlier_durations, settings, models)
    reporting = session.options.reporting
    return open_display(scope, next(iter(groups)), settings.progress, reporting, earlier)


def _concurrency(session: Session, tasks: list[Task]) -> int:
    """How many requests may be in flight: what the settings say and every model accepts.

    Of a shard, its part of that.
    """
    settings = session.settings
    dialects = (task.resolved and task.resolved.dialect for task in tasks)
    accepted = [most_in_flight(settings.provider, dialect) for dialect in dialects]
    accepted_by_all = min(settings.concurrency, *accepted)
    division = session.planned[0].project.division
    rate = share_of_rate(accepted_by_all, division.shard) if division else accepted_by_all
    return max(1, min(rate, len(tasks)))


def _limit(session: Session) -> float | None:
    """What all requests together may cost."""
    own = [planned.limit for planned in session.planned if planned.cost.requests]
    known = [limit for limit in own if limit is not None]
    together = sum(known) if len(known) == len(own) else None
    limit = session.limit
    if limit is None or together is None:
        return together if limit is None else limit
    return min(limit, together)


def _journal(settings: Settings, run: str, sites: list[Site]) -> Journal:
    """The journal of the run. What costs nothing is not recorded."""
    if not settings.provider.hosted:
        return journal.scratch()
    from flux_cli.http.spool import temporary_folder
    from flux_cli.runs.records.described import privacy_facts

    places: list[Json] = [os.path.realpath(site.lock) for site in sites]
    facts: dict[str, Json] = {
        "version": __version__,
        "provider": settings.provider.name,
        "base_url": settings.base_url,
        **privacy_facts(settings),
        "folder": str(Path.cwd()),
        "temporary": temporary_folder(),
        "locks": places,
    }
    return journal.begin(store.runs_folder(), run, facts)
