"""What a build shares with other machines: its originals, and the claims of its requests."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flux_cli.build.execution.outputs import read_original
from flux_cli.build.execution.takeover import REFUSALS
from flux_cli.build.lock.rows import Row, Trouble
from flux_cli.build.references.binding import bind, bind_to_rows, originals_of
from flux_cli.build.stores.claims import Claims, Wanted, is_settled
from flux_cli.build.stores.originals import StoredOriginals
from flux_cli.build.stores.segments import Segments
from flux_cli.build.stores.texts import LARGEST, read_claim, row_text
from flux_cli.core.errors import FluxError, NetworkError
from flux_cli.runs.records import store as records
from flux_cli.runs.records.listing import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flux_cli.build.execution.originals import Keeper
    from flux_cli.build.execution.site import Site
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.project import Project
    from flux_cli.build.stores.store import Store
    from flux_cli.core.outcome import Outcome
    from flux_cli.runs.job import Original as Received

WITHOUT_EFFECT = ("not_sent", "failed")  # states of a request that was certainly not billed
LEFT = "the original is kept on this machine: build again here; other machines wait for it"


class Sharing:
    """The store of one build, and what it has of the originals."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.originals, self.segments = StoredOriginals(store), Segments(store)

    def run(
        self, steps: Iterable[tuple[Site, Step]], keeper: Keeper, run: str, time: str
    ) -> Shared:
        """What the requests of a run share."""
        wanted, by_name = {}, {}
        for site, step in steps:
            wanted[step.name], by_name[step.name] = _wanted(site, step), step
        claims = Claims(self._store, wanted, run, time, Unsent())
        return Shared(claims, self.originals, keeper, by_name)

    def settle(self, project: Project) -> Project:
        """The project without the unclear requests that have become clear in the store."""
        rows = dict(project.lock.rows)
        assets = bind_to_rows(project.assets, rows)
        for name, row in rows.items():
            if asset := assets.get(name):
                rows[name] = self.settled(asset, row)
        return project._replace(lock=project.lock._replace(rows=rows))

    def settled(self, asset: Asset, row: Row) -> Row:
        """The row of an asset without an unclear request that has become clear in the store."""
        trouble = row.unclear
        if trouble is None or trouble.request != asset.request:
            return row
        is_clear = is_settled(self._store, Wanted(asset, row.take), trouble)
        return row._replace(unclear=None) if is_clear else row

    def store_left(self, site: Site, run: str) -> dict[str, FluxError]:
        """Store the originals that an earlier build did not come to store. Returns failures."""
        errors: dict[str, FluxError] = {}
        for name, row in site.rows.items():
            if row.generated.get("run") == run:
                try:
                    self._store_one(site, name, row, run)
                except FluxError as error:
                    errors[name] = error
        return errors

    def _store_one(self, site: Site, name: str, row: Row, run: str) -> None:
        asset = site.project.assets.get(name)
        asset = asset and bind(asset, originals_of(asset, site.rows))
        if asset is None or row.original is None or row.request != asset.request:
            return
        path = Wanted(asset, row.take).path
        found = self._store.get(path, LARGEST)
        if found and read_claim(found.data, asset.request).run == run:
            self.originals.put(row.original, read_original(site.root, row.original))
            self._store.replace(path, row_text(name, row._replace(files={})), found)


class Shared:
    """What the requests of one run share. Called as the keeper of the run's originals."""

    def __init__(
        self,
        claims: Claims,
        originals: StoredOriginals,
        keeper: Keeper,
        steps: Mapping[str, Step],
    ) -> None:
        self.claims, self._originals, self.keeper = claims, originals, keeper
        self._steps = steps
        self.errors: dict[str, FluxError] = {}  # by asset: paid for, but not in the store

    def __call__(self, received: Received) -> str:
        """Keep an original here and in the store. Raises DiskError, if it is not even here."""
        place = self.keeper(received)
        name = received.task.key
        row = self.keeper.rows[name]
        try:
            if row.original:
                self._originals.put(row.original, received.data)
            self.claims.finish(name, row)
        except NetworkError as error:
            error.hint = LEFT
            self.errors[name] = error
        return place

    def end(self, outcomes: Iterable[Outcome], run: str) -> list[Outcome]:
        """Settle the claims of requests that failed, and return the outcomes of our own requests.

        A claim that cannot be deleted stays: the next build on this machine takes it over.
        """
        own = []
        for outcome in outcomes:
            name, error = outcome.key, outcome.error
            if name in self.claims.found or name in self.claims.waiting:
                continue
            own.append(outcome)
            if error is None or name in self.keeper.rows:
                continue
            with contextlib.suppress(NetworkError):
                if isinstance(error, REFUSALS):
                    trouble = Trouble("", run, outcome.call.number, error.code)
                    self.claims.finish(name, self._refused(name, trouble))
                elif not error.billed:
                    self.claims.release(name)
        return own

    def _refused(self, name: str, trouble: Trouble) -> Row:
        step = self._steps[name]
        request = step.wanted.request
        return Row(request, step.resolved, refused=trouble._replace(request=request))


class Unsent:
    """Tells which requests of earlier runs of this machine certainly had no effect."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[int] | None] = {}  # numbers that may have had an effect

    def __call__(self, run: str, number: int) -> bool:
        if run not in self._known:
            self._known[run] = _billable(run)
        billable = self._known[run]
        return billable is not None and number not in billable


def _billable(run: str) -> frozenset[int] | None:
    """The requests of an earlier run that may have had an effect; None if it is not known here."""
    path = records.runs_folder() / f"{run}{records.SUFFIX}"
    if not records.is_run_name(run) or not path.is_file() or records.is_held(path) is not False:
        return None
    try:
        past = read_journal(path, with_replies=False)
    except OSError:
        return None
    if past is None or past.damaged or not isinstance(past.facts.get("locks"), list):
        return None
    return frozenset(
        call.number for call in past.calls if call.is_paid or call.state not in WITHOUT_EFFECT
    )


def _wanted(site: Site, step: Step) -> Wanted:
    """What a step requests. --reroll alone leads to a request that has failed before."""
    row, asset = step.row, step.wanted
    troubles = (row.unclear, row.refused) if row else ()
    decided = [one for one in troubles if one and one.request == asset.request]
    return Wanted(asset, site.owner(step).row.take, decided[0] if decided else None)
