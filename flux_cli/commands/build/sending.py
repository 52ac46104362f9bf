"""Sends the requests of a build, and keeps what arrives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.build.execution.originals import Keeper
from flux_cli.core.lite import NamedTuple
from flux_cli.providers.rows import connect, most_in_flight
from flux_cli.runs.progress.choice import open_display, tell_both
from flux_cli.runs.progress.summary import Scope
from flux_cli.runs.records import journal, store

if TYPE_CHECKING:
    from flux_cli.build.execution.build import Build
    from flux_cli.build.execution.site import Site
    from flux_cli.build.stores.sharing import Shared
    from flux_cli.commands.build.session import Session
    from flux_cli.config.load import Settings
    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Json
    from flux_cli.images.signing import Identity
    from flux_cli.runs.job import Task
    from flux_cli.runs.progress.lines import Display
    from flux_cli.runs.progress.log import Log
    from flux_cli.runs.records.journal import Journal
    from flux_cli.runs.report import RunResult


class Run(NamedTuple):
    """The run that sends the requests of a build."""

    name: str
    created: str  # the time that files record
    auth: Auth | None
    signer: Identity | None
    log: Log | None


def send_requests(session: Session, build: Build, tasks: list[Task], run: Run) -> RunResult:
    """Send all requests, and update the rows of what arrives."""
    from flux_cli.runs.event_loop import run_job
    from flux_cli.runs.job import Job

    settings, row = session.settings, session.settings.provider
    recorded_run = run.name if row.hosted else ""
    owners = {step.name: site.owner(step) for site, step in build.requested()}
    keeper = Keeper(
        lambda task: owners[task.key], provider=row.name, run=recorded_run, created=run.created
    )
    shared = claim = None
    if session.sharing:
        shared = session.sharing.run(build.requested(), keeper, run.name, run.created)
        claim = shared.claims
    display = _display(session, build, tasks)
    with _journal(settings, run.name, build.sites) as ledger, display as listener:
        job = Job(
            tasks=tasks,
            provider=connect(row, settings.base_url, run.auth),
            hosted=row.hosted,
            sink=build.sink,
            ledger=ledger,
            concurrency=_concurrency(settings, tasks),
            traced=row.history,
            limit_usd=_limit(session),
            identity=run.signer,
            store=shared or keeper,
            claim=claim,
            output_folders={Path(task.name.path("png")).parent for task in tasks},
        )
        folder = ledger.folder if row.hosted else None
        told = tell_both(run.log, listener) if run.log else listener
        result = run_job(job, folder, settings, told)
        build.sink.sync()
    if shared:
        return _take_shared(build, result, shared, recorded_run)
    build.take_outcomes(result.outcomes, keeper, recorded_run)
    return result


def _take_shared(build: Build, result: RunResult, shared: Shared, run: str) -> RunResult:
    """Update the rows of what arrived here and on other machines. Returns our own requests."""
    own = shared.end(result.outcomes, run)
    build.take_outcomes(own, shared.keeper, run)
    unclear = shared.claims.look_again()
    build.take_shared(shared.claims.found, unclear)
    build.unstored |= shared.errors
    build.errors = {**shared.errors, **build.errors}
    return result._replace(outcomes=own)


def _display(session: Session, build: Build, tasks: list[Task]) -> Display:
    """How the progress of the requests is shown."""
    groups = {step.name: f"assets.{step.group}" for _, step in build.requested()}
    scope = Scope(len(tasks), _limit(session), groups)
    reporting = session.options.reporting
    return open_display(scope, tasks[0].key, session.settings.progress, reporting)


def _concurrency(settings: Settings, tasks: list[Task]) -> int:
    """How many requests may be in flight: what the settings say and every model accepts."""
    dialects = (task.resolved and task.resolved.dialect for task in tasks)
    accepted = [most_in_flight(settings.provider, dialect) for dialect in dialects]
    return min(settings.concurrency, len(tasks), *accepted)


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
