"""`flux build` without a mode: carry out the plan, write the lock, and report."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from flux_cli.build.disk import place
from flux_cli.build.execution.arrivals import fetch_arrived
from flux_cli.build.execution.build import Build
from flux_cli.build.execution.guard import GuardedFolder
from flux_cli.build.execution.originals import (
    delete_originals,
    needed,
    unfinished,
)
from flux_cli.build.execution.requests import Tasks
from flux_cli.build.execution.running import Running, interrupted_run, left_mark
from flux_cli.build.execution.site import Site
from flux_cli.build.planning.steps import PAID, REMADE
from flux_cli.build.references.staging import Stages
from flux_cli.build.shards.parts import reopen
from flux_cli.commands.build.report import Result, print_result
from flux_cli.commands.build.review.modes import open_review
from flux_cli.commands.build.sending import Run, send_requests
from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.sharing import open_sharing
from flux_cli.commands.build.show import confirm_cost, print_notes, refusal
from flux_cli.config.dates import timestamp
from flux_cli.core.errors import DiskError, ManifestError
from flux_cli.images import files as disk
from flux_cli.images.names import fixed
from flux_cli.runs import interrupts
from flux_cli.runs.check import identity_of
from flux_cli.runs.given_images import download
from flux_cli.runs.records import store
from flux_cli.runs.spending.access import find_access, require_key
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flux_cli.build.execution.guard import Guard
    from flux_cli.build.options import BuildOptions
    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.project import Project
    from flux_cli.commands.build.session import Planned, Session
    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Json
    from flux_cli.runs.progress.log import Log
    from flux_cli.runs.report import RunResult


def build(options: BuildOptions, projects: list[Project]) -> int:
    """Carry out the plans of all projects, and return the exit code.

    Raises FluxError. What was done until then is in the locks.
    """
    sharing = open_sharing(options, projects)
    with ExitStack() as stack:
        shard = projects[0].division and projects[0].division.shard
        running = {
            folder: stack.enter_context(Running(root, shard))
            for folder, root in roots(projects).items()
        }
        locks = [one.lock_path for one in projects]
        take_arrived(locks)
        for one in projects:
            sweep_unfinished(one, one.lock_path)
        projects = list(map(reopen, projects))
        if sharing:
            projects = list(map(sharing.settle, projects))
        session = open_session(options, projects, sharing)
        if error := refusal(session):
            raise error
        confirm_cost(session)
        print_notes(session)
        work = Work(session, running, list(map(_site, session.planned)))
        review = open_review(session)
        result = work.carry_out()
        session = work.session()
        code = print_result(session, result)
        code = review.finish(code, result) if review else code
        work.end_log(code, result)
        return code


def take_arrived(locks: Sequence[str]) -> None:
    """Keep what has arrived of builds of these locks that were killed."""
    interrupted: dict[str, list[str]] = {}  # by run
    for lock in locks:
        if run := interrupted_run(lock):
            interrupted.setdefault(run, []).append(lock)
    for run, known in interrupted.items():
        fetch_arrived(run, known)


def roots(projects: Sequence[Project]) -> dict[str, str]:
    """The folders of the manifests, in one of their spellings."""
    return {_folder(project.root): project.root for project in projects}


def _folder(root: str) -> str:
    """The one name of a folder, however it was typed."""
    return os.path.realpath(root)


def sweep_unfinished(project: Project, lock: str) -> None:
    """Delete what a killed build of this lock was writing into the folders of a project."""
    if mark := left_mark(lock):
        paths = {path for asset in project.assets.values() for path in asset.files}
        places = [lock, *(place(path, project.root) for path in paths)]
        disk.sweep(places, mark)


def _site(planned: Planned) -> Site:
    steps = [one.step for one in planned.priced]
    return Site(planned.project, planned.files, steps, planned.rows, planned.wishes)


def _current(planned: Planned, steps: Sequence[Step]) -> list[Priced]:
    """The steps of a plan as they are now, with their prices."""
    pairs = zip(planned.priced, steps, strict=True)
    return [one._replace(step=step) for one, step in pairs]


class Work:
    """One build: what it needs, and what it has done."""

    def __init__(self, session: Session, running: dict[str, Running], sites: list[Site]) -> None:
        self._session, self._running, self._sites = session, running, sites
        signer = identity_of(session.settings)
        self._name = store.new_name()
        self._build = Build(self._sites, session.catalog, signer, self._guard())
        if session.sharing:
            self._build.fetch = session.sharing.originals.fetch
        self._signer = signer
        self._result: RunResult | None = None
        self._run = ""
        self._left = {site.lock: interrupted_run(site.lock) for site in self._sites}
        self._log: Log | None = None

    def _guard(self) -> Callable[..., Guard]:
        """What writes files: into folders, or at the address that was typed."""
        overwrite = self._session.options.decisions.overwrite
        if self._session.outputs:
            from flux_cli.build.stores.outputs import StoredFolder

            return partial(StoredFolder, self._session.outputs, overwrite=overwrite)
        folder = disk.Folder(overwrite=True, mark=self._name)
        return partial(GuardedFolder, folder, overwrite=overwrite)

    def carry_out(self) -> Result:
        """Check what can be checked for free, then do everything, and write the locks."""
        hosted = self._session.settings.provider.hosted
        created = timestamp() if hosted else ""  # equal manifests draw equal placeholders
        catalog = self._session.catalog
        catalog.images.download = download if hosted else None
        stages = Stages(self._build, catalog, Tasks(self._session.settings, catalog, created, {}))
        is_paid = bool(stages.total) and hosted
        auth = self._auth(is_needed=is_paid)
        self._preflight(is_paid=is_paid)
        is_left = any(one.interrupted for one in self._running.values())
        if is_left or any(site.steps_to_do() for site in self._sites):
            self._note("")
        self._save_taken_over()
        self._store_left()
        self._start_log()
        interrupts.defer()  # from here on, everything is journaled, saved and listed
        try:
            self._build.move()
            self._build.adopt()
            self._build.remake((REMADE,))
            if stages.total:
                self._request(stages, auth, created)
            self._build.remake(PAID)
            if self._session.options.decisions.prune:
                self._build.prune()
        finally:
            self._save()
        return Result(self._build, self._result, self._run)

    def _start_log(self) -> None:
        """Open the log file, if there is one. Raises OutputError before anything is done."""
        path = self._session.options.access.log_file
        if path is None:
            return
        from flux_cli.runs.progress.log import Log

        self._log = Log(path, self._name, messages.err)
        manifests: list[Json] = [one.project.path for one in self._session.planned]
        self._log.start(self._session.settings.provider.name, {"manifests": manifests})

    def end_log(self, code: int, result: Result) -> None:
        """Log the result and close the log."""
        if self._log:
            self._log.end(result.log_facts(code))

    def _auth(self, *, is_needed: bool) -> Auth | None:
        """The key, if one is needed. Raises AuthError without one."""
        if not is_needed:
            return None
        settings, no_key = self._session.settings, self._session.options.access.no_key
        auth = find_access(settings, no_key=no_key)
        require_key(auth, settings, no_key=no_key)
        return auth

    def _preflight(self, *, is_paid: bool) -> None:
        """Check that every folder can be written to. Raises OutputError."""
        places = [place for site in self._sites for place in site.places()]
        if places:
            locks = [site.lock for site in self._sites]
            names = map(fixed, [*places, *locks])
            room = store.ROOM if is_paid else 0
            disk.preflight(
                names, None, overwrite=True, skip_existing=False, room=room, option="the key output"
            )

    def session(self) -> Session:
        """The session with what became of its steps: some may wait for others that failed."""
        planned = [
            one._replace(priced=_current(one, site.steps))
            for one, site in zip(self._session.planned, self._sites, strict=True)
        ]
        return self._session._replace(planned=planned)

    def _request(self, stages: Stages, auth: Auth | None, created: str) -> None:
        """Send all requests, and keep what arrives."""
        self._run = self._name if self._session.settings.provider.hosted else ""
        self._note(self._run)
        run = Run(self._name, created, auth, self._signer, self._log)
        self._result = send_requests(self._session, self._build, stages, run)

    def _note(self, run: str) -> None:
        """Write down in each folder that its locks are about to change."""
        for folder, one in self._running.items():
            locks = [site.lock for site in self._sites if _folder(site.root) == folder]
            one.note(run, locks, self._name)

    def _save_taken_over(self) -> None:
        """Write what a killed build has left into the locks: a second kill must not lose it.

        Raises DiskError, before anything is sent.
        """
        for site in self._sites:
            if site.planned_rows != site.project.lock.rows:
                site.save(self._name)
                site.pending.forget()

    def _store_left(self) -> None:
        """Store what an earlier build has paid for and did not come to store."""
        if sharing := self._session.sharing:
            for site in self._sites:
                if run := self._left.get(site.lock):
                    self._build.unstored |= sharing.store_left(site, run)
            self._build.errors |= self._build.unstored

    def _save(self) -> None:
        """Write each lock if it differs; what was pending is in it.

        Originals are deleted only then: another lock of this build may need them.
        """
        saved: list[Site] = []
        for site in self._sites:
            try:
                site.save(self._name)
            except DiskError as error:
                self._build.errors[site.lock] = error
                self._running[_folder(site.root)].keep(site.lock)
                continue
            site.pending.forget()
            saved.append(site)
            if self._build.unstored.keys() & site.rows.keys():
                self._running[_folder(site.root)].keep(site.lock)
        for site in saved:
            if site.project.division is None:  # another shard may be about to need an original
                self._clean_up(site)

    def _clean_up(self, site: Site) -> None:
        """Delete originals that nothing needs. A lock that cannot be read may need any."""
        try:
            if not site.project.manifest.originals:
                unmade = unfinished(site.project.assets, site.rows)
                delete_originals(site.root, unmade | needed(site.root, but=site.lock))
            if self._session.options.decisions.prune_originals:
                self._build.paths += delete_originals(site.root, needed(site.root))
        except ManifestError as error:
            self._build.errors[site.lock] = error
