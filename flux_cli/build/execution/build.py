"""Carries out the plans of one or several projects, and keeps their rows up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.disk import place
from flux_cli.build.execution.adoption import adopt_files
from flux_cli.build.execution.moves import delete_files, move_files
from flux_cli.build.execution.outputs import left_files, made_files, remake
from flux_cli.build.execution.takeover import REFUSALS
from flux_cli.build.lock.rows import Row, Trouble
from flux_cli.build.planning.outcome import Made, recorded
from flux_cli.build.planning.steps import MOVED, ORPHAN, PAID, REMADE, SAME
from flux_cli.build.references.binding import bind, originals_of
from flux_cli.core.errors import (
    DiskError,
    FluxError,
    Interrupted,
    NotSentError,
    UnclearError,
)
from flux_cli.images.threads import Threads
from flux_cli.runs.interrupts import has_come
from flux_cli.runs.saving.convert import count_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from flux_cli.build.execution.guard import Guard
    from flux_cli.build.execution.originals import Keeper
    from flux_cli.build.execution.site import Site
    from flux_cli.build.lock.rows import File, Original
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.pricing import Catalog
    from flux_cli.core.outcome import Outcome
    from flux_cli.images.signing import Identity

    Note = Callable[[str, File], None]
    Fetch = Callable[[str, Original], None]

CLAIMED_BY = "run {} claimed its request (number {}), and has not stored the image"
AGAIN = "build again once that run has ended; see flux recover there, or --reroll pays again"
KEPT = "its original is kept: fix this, and build again for free"


class Build:
    """The work of one command on all its sites. Failures are collected, and do not stop it."""

    def __init__(
        self,
        sites: list[Site],
        catalog: Catalog,
        signer: Identity | None,
        guard: Callable[[Mapping[str, File], Note], Guard],
    ) -> None:
        self.sites, self._catalog, self._signer = sites, catalog, signer
        self.paths: list[str] = []  # of the files that were written or moved
        self.done: set[str] = set()  # names of assets for which something was done
        self.errors: dict[str, FluxError] = {}  # by asset
        self.arrived: set[str] = set()  # assets whose originals this build has got
        self.unstored: dict[str, FluxError] = {}  # assets whose originals a store still lacks
        self._arrived: Mapping[str, Row] = {}  # what was requested, by asset
        self._shared: Mapping[str, Row] = {}  # what other machines had requested, by asset
        self.fetch: Fetch = lambda _root, _original: None  # keeps an original of a store
        known = dict(pair for site in sites for pair in site.known())
        self._targets = dict(pair for site in sites for pair in site.targets())
        self.sink = guard(known, self._note)

    def requested(self) -> Iterator[tuple[Site, Step]]:
        """The steps that send a request, in their order."""
        for site in self.sites:
            for step in site.steps:
                if step.is_requested:
                    yield site, step

    def _note(self, place: str, file: File) -> None:
        """Note a file of an asset that is about to be written. Raises DiskError."""
        if target := self._targets.get(place):
            target.site.pending.add_file(target.path, file._replace(output=target.output))

    def move(self) -> None:
        """Move files, and update the rows that only changed their words."""
        for site, step in self._steps((MOVED, REMADE, SAME)):
            if not step.moves and not step.is_updated and step.was == step.name:
                continue
            if step.adopted or (step.sign == REMADE and step.twin):
                continue
            self._attempt(site, step, self._move_one)

    def adopt(self) -> None:
        """Take over files that a person accepts."""
        adopted = [one for one in self._steps((REMADE, SAME)) if one[1].adopted]
        for site, step in sorted(adopted, key=lambda one: one[1].stage):
            self._attempt(site, step, self._adopt_one)

    def _adopt_one(self, site: Site, step: Step) -> None:
        if step.awaits:
            asset = bind(step.wanted, originals_of(step.wanted, site.rows))
            resolved = self._catalog.resolve(asset)
            step = site.replace(step, step._replace(asset=asset, resolved=resolved))
        self.arrived.add(step.name)
        site.finish(step, adopt_files(step, site.files))
        self.done.add(step.name)

    def _move_one(self, site: Site, step: Step) -> None:
        moved = move_files(step, site.files)
        site.finish(step, Made())
        self.paths += moved
        self.done.add(step.name)

    def finish_unchanged(self, site: Site, step: Step) -> None:
        """Do what is left for an asset whose request is the one of its row."""
        if step.moves or step.is_updated or step.was != step.name:
            self._attempt(site, step, self._move_one)
        if step.make:
            self._remake(site, step)
        self.arrived.add(step.name)

    def remake(self, signs: Collection[str], last_stage: int | None = None) -> None:
        """Make files of the steps with these signs from originals, on all cores, each once."""
        chosen = [
            (site, step)
            for site, step in self._steps(signs)
            if step.make and self._has_image(step) and step.name not in self.errors
            if last_stage is None or step.stage <= last_stage
            if not (self._is_lent(step) and step.name in self.arrived)
        ]
        if not chosen:
            return
        pool = Threads(max(1, min(count_cores(), len(chosen))))
        with pool:
            for running in [pool.submit(self._remake, *one) for one in chosen]:
                running.result()

    def _has_image(self, step: Step) -> bool:
        """Whether the files of a step are made without a request."""
        return not step.is_requested or step.name in self._shared

    def _is_lent(self, step: Step) -> bool:
        """Whether the image of a step is that of another asset or machine."""
        return bool(step.twin) or step.name in self._shared

    def _remake(self, site: Site, step: Step) -> None:
        if has_come():
            self.errors[step.name] = Interrupted("interrupted before its files were made")
        else:
            self._attempt(site, step, self._remake_one)

    def _remake_one(self, site: Site, step: Step) -> None:
        asset = step.wanted
        row = self._lender(site, step)
        if row is None or row.original is None:
            message = "not made, because the image that it shares was not"
            raise NotSentError(message if step.twin else "the original is not available")
        self.fetch(site.root, row.original)
        model = self._catalog.model(asset)
        name = model.id if model else str(asset.settings.parameters["model"])
        files = remake(step, row, row.original, name, site.root, self.sink, self._signer)
        made = Made(files)
        if step.name in self._shared:
            self._finish_shared(site, step, row, files)
        elif step.twin:
            shared = {key: value for key, value in row.generated.items() if key != "cost_usd"}
            made = Made(files, row.original, shared, is_placeholder=row.placeholder)
            site.finish(step, made)
            self.arrived.add(step.name)
        else:
            current = step._replace(row=site.rows[step.name], was=step.name, moves=())
            site.finish(current, made)
        self._wrote(site, step.name, files)

    def _finish_shared(self, site: Site, step: Step, row: Row, files: dict[str, File]) -> None:
        site.finish(step, Made(files, row.original, row.generated))
        self.arrived.add(step.name)

    def _lender(self, site: Site, step: Step) -> Row | None:
        """The row of whose original the files of a step are made.

        A twin that shares a request gets what has arrived for it in this build, and nothing else.
        Any other gets the image of the row that the plan saw: this build may change or rename it.
        """
        if step.name in self._shared:
            return self._shared[step.name]
        if not step.twin:
            return site.rows.get(step.name)
        return (self._arrived if step.sign in PAID else site.planned_rows).get(step.twin)

    def take_shared(self, shared: Mapping[str, Row], unclear: Mapping[str, Trouble]) -> None:
        """Take what other machines have made, and note what they may still be requesting."""
        made = {name: row for name, row in shared.items() if row.original}
        self._shared, self._arrived = {**self._shared, **made}, {**self._arrived, **made}
        for site, step in list(self.requested()):
            if step.name in made:
                if not step.make:  # a candidate has no files
                    self._finish_shared(site, step, made[step.name], {})
                continue
            if row := shared.get(step.name):
                self._mark_trouble(site, step, refused=row.refused)
                code = row.refused.code if row.refused else ""
                self.errors[step.name] = NotSentError(f"another machine was refused it ({code})")
            elif trouble := unclear.get(step.name):
                self._mark_trouble(site, step, unclear=trouble)
                self.errors[step.name] = UnclearError(CLAIMED_BY.format(*trouble[1:3]), hint=AGAIN)

    def take_outcomes(self, outcomes: Iterable[Outcome], keeper: Keeper, run: str) -> None:
        """Update the rows of the assets that were requested."""
        self._arrived = {**keeper.rows, **self._shared}
        steps = {step.name: (site, step) for site, step in self.requested()}
        for outcome in outcomes:
            site, step = steps[outcome.key]
            self._take(site, step, outcome, keeper.rows.get(step.name))
            error = outcome.error
            if error and step.name not in keeper.rows:
                self._mark(site, step, error, run, outcome.call.number)

    def _take(self, site: Site, step: Step, outcome: Outcome, kept: Row | None) -> None:
        """The row of an image that has arrived, with those of its files that were made."""
        if outcome.error:
            self.errors[step.name] = outcome.error
        if kept is None:
            return
        self.arrived.add(step.name)
        if outcome.error:
            outcome.error.billed = False
            outcome.error.hint = KEPT
        files = made_files(step.wanted, step.make, self.sink.written, site.root)
        self._wrote(site, step.name, files)
        left = left_files(step, files, site.files)
        site.put(step, kept._replace(files={**left, **kept.files, **files}))

    def _mark(self, site: Site, step: Step, error: FluxError, run: str, number: int) -> None:
        """Note in the row that a request must not be repeated. The rest of the row stays."""
        is_refused = isinstance(error, REFUSALS)
        is_unclear = error.billed and not is_refused
        if not (is_refused or is_unclear) or not run:
            return
        trouble = Trouble(step.wanted.request, run, number, error.code)
        if is_refused:
            self._mark_trouble(site, step, refused=trouble)
        else:
            self._mark_trouble(site, step, unclear=trouble)

    def _mark_trouble(
        self,
        site: Site,
        step: Step,
        *,
        refused: Trouble | None = None,
        unclear: Trouble | None = None,
    ) -> None:
        asset = step.wanted
        row = step.row or Row(
            asset.request, step.resolved, recorded(asset, shows_prompts=site.shows_prompts)
        )
        row = row._replace(refused=refused or row.refused, unclear=unclear or row.unclear)
        site.put(step, row)

    def prune(self) -> None:
        """Delete files that are no longer in the manifest, and the rows that have none left."""
        for site, step in self._steps((ORPHAN,)):
            row = site.rows.get(step.name)
            if row is None:
                continue
            try:
                deleted = delete_files(step.orphans, row.files, site.files)
            except DiskError as error:
                self.errors[step.name] = error
                continue
            gone = [path for path in row.files if not site.files.exists(path)]
            self.paths += [place(path, site.root) for path in deleted]
            left = {path: file for path, file in row.files.items() if path not in gone}
            if step.group or left:
                site.rows[step.name] = row._replace(files=left)
            else:
                del site.rows[step.name]

    def _steps(self, signs: Collection[str]) -> Iterator[tuple[Site, Step]]:
        for site in self.sites:
            for step in site.steps:
                if step.sign in signs:
                    yield site, step

    def _attempt(self, site: Site, step: Step, work: Callable[[Site, Step], None]) -> None:
        """Do something for one asset. Its failure does not stop the others."""
        try:
            work(site, step)
        except FluxError as error:
            self.errors[step.name] = error
        except OSError as fault:
            self.errors[step.name] = DiskError(f"{step.name}: {fault.strerror or fault}")

    def _wrote(self, site: Site, name: str, files: dict[str, File]) -> None:
        self.paths += [place(path, site.root) for path in files]
        self.done.add(name)
        for path in files:
            site.files.forget(path)
