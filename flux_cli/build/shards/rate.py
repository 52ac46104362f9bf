"""Refuses more shards than requests that may be in flight: each shard sends at least one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.providers.rows import dialect_of, most_in_flight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.pricing import Catalog
    from flux_cli.build.project import Project
    from flux_cli.config.load import Settings


def check_rate(settings: Settings, catalog: Catalog, projects: Sequence[Project]) -> None:
    """Raise UsageError if there are more shards than requests at once."""
    for project in projects:
        if project.division is None:
            continue
        rate = most_at_once(settings, catalog, project)
        count = project.division.shard.shards
        if count > rate:
            message = f"{count:,} shards send at least {count:,} requests at once, but {rate} may"
            hint = "--concurrency, up to what the provider accepts, covers all shards together"
            raise UsageError(f"{message} be in flight", hint=hint)


def most_at_once(settings: Settings, catalog: Catalog, project: Project) -> int:
    """How many requests of a project may be in flight at once, of all shards together."""
    return min([settings.concurrency, *_accepted(settings, catalog, project)])


def _accepted(settings: Settings, catalog: Catalog, project: Project) -> Iterator[int]:
    """How many requests at once the provider accepts for each model of a project."""
    row = settings.provider
    models: dict[str, Asset] = {}
    for asset in project.assets.values():
        models.setdefault(str(asset.settings.parameters["model"]), asset)
    for asset in models.values():
        yield most_in_flight(row, dialect_of(row, catalog.model(asset)))
