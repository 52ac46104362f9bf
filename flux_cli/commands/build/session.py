"""What `flux build` works on: the projects, the settings, and the plan of each project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.disk import Files
from flux_cli.build.planning.cost import Priced, check_option, cost_of, lowest
from flux_cli.build.planning.plan import plan_assets
from flux_cli.build.planning.steps import PAID, Wishes
from flux_cli.build.pricing import Catalog
from flux_cli.build.project import open_projects
from flux_cli.build.selection import select
from flux_cli.config.load import DEFAULT, load_settings
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.providers.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flux_cli.build.options import BuildOptions
    from flux_cli.build.planning.cost import Cost
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.project import Project
    from flux_cli.config.load import Settings
    from flux_cli.core.model import Json

# Settings that describe images: they do not apply here, because a manifest says it all.
UNUSED = ("model", "output", "output_format", "metadata")


class Planned(NamedTuple):
    """One project with its plan."""

    project: Project
    files: Files
    priced: list[Priced]
    limit: float | None  # what this project may cost, in USD

    @property
    def cost(self) -> Cost:
        return cost_of(self.priced)


class Session(NamedTuple):
    """Everything that one command line needs."""

    options: BuildOptions
    settings: Settings
    catalog: Catalog
    planned: list[Planned]
    notes: tuple[str, ...]

    @property
    def cost(self) -> Cost:
        return cost_of(one for planned in self.planned for one in planned.priced)


def open_session(options: BuildOptions) -> Session:
    """Read everything and plan. Nothing is sent or written. Raises FluxError."""
    projects = open_projects(options.mode.manifests or [])
    settings = _settings(options)
    limit = _limit(options, settings, projects)
    known = {name: None for project in projects for name in (*project.assets, *project.lock.rows)}
    only, exclude = options.selection.only or [], options.selection.exclude or []
    selected = select(known, only, exclude)
    catalog = Catalog(settings)
    planned = [
        _plan(project, options, catalog, selected)._replace(
            limit=lowest([project.manifest.max_cost, limit])
        )
        for project in projects
    ]
    return Session(options, settings, catalog, planned, tuple(_notes(settings, projects)))


def _settings(options: BuildOptions) -> Settings:
    """The settings of the run. Those of the images are in the manifest."""
    limits = options.limits
    flags: dict[str, Json] = {"provider": limits.provider, "base_url": limits.base_url}
    if limits.offline:
        if any(flags.values()):
            hint = "use only one of them"
            raise UsageError("--offline and a provider contradict each other", hint=hint)
        flags["provider"] = "offline"
    return load_settings(flags | {"max_cost": limits.max_cost}, ROWS)


def _limit(options: BuildOptions, settings: Settings, projects: list[Project]) -> float | None:
    """The limit of the whole command, besides those of the manifests. Raises UsageError."""
    own = [project.manifest.max_cost for project in projects]
    if options.limits.max_cost is None:
        return settings.max_cost
    check_option(settings.max_cost, own)
    return lowest([settings.max_cost, load_settings({}, ROWS).max_cost])


def _plan(
    project: Project,
    options: BuildOptions,
    catalog: Catalog,
    selected: Callable[[str], bool],
) -> Planned:
    files = Files(project.root, verifies=options.mode.check)
    wishes = Wishes(offline=options.limits.offline, selected=selected)
    steps = plan_assets(project.assets, project.lock, files, wishes, catalog.resolve)
    return Planned(project, files, [_priced(step, catalog) for step in steps], None)


def _priced(step: Step, catalog: Catalog) -> Priced:
    """A step with its price. What is requested is resolved, so that every error comes now."""
    asset = step.asset
    if asset is None or step.sign not in PAID:
        return Priced(step)
    if not step.resolved:
        step = step._replace(resolved=catalog.resolve(asset))
    return Priced(step, catalog.price(asset) if step.is_requested else 0.0)


def _notes(settings: Settings, projects: list[Project]) -> Iterator[str]:
    """What the user should know before anything is done."""
    unused = [name for name in UNUSED if settings.values[name].rank != DEFAULT]
    if unused:
        names = ", ".join(unused)
        yield f"not used here: {names}; a manifest alone says what images are"
    for project in projects:
        if project.lock.is_conflicted:
            yield f"{project.lock_path} has conflict markers; the next build writes it anew"
