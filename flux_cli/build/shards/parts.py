"""Finds, reads and opens the parts of a lock, one for each shard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.disk import Files
from flux_cli.build.lock.file import (
    PART_NAME,
    PENDING,
    RUNNING,
    is_unfinished,
    load_lock,
    lock_path,
    part_path,
    root_of,
)
from flux_cli.build.lock.reading import Lock
from flux_cli.build.lock.rows import Base
from flux_cli.build.lock.text import lock_text
from flux_cli.build.project import Division, Project
from flux_cli.build.shards.division import Shard, digest_of, group_names, links, manifest_digest
from flux_cli.build.shards.merging import merge_rows, without_renamed
from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

MERGE_FIRST = "flux build --merge writes them into the lock, for free"
AGAIN = "get it again from the machine that wrote it: its images would be paid for again"


def shard_of_part(path: str) -> Shard | None:
    """The shard that a file is a part of, by its name; None for other files."""
    found = PART_NAME.fullmatch(os.path.basename(path))
    return Shard(int(found[2]), int(found[3])) if found else None


def lock_name_of_part(path: str) -> str:
    """The name of the lock that a part belongs to. Raises UsageError for any other file."""
    found = PART_NAME.fullmatch(os.path.basename(path))
    if not found:
        hint = "parts are called like flux-build.1-of-4.lock"
        raise UsageError(f"{path} is not the part of a shard", hint=hint)
    return f"{found[1]}.lock"


def parts_beside(lock: str) -> list[str]:
    """The parts of a lock in its folder, and those that a killed shard has not written yet."""
    root, own = root_of(lock), os.path.basename(lock)
    names = set()
    for folder in (root, os.path.join(root, PENDING)):
        for path in Path(folder).glob("*-of-*.lock"):
            if shard_of_part(path.name) and lock_name_of_part(path.name) == own:
                names.add(path.name)
    for path in Path(root).glob(f"{RUNNING}.*-of-*"):
        part = own.removesuffix("lock") + path.name.partition(".")[2] + ".lock"
        if is_unfinished(os.path.join(root_of(lock), part)):
            names.add(part)
    return [os.path.join(os.path.dirname(lock), name) for name in sorted(names)]


def load_part(path: str) -> Lock:
    """The part at a path; an empty one if there is none. Raises ManifestError."""
    try:
        part = load_lock(path)
    except ManifestError as error:
        error.hint = AGAIN
        raise
    if os.path.lexists(path) and part.base is None:
        raise ManifestError(f"{path} is not the part of a shard", hint=AGAIN)
    return part


def in_shard(project: Project, shard: Shard) -> Project:
    """The project as one shard builds it: with the lock of all, its own part, and its own names."""
    common = project.lock
    part = part_path(lock_path(project.path), *shard)
    groups = group_names(project.assets, links(project.assets))
    base = Base(manifest_digest(project.assets), digest_of(lock_text(common.rows)))
    files = Files(project.root)
    rows = merge_rows([common.rows, load_part(part).rows], project.assets, files)
    whole = without_renamed(rows, project.assets, files)
    division = Division(shard, groups, common.rows, base)
    return project._replace(lock_path=part, lock=Lock(whole), division=division)


def reopen(project: Project) -> Project:
    """The project with its lock, and that of its shard, as they are now. Raises ManifestError."""
    lock = lock_path(project.path)
    again = project._replace(lock=load_lock(lock), lock_path=lock)
    return in_shard(again, project.division.shard) if project.division else again


def check_parts(projects: Sequence[Project], shard: Shard | None) -> None:
    """Raise an error if a build would not see what others have paid for.

    Parts must be merged before anything else is built, and a build that was killed must be taken
    over before shards begin.
    """
    for project in projects:
        beside = parts_beside(project.lock_path)
        others = [path for path in beside if not _is_of(path, shard)]
        if others:
            message = f"{counted(len(others), 'part')} of {project.lock_path} must be merged first"
            raise UsageError(f"{message}: {', '.join(others[:3])}", hint=MERGE_FIRST)
        if shard and (project.lock.is_conflicted or is_unfinished(project.lock_path)):
            state = "has conflict markers" if project.lock.is_conflicted else "lacks a killed build"
            hint = "flux build --merge writes it anew, for free"
            raise UsageError(f"{project.lock_path} {state}", hint=hint)


def _is_of(path: str, shard: Shard | None) -> bool:
    """Whether a part is one of as many as the shard."""
    found = shard_of_part(path)
    return bool(shard and found and found.shards == shard.shards)
