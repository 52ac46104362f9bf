"""What `flux build` works on: the projects, the settings, and the plan of each project."""

from __future__ import annotations

import fnmatch
import time
from typing import TYPE_CHECKING

from flux_cli.build.candidates.choices import rerolled as with_candidates
from flux_cli.build.candidates.picks import picked, read_picks
from flux_cli.build.disk import Files
from flux_cli.build.lock.file import is_unfinished
from flux_cli.build.planning.cost import Priced, check_option, cost_of, fitting, lowest
from flux_cli.build.planning.plan import chosen_rows, plan_assets
from flux_cli.build.planning.retirement import retirement_note
from flux_cli.build.planning.steps import PAID, Wishes
from flux_cli.build.pricing import Catalog
from flux_cli.build.references.binding import bind_to_rows
from flux_cli.build.selection import is_pattern, matches, select
from flux_cli.build.shards.budget import cost_of_whole, left_to_spend
from flux_cli.build.shards.rate import check_rate
from flux_cli.config.load import DEFAULT, load_settings
from flux_cli.config.settings import BY_NAME, parse_setting
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import counted, read_amount
from flux_cli.providers.rows import ROWS
from flux_cli.runs.spending.limits import Bill
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.options import BuildOptions
    from flux_cli.build.planning.cost import Cost
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.project import Project
    from flux_cli.build.shards.budget import Whole
    from flux_cli.build.stores.sharing import Sharing
    from flux_cli.build.stores.store import Store
    from flux_cli.config.load import Settings
    from flux_cli.core.model import Json
    from flux_cli.core.request import Note

RUN_SETTINGS = ("concurrency", "timeout", "retries", "progress")
# Settings that describe images: they do not apply here, because a manifest says it all.
UNUSED = ("model", "output", "output_format", "metadata")


class Planned(NamedTuple):
    """One project with its plan."""

    project: Project
    rows: Mapping[str, Row]  # of the lock, and of a build that was killed
    files: Files
    priced: list[Priced]
    wishes: Wishes
    limit: float | None = None  # what this project may cost, in USD, of a shard its share
    whole: Whole | None = None  # of a shard: the cost of all
    common_limit: float | None = None  # of a shard: what all may cost
    total: Cost | None = None  # the cost, if `priced` is only a part of the plan

    @property
    def cost(self) -> Cost:
        return self.total or cost_of(self.priced)


class Session(NamedTuple):
    """Everything that one command line needs."""

    options: BuildOptions
    settings: Settings
    catalog: Catalog
    planned: list[Planned]
    limit: float | None  # of the whole command, besides those of the manifests; a shard's share
    common_limit: float | None  # the same before it is shared
    notes: tuple[str, ...]
    sharing: Sharing | None = None  # with other machines
    outputs: Store | None = None  # where files are written, if not on this machine

    @property
    def cost(self) -> Cost:
        if len(self.planned) == 1:
            return self.planned[0].cost
        return cost_of(one for planned in self.planned for one in planned.priced)

    @property
    def bill(self) -> Bill:
        """What a person confirms: the cost of all shards, if this one sends anything."""
        own, wholes = self.cost, [one.whole for one in self.planned if one.whole]
        if not own.requests or not wholes:
            return own.bill
        costs = [
            (whole.cost.requests, whole.cost.known_usd, whole.cost.unknown) for whole in wholes
        ]
        requests, known, unknown = zip(*costs, strict=True)
        return Bill(sum(requests), sum(known), sum(unknown))


def open_session(
    options: BuildOptions, projects: list[Project], sharing: Sharing | None = None
) -> Session:
    """Plan all projects. Nothing is sent. Raises FluxError.

    Of what is shared, originals are looked for, and those that requests need are fetched.
    """
    settings = read_settings(options)
    catalog = Catalog(settings)
    check_rate(settings, catalog, projects)
    limit = read_limit(options, settings, projects)
    chosen = _choose(options, projects)
    planned = []
    for project in projects:
        one = _plan(project, chosen, catalog, sharing)
        one = _limited(one, lowest([project.manifest.max_cost, limit]))
        if options.limits.partial:
            one = one._replace(priced=fitting(one.priced, one.limit))
        planned.append(one)
    wholes = [one.whole for one in planned if one.whole]
    left = left_to_spend(limit, projects[0], wholes)
    notes = (
        *_notes(settings, projects),
        *messages.note_lines((*settings.notes, *catalog.notes, *machine_notes(options, planned))),
        *_retiring(projects, catalog),
    )
    return Session(options, settings, catalog, planned, left, limit, notes, sharing)


def _limited(planned: Planned, limit: float | None) -> Planned:
    """The plan of a project with its limit, of a shard with its share of it."""
    if planned.whole is None:
        return planned._replace(limit=limit)
    share = left_to_spend(limit, planned.project, [planned.whole])
    return planned._replace(limit=share, common_limit=limit)


class _Chosen(NamedTuple):
    """What the command line says about assets, by name."""

    options: BuildOptions
    selected: Callable[[str], bool]
    reroll: frozenset[str]
    adopt: Sequence[str]  # names and patterns
    pick: Mapping[str, int]  # the candidate by asset


def _choose(options: BuildOptions, projects: list[Project]) -> _Chosen:
    """Read names and patterns. Raises UsageError for one without a match."""
    assets = [name for project in projects for name in project.assets]
    known = dict.fromkeys([*assets, *(name for one in projects for name in one.lock.rows)])
    only, exclude = options.selection.only or [], options.selection.exclude or []
    decisions = options.decisions
    rerolled = [
        name for pattern in decisions.reroll or [] for name in matches(assets, pattern, "--reroll")
    ]
    for pattern in decisions.adopt or []:
        matches(assets, pattern, "--adopt")
    selected = select(known, only, exclude)
    picks = read_picks(decisions.pick or [], assets)
    return _Chosen(options, selected, frozenset(rerolled), decisions.adopt or [], picks)


