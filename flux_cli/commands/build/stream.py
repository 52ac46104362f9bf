"""`flux build FILE.jsonl --ledger DIR`: plan all lines, then build those with work to do, in parts.

Each part is a build of its own, with a run and a journal: a killed build leaves one part to settle.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

from flux_cli.build.execution.running import Running
from flux_cli.build.execution.site import Site
from flux_cli.build.execution.takeover import REFUSALS
from flux_cli.build.lock.file import is_unfinished
from flux_cli.build.shards.division import in_shard
from flux_cli.build.shards.rate import check_rate
from flux_cli.build.stream.index import Index
from flux_cli.build.stream.ledger import Writer, notes_path, part_name
from flux_cli.build.stream.options import checked_options
from flux_cli.build.stream.plans import ROOT, Plans
from flux_cli.build.stream.source import open_source
from flux_cli.build.stream.spending import read_spending
from flux_cli.build.stream.survey import Survey
from flux_cli.build.stream.takeover import project_of, refuse_other_division, settle
from flux_cli.commands.build.make import Work
from flux_cli.commands.build.report import exit_code
from flux_cli.commands.build.session import (
    Planned,
    Session,
    machine_notes,
    price_step,
    read_limit,
    read_settings,
)
from flux_cli.commands.build.sharing import open_elsewhere
from flux_cli.commands.build.show import confirm_cost, print_notes, refusal
from flux_cli.commands.build.stream_report import WrongLines, print_result, print_survey
from flux_cli.config.dates import timestamp
from flux_cli.core.errors import ManifestError, NetworkError, UnclearError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import show_amount
from flux_cli.runs.failures import ClaimedError
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.options import BuildOptions
    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.shards.division import Shard
    from flux_cli.build.stream.options import Typed
    from flux_cli.commands.build.report import Result
    from flux_cli.config.load import Settings
    from flux_cli.core.errors import FluxError

AT_ONCE = 2000  # assets of one part: a journal is read as a whole
TRIED = 100  # lines with work to do that are checked completely before anything is sent


def run_stream(options: BuildOptions, shard: Shard | None) -> int:
    """Build, show the plan, or check, and return the exit code. Raises FluxError."""
    typed = checked_options(options)
    if shard and shard.shards == 1:
        shard = None
    with ExitStack() as stack:
        build = _StreamBuild(typed, Place(typed.ledger, shard), stack)
        if options.mode.plan or options.mode.check:
            return build.show()
        return build.carry_out()


class Place(NamedTuple):
    """Where the rows of a build go."""

    ledger: str
    shard: Shard | None

    @property
    def part(self) -> str:
        return part_name(self.shard)

    @property
    def notes(self) -> str:
        return notes_path(self.ledger, self.part)


class _LedgerSite(Site):
    """The lines of one part of the build, whose rows go into the ledger."""

    writer: Writer

    def save(self, mark: str) -> None:  # noqa: ARG002 - rows are appended
        """Append the rows that differ. Raises DiskError."""
        before = self.planned_rows
        self.writer.add({name: row for name, row in self.rows.items() if before.get(name) != row})


class _StreamBuild:
    """One command: its lines, its ledger, and what was done so far."""

    def __init__(self, typed: Typed, place: Place, stack: ExitStack) -> None:
        options, path = typed.options, typed.path
        self._options, self._place, self._stack = options, place, stack
        self._elsewhere = open_elsewhere(options, typed.address)
        self._settings: Settings = read_settings(options)
        self._lock = place.notes
        self._file = open_source(path, stack)
        if self._elsewhere.sharing:
            self._elsewhere.sharing.segments.fetch(place.ledger)
        self._index = stack.enter_context(Index(place.ledger, own=place.part))
        self._plans = Plans(path, self._file, self._index, options, self._settings, self._elsewhere)
        project = project_of(path, self._lock, {}, {})
        self._limit = read_limit(options, self._settings, [project])
        self._wrong = WrongLines()
        self._notes: list[str] = []
        self._is_complete = False  # whether nothing is left that would be requested again

    def show(self) -> int:
        """Print the plan or the check."""
        survey = self._survey()
        session = self._session(survey.listed, self._limit, survey)
        if is_unfinished(self._lock):
            messages.err("flux: note: a build was killed here; the next one settles it first")
        print_notes(session)
        return print_survey(session, survey, is_left=is_unfinished(self._lock))

    def carry_out(self) -> int:
        """Settle what a killed build has left, plan, and build part by part."""
        running = self._stack.enter_context(Running(ROOT, self._place.shard))
        refuse_other_division(self._place.ledger, self._place.part)
        writer = self._stack.enter_context(Writer(self._place.ledger, self._place.part, self._copy))
        if is_unfinished(self._lock):
            settle(self._plans, self._index, writer, self._lock)
            running.note("", [self._lock], "")  # it is settled even if nothing else is to be done
        survey = self._survey()
        session = self._session(survey.listed, self._limit, survey)
        is_known = self._limit is not None and not survey.cost.unknown
        is_partial = self._options.limits.partial and is_known
        error = refusal(session)
        if error and not is_partial:
            error.message = "; ".join([error.message, *self._notes])
            raise error
        confirm_cost(session)
        print_notes(session)
        self._check_outputs(session)
        results = self._build_parts(survey, running, writer)
        code = print_result(session, survey, results, self._wrong)
        if self._is_complete and self._place.shard:
            writer.mark(timestamp())
        return code

    def _copy(self, data: bytes) -> None:
        """Store what was appended to the ledger. What fails is in claims, and on this disk."""
        if sharing := self._elsewhere.sharing:
            try:
                sharing.segments.put(self._place.part, data)
            except NetworkError as error:
                messages.err(f"flux: warning: {error.message}; the ledger on this disk has it")

    def _check_outputs(self, session: Session) -> None:
        """Raise NetworkError if no file can be written at the address of the outputs."""
        store, steps = self._elsewhere.outputs, [one.step for one in session.planned[0].priced]
        paths = [path for step in steps for path in step.make]
        if store and paths:
            from flux_cli.build.stores.outputs import check_writable

            check_writable(store, paths[0])

    def _survey(self) -> Survey:
        """Plan all lines. Raises ManifestError if none of the first hundred is right."""
        survey, plans = Survey(), self._plans
        for line in plans.lines():
            try:
                asset = plans.asset(line)
                if not plans.is_selected(asset):
                    survey.unselected += 1
                    continue
                step = plans.first_step(line, asset)
                if not self._owns(asset.name):
                    survey.others += 1
                    continue
                priced = plans.priced(step)
                if priced.step.is_requested and survey.cost.requests < TRIED:
                    priced = self._try(priced)
            except UsageError as error:
                survey.wrong += 1
                self._wrong.add(error)
                if survey.is_empty and survey.wrong == TRIED:
                    break
            else:
                survey.add(line, priced)
        if survey.wrong and survey.is_empty:
            raise self._wrong.first
        self._wrong.show()
        if survey.is_empty:
            raise ManifestError(f"{plans.path} has no lines", hint="write one JSON object per line")
        self._limit = self._left_of(survey)
        return survey

    def _left_of(self, survey: Survey) -> float | None:
        """What may still be spent: of a shard, its share without what it has spent already."""
        limit, shard = self._limit, self._place.shard
        if limit is None or shard is None:
            return limit
        share = limit * survey.share
        spent = read_spending(self._place.ledger, self._place.part).most(survey.cost.prices)
        if spent:
            amounts = f"{show_amount(spent)} of its {show_amount(share)} USD"
            self._notes.append(f"shard {shard.text} has already spent {amounts}")
        return max(0.0, share - spent)

    def _owns(self, name: str) -> bool:
        shard = self._place.shard
        return shard is None or in_shard(name, shard, {})

    def _try(self, priced: Priced) -> Priced:
        """The step, if everything of it is right. Raises UsageError."""
        from flux_cli.build.execution.requests import Tasks

        whole = price_step(priced.step, self._plans.catalog, ROOT)
        if whole.step.is_requested:
            Tasks(self._settings, self._plans.catalog, "", {}).task(1, whole.step, self._lock)
        return whole

    def _session(
        self, priced: list[Priced], limit: float | None, survey: Survey | None = None
    ) -> Session:
        """What the other modules of the command need to know."""
        assets = {one.step.name: one.step.wanted for one in priced}
        rows = {one.step.name: one.step.row for one in priced if one.step.row}
        project = project_of(self._plans.path, self._lock, assets, rows, self._place.shard)
        total = survey.cost if survey else None
        plans, files = self._plans, self._elsewhere.files()
        for row in rows.values():
            files.trust(row.files)
        planned = Planned(project, rows, files, priced, plans.wishes, limit, total=total)
        check_rate(self._settings, plans.catalog, [project])
        notes = messages.note_lines((
            *self._settings.notes,
            *(plans.notes | plans.catalog.notes),
            *machine_notes(self._options, [planned]),
        ))  # fmt: skip
        return Session(
            self._options,
            self._settings,
            plans.catalog,
            [planned],
            limit,
            limit,
            (*self._notes, *notes),
            self._elsewhere.sharing,
            self._elsewhere.outputs,
        )

    def _build_parts(self, survey: Survey, running: Running, writer: Writer) -> Iterator[Result]:
        """Build part by part, until all is done, or something stops it."""
        limit, places = self._limit, survey.todo
        is_complete = not (survey.unselected or self._options.access.offline)
        while several := list(islice(places, AT_ONCE)):
            session = self._session(list(self._steps(several)), limit)
            (planned,) = session.planned
            steps = [one.step for one in planned.priced]
            site = _LedgerSite(planned.project, planned.files, steps, planned.rows, planned.wishes)
            site.writer = writer
            work = Work(session, {os.path.realpath(ROOT): running}, [site])
            result = work.carry_out()
            work.end_log(exit_code(session, result), result)
            yield result
            is_complete = is_complete and all(map(_is_settled, result.build.errors.values()))
            if limit is not None:
                cost = result.cost_usd
                limit = max(0.0, limit - (planned.cost.known_usd if cost is None else cost))
        self._is_complete = is_complete

    def _steps(self, places: list[tuple[int, int]]) -> Iterator[Priced]:
        """The steps of these lines, each checked completely."""
        for number, place in places:
            line = self._plans.line_at(number, place)
            try:
                step = self._plans.step(self._plans.asset(line))
                yield self._try(self._plans.priced(step))
            except UsageError as error:
                self._wrong.add(error)
                self._wrong.show()


def _is_settled(error: FluxError) -> bool:
    """Whether the next build would not request it again: it was refused, or may be billed."""
    return error.billed or isinstance(error, (*REFUSALS, UnclearError, ClaimedError))
