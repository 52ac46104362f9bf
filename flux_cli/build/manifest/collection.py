"""All assets of one build, from one or several manifests: no two share a name or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.manifest.expansion import Asset, expand, expand_group
from flux_cli.build.manifest.paths import UnreadableError
from flux_cli.build.references.checks import check_references, writer_of, written_by
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.build.manifest.reading import Manifest
    from flux_cli.build.manifest.settings import Sources


class Loaded(NamedTuple):
    """A manifest, the files that it names, and its folder as an absolute path without links."""

    manifest: Manifest
    sources: Sources
    folder: str


def collect(loaded: Sequence[Loaded]) -> list[dict[str, Asset]]:
    """The assets of each manifest by name.

    Raises ManifestError if two have a name or file, or if one needs an image that it cannot have.
    """
    owners: dict[str, str] = {}  # the asset that has a name
    writers: dict[str, str] = {}  # the asset that writes a path
    found = []
    for manifest, sources, folder in loaded:
        place = _folded(folder)
        assets: dict[str, Asset] = {}
        for asset in _expanded(manifest, sources):
            _claim_name(owners, asset, manifest.path)
            for path in asset.files:
                _claim_path(writers, asset, path, place, manifest.path)
            assets[asset.name] = asset
        check_references(assets, manifest.path)
        found.append(assets)
    return found


def _expanded(manifest: Manifest, sources: Sources) -> Iterator[Asset]:
    """All assets. Of a file that is not there yet, the error says which asset will write it."""
    try:
        yield from expand(manifest, sources)
    except UnreadableError as error:
        for group in manifest.groups:
            writer = writer_of(error.path, expand_group(manifest, group, sources))
            if writer:
                raise written_by(writer, error.path, error.where) from error
        raise


def _claim_name(owners: dict[str, str], asset: Asset, manifest: str) -> None:
    """File systems may ignore case, and so do names."""
    place = f"assets.{asset.group}"
    other = owners.setdefault(_folded(asset.name), place)
    if other is not place:
        message = f"{manifest}: two assets are called {asset.name}: in {other} and in {place}"
        raise ManifestError(message, hint="tell them apart with a field in name")


def _claim_path(
    writers: dict[str, str], asset: Asset, path: str, place: str, manifest: str
) -> None:
    other = writers.setdefault(f"{place}/{_folded(path)}", asset.name)
    if other != asset.name:
        message = f"{manifest}: {other} and {asset.name} both write {path}"
        raise ManifestError(message, hint="tell them apart with {name} in output")


def _folded(text: str) -> str:
    """A form in which two texts are equal if a file system may confuse them."""
    return text.lower() if text.isascii() else fold(text)
