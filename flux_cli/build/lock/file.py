"""The lock on disk: read if it is there, and written in one step only if its bytes differ."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.lock.reading import HINT, Lock, read_lock
from flux_cli.build.lock.text import OPENING, lock_text
from flux_cli.build.manifest.files import read_file
from flux_cli.core.errors import DiskError, ManifestError
from flux_cli.disk.links import follow
from flux_cli.disk.publish import publish, sync_folder
from flux_cli.images.files import PART

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.lock.rows import Base, Row

MAX_OPENING = 1000  # bytes before and in the opening of a lock: it may be in a conflict
HIDDEN = ".flux"  # the folder beside the manifest: what a build keeps, and git ignores
PENDING = f"{HIDDEN}/pending"  # with a file for each lock
RUNNING = f"{HIDDEN}/running"  # the note of the build that is running, or was killed
PART_NAME = re.compile(r"(.+)\.(\d{1,18})-of-(\d{1,18})\.lock", re.ASCII | re.DOTALL)
MAX_LOCK = 512 << 20  # bytes; 640 per asset with one file


def lock_path(manifest: str) -> str:
    """The path of the lock beside a manifest: `flux-build.toml` -> `flux-build.lock`."""
    return f"{os.path.splitext(manifest)[0]}.lock"


def part_path(lock: str, number: int, shards: int) -> str:
    """The path of the part of one shard: `flux-build.lock` -> `flux-build.1-of-4.lock`."""
    return f"{os.path.splitext(lock)[0]}.{number}-of-{shards}.lock"


def running_path(lock: str) -> str:
    """Where a build notes that it runs: shards beside each other, any other build alone."""
    part = PART_NAME.fullmatch(os.path.basename(lock))
    own = f"{RUNNING}.{part[2]}-of-{part[3]}" if part else RUNNING
    return os.path.join(root_of(lock), own)


def root_of(lock: str) -> str:
    """The folder of a lock, which is that of its manifest."""
    return os.path.dirname(lock) or "."


def pending_path(lock: str) -> str:
    """Where a build notes what a lock does not say yet."""
    return os.path.join(root_of(lock), PENDING, os.path.basename(lock))


def is_unfinished(lock: str) -> bool:
    """Whether a build was killed, or is running, and has left anything of its work."""
    if os.path.isfile(pending_path(lock)):
        return True
    note = running_path(lock)
    return os.path.isfile(note) and os.path.getsize(note) > 0


def load_lock(path: str) -> Lock:
    """The lock at a path; an empty one if there is none. Raises ManifestError."""
    if not os.path.lexists(path):
        return Lock()
    try:
        return read_lock(read_file(path, MAX_LOCK, path), path)
    except ManifestError as error:
        error.hint = HINT
        raise


def is_lock(path: str) -> bool:
    """Whether a file begins like a lock of flux, of any schema. Other programs have locks, too."""
    if not os.path.isfile(path):
        return False
    try:
        with Path(path).open("rb") as file:
            return OPENING.encode() in file.read(MAX_OPENING)
    except OSError:
        return True  # it may be one, and whoever reads it will say what is wrong


def save_lock(path: str, rows: Mapping[str, Row], base: Base | None = None, mark: str = "") -> bool:
    """Write the lock, and return whether its bytes differ from those that were there.

    It is written completely or not at all. That of a shard is written even if it has no rows: it
    shows that the shard has run. Raises DiskError.
    """
    data = lock_text(rows, base).encode("utf-8", "surrogatepass")
    try:
        if os.path.lexists(path):
            if Path(path).read_bytes() == data:
                return False
        elif not rows and not base:
            return False
        publish([data], path, f"{PART}{mark}{os.urandom(8).hex()}")
        sync_folder(os.path.dirname(follow(path)))
    except OSError as fault:
        message = f"cannot write {path}: {fault.strerror}"
        raise DiskError(
            message, hint="the images are saved; make it writable and run again"
        ) from fault
    return True
