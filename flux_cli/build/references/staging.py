"""Makes the requests of a build stage by stage: first those whose references are there.

A later stage begins when all requests of the one before have ended. Its assets are planned again
with the originals that have arrived: one whose request turns out to be the same is not requested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.asset import Planner
from flux_cli.build.planning.steps import OPEN, PAID
from flux_cli.build.references.binding import bind, originals_of
from flux_cli.build.references.waiting import NOT_MADE, waiting
from flux_cli.core.errors import FluxError, NotSentError
from flux_cli.runs.failures import stops_run
from flux_cli.runs.interrupts import has_come

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.execution.build import Build
    from flux_cli.build.execution.requests import Tasks
    from flux_cli.build.execution.site import Site
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.pricing import Catalog
    from flux_cli.runs.job import Task
    from flux_cli.runs.report import RunResult

INTERRUPTED = "interrupted before it was sent"


class Stages:
    """The tasks of one build. Everything about them that can be checked is checked at once.

    Raises ManifestError for what the provider does not accept.
    """

    def __init__(self, build: Build, catalog: Catalog, maker: Tasks) -> None:
        self._build, self._catalog, self._maker = build, catalog, maker
        requested = list(build.requested())
        self._numbers = {step.name: number for number, (_, step) in enumerate(requested, 1)}
        self._last = max((step.stage for _, step in requested), default=-1)
        self._stopped = ""  # why nothing more is sent
        self.first: list[Task] = []  # the tasks of the first stage
        for site, step in requested:
            task = self._task(site, step)
            if step.stage == 0:
                self.first.append(task)

    @property
    def total(self) -> int:
        """How many requests the plan has."""
        return len(self._numbers)

    def tasks(self) -> Iterator[list[Task]]:
        """The tasks of each stage. `note` must have the result before the next one is taken."""
        for stage in range(self._last + 1):
            tasks = self.first if stage == 0 else list(self._later(stage))
            if tasks:
                yield tasks
            self._build.remake(PAID, stage)

    def note(self, result: RunResult) -> None:
        """Note what ended a stage: nothing is sent after Ctrl-C, or without a good key."""
        if result.interrupted:
            self._stopped = INTERRUPTED
        for outcome in result.outcomes:
            if outcome.error and not self._stopped and stops_run(outcome.error):
                self._stopped = f"not sent, because {outcome.key} failed: {outcome.error.code}"

    def _task(self, site: Site, step: Step) -> Task:
        return self._maker.task(self._numbers[step.name], step, site.lock)

    def _later(self, stage: int) -> Iterator[Task]:
        """The tasks of the assets of a later stage whose references are there now."""
        if has_come():
            self._stopped = INTERRUPTED
        for site in self._build.sites:
            for step in [one for one in site.steps if one.stage == stage and one.sign in PAID]:
                current = self._settle(site, step)
                if current is None or not current.is_requested:
                    continue
                try:
                    yield self._task(site, current)
                except FluxError as error:  # of the image that has arrived: all else was checked
                    self._build.errors[step.name] = error

    def _settle(self, site: Site, step: Step) -> Step | None:
        """The step with the originals that have arrived; None if it cannot be done."""
        if self._stopped:
            self._build.errors[step.name] = NotSentError(self._stopped)
            return None
        missing = [name for name in step.awaits if name not in self._build.arrived]
        if missing:
            site.replace(step, waiting(step, missing[0], NOT_MADE))
            return None
        asset = bind(step.wanted, originals_of(step.wanted, site.rows))
        if step.twin:
            return site.replace(
                step, step._replace(asset=asset, resolved=self._catalog.resolve(asset))
            )
        planner = Planner(site.files, site.wishes, self._catalog.resolve)
        again = planner.plan(asset, site.rows.get(step.was), step.was)
        resolved = again.resolved or self._catalog.resolve(asset)
        again = again._replace(resolved=resolved, stage=step.stage, awaits=step.awaits)
        site.replace(step, again)
        if again.sign not in PAID and again.sign not in OPEN:
            self._build.finish_unchanged(site, again)
            self._fetch(site, again)
        return again

    def _fetch(self, site: Site, step: Step) -> None:
        """Get the original of an asset that was to be requested, and was not: others need it."""
        row = site.rows.get(step.name)
        try:
            if row and row.original:
                self._build.fetch(site.root, row.original)
        except FluxError as error:
            self._build.errors[step.name] = error
