"""How many requests this machine can handle at once: file descriptors and room on its disks.

A request that is held back costs seconds; a paid image without a place to go is lost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from flux_cli.core.errors import DiskError
from flux_cli.core.lite import NamedTuple
from flux_cli.runs.records.store import ROOM

FILES = 3  # file descriptors per request: a connection, a received file, a saved file
OTHER_FILES = 32  # streams, journal, event loop, resolver, modules that are loaded
FEWEST_FILES = 6  # that must still be free for one request


class Capacity(NamedTuple):
    """How many requests fit at once. `limit` says what keeps them from being more."""

    requests: int
    limit: str


class Disks:
    """The disks that a run writes to. `folders` lie on them and need not exist yet."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        existing = [found for folder in folders if (found := _existing(folder))]
        self._folders = {folder.stat().st_dev: folder for folder in existing}  # one per disk

    def measure(self) -> list[Capacity]:
        """The capacity of each disk. A disk that does not say what is free is left out."""
        found = []
        for folder in self._folders.values():
            with contextlib.suppress(OSError):
                usage = shutil.disk_usage(folder)
                if usage.total:
                    found.append(
                        Capacity(usage.free // ROOM, f"too little space is left in {folder}")
                    )
        return found

    def have_room(self, requests: int) -> bool:
        """Whether there is room for the images of so many requests in flight."""
        return all(disk.requests >= requests for disk in self.measure())

    def check(self) -> None:
        """Raise DiskError if there is no room for one image."""
        for disk in self.measure():
            if not disk.requests:
                hint = f"{ROOM >> 20} MB must be free; name another folder in -o or FLUX_STATE"
                raise DiskError(f"{disk.limit}, so nothing was sent", hint=hint)


def measure_capacity(wanted: int, disks: Disks) -> Capacity:
    """How many of `wanted` requests fit at once; at least one.

    Raises the limit on file descriptors if that is needed and allowed, and DiskError if too few
    are left for one request.
    """
    files = _allow_files(wanted * FILES + OTHER_FILES)
    by_files = (files - OTHER_FILES) // FILES
    if by_files < 1:
        _check_files(files)
    found = [
        Capacity(wanted, ""),
        Capacity(by_files, f"only {files} files may be open (ulimit -n)"),
        *disks.measure(),
    ]
    least = min(found, key=lambda capacity: capacity.requests)
    return least._replace(requests=max(1, least.requests))


def _check_files(files: int) -> None:
    """Raise DiskError if too few files can be opened."""
    opened = []
    try:
        for _ in range(FEWEST_FILES):
            opened.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401 - close what was opened
    except OSError as fault:
        message = f"only {files} files may be open, so nothing was sent"
        hint = f"allow {OTHER_FILES + FILES} or more (ulimit -n)"
        raise DiskError(message, hint=hint) from fault
    finally:
        for file in opened:
            os.close(file)


def _allow_files(needed: int) -> int:
    """How many files may be open, after the limit was raised as far as needed and allowed."""
    try:
        files = os.sysconf("SC_OPEN_MAX")
    except (AttributeError, ValueError, OSError):  # Windows has no such limit
        return needed
    if not 0 <= files < needed:
        return needed
    import resource  # most machines allow enough

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (ValueError, OSError):
        return soft
    return raised


def _existing(folder: Path) -> Path | None:
    """The folder, or the nearest one above it that exists."""
    with contextlib.suppress(OSError):
        path = folder.absolute()
        return next((one for one in (path, *path.parents) if one.is_dir()), None)
    return None