def read_settings(options: BuildOptions) -> Settings:
    """The settings of the run. Those of the images are in the manifest."""
    access = options.access
    flags: dict[str, Json] = {"provider": access.provider, "base_url": access.base_url}
    if access.offline:
        if any(flags.values()):
            hint = "use only one of them"
            raise UsageError("--offline and a provider contradict each other", hint=hint)
        flags["provider"] = "offline"
    flags |= {name: getattr(access, name) for name in RUN_SETTINGS}
    return load_settings(flags, ROWS)


def read_limit(options: BuildOptions, settings: Settings, projects: list[Project]) -> float | None:
    """The limit of the whole command, besides those of the manifests. Raises UsageError."""
    text = options.limits.max_cost
    if text is None:
        return settings.max_cost
    option = read_amount(parse_setting(BY_NAME["max_cost"], text, "--max-cost"))
    check_option(option, [project.manifest.max_cost for project in projects])
    return lowest([option, settings.max_cost])


def _plan(project: Project, chosen: _Chosen, catalog: Catalog, sharing: Sharing | None) -> Planned:
    """The plan of one project, after whatever a killed build has left."""
    options = chosen.options
    stored = sharing.originals.has if sharing else None
    files = Files(project.root, verifies=options.mode.check, stored=stored)
    rows = chosen_rows(project.assets, project.lock, files)
    if is_unfinished(project.lock_path):
        from flux_cli.build.execution.arrivals import with_pending
        from flux_cli.build.execution.running import interrupted_run
        from flux_cli.build.execution.takeover import take_over

        bound = bind_to_rows(project.assets, with_pending(rows, project.lock_path))
        bound_project = project._replace(assets=bound)
        rows = take_over(bound_project, rows, files, interrupted_run(project.lock_path))
    picks = {name: number for name, number in chosen.pick.items() if name in project.assets}
    rows = picked(
        bind_to_rows(project.assets, rows),
        rows,
        picks,
        files,
        catalog.resolve,
        shows_prompts=project.manifest.lock_prompts,
    )
    wishes = Wishes(
        overwrite=options.decisions.overwrite,
        offline=options.access.offline,
        reroll=with_candidates(chosen.reroll, project.assets, rows),
        adopt=_adopted(project, chosen.adopt, files),
        selected=chosen.selected,
    )
    whole = cost_of_whole(project, rows, files, wishes, catalog)
    wishes = wishes._replace(selected=lambda name: chosen.selected(name) and project.owns(name))
    steps = plan_assets(project.assets, rows, files, wishes, catalog.resolve)
    if sharing:
        _fetch_references(steps, rows, project.root, sharing)
    priced = [price_step(step, catalog, project.root) for step in steps]
    return Planned(project, rows, files, priced, wishes, whole=whole)


def _fetch_references(
    steps: Sequence[Step], rows: Mapping[str, Row], root: str, sharing: Sharing
) -> None:
    """Fetch the originals that requests need: prices depend on them, too. Raises NetworkError."""
    for step in steps:
        if not step.is_requested:
            continue
        for name in step.wanted.settings.needs:
            original = rows[name].original if name in rows else None
            if original and name not in step.awaits:
                sharing.originals.fetch(root, original)


def _adopted(project: Project, patterns: Sequence[str], files: Files) -> frozenset[str]:
    """The names of assets to adopt. A pattern stands for those that have files."""
    found = set()
    for pattern in patterns:
        for name in fnmatch.filter(project.assets, pattern):
            is_there = any(files.exists(path) for path in project.assets[name].files)
            if is_there or not is_pattern(pattern):
                found.add(name)
    return frozenset(found)


def price_step(step: Step, catalog: Catalog, root: str) -> Priced:
    """A step with its price. What is requested is resolved, so that every error comes now."""
    asset = step.asset
    if asset is None or not (step.make or step.is_updated or step.is_requested):
        return Priced(step)
    if not step.resolved and (step.sign in PAID or step.twin):
        step = step._replace(resolved=catalog.resolve(asset))
    return Priced(step, catalog.price(asset, root) if step.is_requested else 0.0)


def machine_notes(options: BuildOptions, planned: list[Planned]) -> tuple[Note, ...]:
    """Notes for a build that pays."""
    is_build = not any(options.mode[1:]) and not options.access.offline
    if not is_build or not any(one.cost.requests for one in planned):
        return ()
    from flux_cli.runs import check

    return check.machine_notes()


def _retiring(projects: list[Project], catalog: Catalog) -> Iterator[str]:
    """Warnings of models that end soon, or have ended."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    models: dict[Json, Asset] = {}
    for project in projects:
        for asset in project.assets.values():
            models.setdefault(asset.settings.parameters["model"], asset)
    for name, asset in models.items():
        model = catalog.model(asset)
        note = retirement_note(str(name), model.retires if model else "", today)
        if note:
            yield note


def _notes(settings: Settings, projects: list[Project]) -> Iterator[str]:
    """What the user should know before anything is done."""
    unused = [name for name in UNUSED if settings.values[name].rank != DEFAULT]
    if unused:
        names = ", ".join(unused)
        yield f"not used here: {names}; a manifest alone says what images are"
    for project in projects:
        if division := project.division:
            own = sum(map(project.owns, project.assets))
            assets = counted(len(project.assets), "asset")
            yield f"shard {division.shard.text} of {project.path}: {own:,} of {assets}"
        if project.lock.is_conflicted:
            yield f"{project.lock_path} has conflict markers; the next build writes it anew"
