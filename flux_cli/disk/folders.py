"""Tries whether files can be written into folders, before anything is paid for them."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from flux_cli.core.errors import OutputError


def try_folders(folders: Iterable[str], room: int, option: str) -> None:
    """Write a file into each folder, because permissions alone would not show a full disk.

    In place of a folder that is missing, the one above it is tried: a run that is refused creates
    none. The files have a hole of `room` bytes, which shows a limit on file sizes.
    Hints name another folder with `option`. Raises OutputError.
    """
    for folder in dict.fromkeys(_nearest_existing(Path(folder)) for folder in folders):
        _try_folder(folder, room, option)


def _nearest_existing(folder: Path) -> Path:
    """The folder, or what exists of the path to it, be it a file or a link to nothing."""
    return next(filter(os.path.lexists, (folder, *folder.parents)), folder)


def _try_folder(folder: Path, room: int, option: str) -> None:
    try:
        # Unnamed where possible: a crash leaves nothing.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(room)
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        hint = f"name another folder with {option}; nothing was done"
        if isinstance(fault, OSError) and fault.errno == errno.EFBIG:
            hint = f"allow files of {room >> 20} MB (ulimit -f); nothing was done"
        raise OutputError(f"cannot write into {folder}: {reason}", hint=hint) from fault
