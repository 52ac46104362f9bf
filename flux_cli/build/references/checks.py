"""Checks what the assets of a manifest name as references: other assets, and no file of theirs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flux_cli.build.references import sources
from flux_cli.build.references.stages import find_cycle
from flux_cli.core.errors import ManifestError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flux_cli.build.manifest.expansion import Asset


def check_references(assets: Mapping[str, Asset], manifest: str) -> None:
    """Raise ManifestError for unknown assets, cycles, and files that an asset of these writes."""
    needs: dict[str, tuple[str, ...]] = {}
    named: dict[str, Asset] = {}  # an asset that names a file, by its path
    for name, asset in assets.items():
        needs[name] = asset.settings.needs
        for other in asset.settings.needs:
            if other not in assets:
                hint = did_you_mean(other, assets) or "flux build --plan -v lists all assets"
                message = f"{_place(asset, manifest)}: there is no asset {other!r}"
                raise ManifestError(message, hint=hint)
        named |= dict.fromkeys(_files_of(asset), asset)
    if cycle := find_cycle(needs):
        message = f"{manifest}: references in a circle: {' -> '.join(cycle)}"
        raise ManifestError(message, hint="one of them must be generated without the others")
    if named:
        _check_outputs(assets.values(), named, manifest)


def _check_outputs(assets: Iterable[Asset], named: Mapping[str, Asset], manifest: str) -> None:
    """Raise ManifestError if a file that is a reference is written by an asset."""
    for writer in assets:
        for path in writer.files:
            if path in named:
                raise written_by(writer.name, path, _place(named[path], manifest))


def written_by(writer: str, path: str, where: str) -> ManifestError:
    """The error for a reference that an asset writes: it changes with every width."""
    hint = f'write "{sources.ASSET}{writer}", the original from which its files are made'
    return ManifestError(f"{where}: {path} is written by {writer}", hint=hint)


def writer_of(path: str, assets: Iterator[Asset]) -> str:
    """The name of the asset that writes a path; "" if none does, as far as they can be read."""
    with suppress(ManifestError):
        for asset in assets:
            if path in asset.files:
                return asset.name
    return ""


def _place(asset: Asset, manifest: str) -> str:
    place = f"{manifest}: assets.{asset.group}"
    return place if asset.name == asset.group else f"{place}: {asset.name}"


def _files_of(asset: Asset) -> list[str]:
    """The paths of the local files that are its references."""
    settings = asset.settings
    found = [path for path in settings.references.values() if not sources.asset_of(path)]
    for name in sources.SENT:
        value = settings.parameters.get(name, [])
        texts = map(str, value if isinstance(value, list) else [value])
        found += [sources.source_in(text) for text in texts if sources.digest_in(text)]
    return found
