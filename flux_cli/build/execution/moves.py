"""Moves and deletes files of a build. Nothing but files of the lock is touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.core.errors import DiskError
from flux_cli.disk.links import check_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.lock.rows import File
    from flux_cli.build.planning.steps import Step


def move_files(step: Step, files: Files) -> list[str]:
    """Move the files of a step to their new paths, and return these. Raises DiskError.

    Bytes that are not those of the lock stay where they are.
    """
    moved = []
    known = step.row.files if step.row else {}
    for old, new in step.moves:
        if not files.exists(old):
            continue  # a person has moved it
        if not files.equals(old, known[old]):
            message = f"{old} was edited: it stays where it is"
            raise DiskError(message, hint="--adopt keeps it, --overwrite replaces it")
        source, target = files.place(old), files.place(new)
        try:
            check_folder(os.path.dirname(target))
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            if files.equals(new, known[old]):  # copied by a person, or by a build that was killed
                os.unlink(source)
            else:
                _move(source, target)
        except OSError as fault:
            raise DiskError(f"cannot move {old} to {new}: {fault.strerror}") from fault
        files.forget(old)
        files.forget(new)
        moved.append(target)
    return moved


def _move(source: str, target: str) -> None:
    """Move a file to a free path. Raises OSError."""
    try:
        os.link(source, target)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise
    except OSError:  # file systems without hard links
        if os.path.lexists(target):
            raise
        os.rename(source, target)
    else:
        os.unlink(source)


def delete_files(paths: tuple[str, ...], known: Mapping[str, File], files: Files) -> list[str]:
    """Delete the files whose bytes are those of the lock, and return their paths.

    Raises DiskError.
    """
    deleted = []
    for path in paths:
        if path not in known or not files.equals(path, known[path]):
            continue
        try:
            os.unlink(files.place(path))
        except OSError as fault:
            raise DiskError(f"cannot delete {path}: {fault.strerror}") from fault
        files.forget(path)
        deleted.append(path)
    return deleted
