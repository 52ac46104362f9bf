"""Writes a file of the user's config folder, for the user alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.core.errors import DiskError
from flux_cli.disk.publish import publish, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone. Raises DiskError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        for one in reversed(missing):
            one.mkdir(mode=FOLDER_MODE, exist_ok=True)
    except OSError as fault:
        raise DiskError(f"cannot create {folder}: {fault.strerror}") from fault


def write_file(path: Path, text: str) -> None:
    """Write a file in one step. One that is there keeps its mode, and a link stays a link.

    Raises DiskError.
    """
    try:
        publish([text.encode()], str(path), f".flux-{os.getpid()}.part", mode=FILE_MODE)
    except OSError as fault:
        raise DiskError(f"cannot write {path}: {fault.strerror}") from fault
    sync_folder(path.parent)
