"""Puts the originals of other assets into the requests of those that need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build import digests
from flux_cli.build.candidates.naming import mark_of
from flux_cli.build.references import sources
from flux_cli.build.references.stages import stages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from flux_cli.build.digests import Head
    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.core.model import Json


def head(parameters: Mapping[str, Json], references: Collection[str]) -> Head:
    """The shared part of requests. `references` names the parameters that are local files."""
    files = {
        name: sources.counted(value)
        for name, value in parameters.items()
        if name in references or name in sources.SENT
    }
    others = {name: value for name, value in parameters.items() if name not in files}
    return digests.head_of(others, files)


def bind(asset: Asset, originals: Mapping[str, str]) -> Asset:
    """The asset with the SHA-256 of the originals that it needs, by the name of their asset.

    Without one of them, its request is equal to no other.
    """
    settings = asset.settings
    if not settings.needs:
        return asset
    bound = {
        name: sources.with_originals(settings.parameters[name], originals)
        for name in sources.KEYS
        if name in settings.parameters
    }
    parameters = {**settings.parameters, **bound}
    settings = settings._replace(
        parameters=parameters, head=head(parameters, settings.references.keys())
    )
    mark = mark_of(asset.name, asset.of, asset.seed)
    request = digests.request_digest(settings.head, asset.prompt, asset.seed, mark)
    return asset._replace(settings=settings, request=request)


def bind_to_rows(assets: Mapping[str, Asset], rows: Mapping[str, Row]) -> dict[str, Asset]:
    """All assets with the originals of these rows."""
    return {name: bind(asset, originals_of(asset, rows)) for name, asset in assets.items()}


def originals_of(asset: Asset, rows: Mapping[str, Row]) -> dict[str, str]:
    """The SHA-256 of the originals that an asset needs, as far as rows have them."""
    found = {name: rows[name].original for name in asset.settings.needs if name in rows}
    return {name: original.sha256 for name, original in found.items() if original}


def in_stages(assets: Mapping[str, Asset]) -> Iterator[list[str]]:
    """The names of assets in stages: each needs only originals of earlier ones."""
    yield from stages({name: asset.settings.needs for name, asset in assets.items()})
