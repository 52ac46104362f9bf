"""Opens what one command works on: manifests with their assets, locks and files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.lock.file import load_lock, lock_path
from flux_cli.build.manifest.collection import Loaded, collect
from flux_cli.build.manifest.files import Folder, find_manifest, load_manifest
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.build.lock.reading import Lock
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.manifest.reading import Manifest


class Project(NamedTuple):
    """One manifest and everything that belongs to it."""

    manifest: Manifest
    root: str  # its folder, as seen from the working folder
    assets: Mapping[str, Asset]
    lock_path: str
    lock: Lock

    @property
    def path(self) -> str:
        return self.manifest.path


def open_projects(paths: Sequence[str]) -> list[Project]:
    """The projects of these manifests, or of the one that is found here or above.

    Everything is checked, and nothing is sent or written. Raises ManifestError.
    """
    paths = paths or [find_manifest()]
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise ManifestError(f"{twice[0]} is given twice", hint="name each manifest once")
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
