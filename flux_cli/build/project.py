"""Opens what one command works on: manifests with their assets, locks and files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.lock.file import load_lock, lock_path
from flux_cli.build.manifest.collection import Loaded, collect
from flux_cli.build.manifest.files import Folder, find_manifest, load_manifest
from flux_cli.build.shards.division import in_shard
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.build.lock.reading import Lock
    from flux_cli.build.lock.rows import Base, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.manifest.reading import Manifest
    from flux_cli.build.shards.division import Shard


class Division(NamedTuple):
    """What one shard of a build knows of the whole."""

    shard: Shard
    groups: Mapping[str, str]  # the name that decides about a name
    common: Mapping[str, Row]  # the rows from which all shards started
    base: Base


class Project(NamedTuple):
    """One manifest and everything that belongs to it."""

    manifest: Manifest
    root: str  # its folder, as seen from the working folder
    assets: Mapping[str, Asset]
    lock_path: str
    lock: Lock
    division: Division | None = None  # of a shard

    @property
    def path(self) -> str:
        return self.manifest.path

    @property
    def base(self) -> Base | None:
        """From what a shard started; None without shards."""
        return self.division.base if self.division else None

    def owns(self, name: str) -> bool:
        """Whether this build makes the asset of a name: without shards, it makes all."""
        division = self.division
        return division is None or in_shard(name, division.shard, division.groups)


def open_projects(paths: Sequence[str]) -> list[Project]:
    """The projects of these manifests, or of the one that is found here or above.

    Everything is checked, and nothing is sent or written. Raises ManifestError.
    """
    paths = paths or [find_manifest()]
    _check_locks(paths)
    manifests = [load_manifest(path) for path in paths]
    folders = [Folder(path) for path in paths]
    loaded = [
        Loaded(manifest, folder, os.path.realpath(folder.root))
        for manifest, folder in zip(manifests, folders, strict=True)
    ]
    projects = []
    for one, assets, folder in zip(loaded, collect(loaded), folders, strict=True):
        place = lock_path(one.manifest.path)
        project = Project(one.manifest, folder.root, assets, place, load_lock(place))
        projects.append(project)
    return projects


def _check_locks(paths: Sequence[str]) -> None:
    """Raise ManifestError if two manifests have one lock: each would erase the other's rows."""
    found: dict[str, str] = {}
    for path in paths:
        lock = lock_path(path)
        other = found.get(os.path.realpath(lock))
        if other and os.path.realpath(other) == os.path.realpath(path):
            raise ManifestError(f"{path} is given twice", hint="name each manifest once")
        if other:
            hint = "build one of them alone, or rename it"
            raise ManifestError(f"{other} and {path} share the lock {lock}", hint=hint)
        found[os.path.realpath(lock)] = path
