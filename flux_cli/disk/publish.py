"""Writes files in full before they get their names."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
from typing import TYPE_CHECKING

from flux_cli.disk.links import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    Link = Callable[[str], None]  # gives a finished file a name that is not taken


class _NoNameError(Exception):
    """A file without a name cannot be made here, or cannot get one."""


def publish(
    parts: Sequence[bytes | memoryview],
    path: str,
    part_name: str,
    *,
    others: Iterable[str] | None = None,
    mode: int = 0o666,
) -> str:
    """Write a file that is never incomplete, and return its path. Raises OSError.

    What has that path so far is replaced, and the new file keeps its permissions; with `others`, it
    stays, and the new file gets the first of these paths that is free. Where possible, a file has
    no name until it is whole, so that a process that is killed leaves none; elsewhere, it is called
    `part_name` meanwhile. `mode` has the permissions of a new file, of which the umask takes some.
    """
    target = follow(path) if others is None else path
    folder = os.path.dirname(target)
    part = os.path.join(folder, part_name)
    os.makedirs(folder or ".", exist_ok=True)

    def give_name(link: Link) -> str:
        if others is not None:
            return _give_free_name(link, path, others)
        _replace(link, target, part)
        return path

    try:
        with _open_unnamed(folder or ".", mode) as file:
            _fill(file, parts)
            return give_name(functools.partial(_link_unnamed, file.fileno()))
    except _NoNameError:
        # mkstemp would ignore the umask
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            _fill(file, parts)
        return give_name(functools.partial(link_or_move, part))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)


def _open_unnamed(folder: str, mode: int) -> BinaryIO:
    try:
        number = os.open(folder, os.O_TMPFILE | os.O_WRONLY, mode)
    except (AttributeError, OSError) as fault:  # other systems, and some file systems
        raise _NoNameError from fault
    return os.fdopen(number, "wb")


def _fill(file: BinaryIO, parts: Sequence[bytes | memoryview]) -> None:
    file.writelines(parts)
    file.flush()
    os.fsync(file.fileno())


def _link_unnamed(number: int, path: str) -> None:
    """Give an open file without a name its name. Raises FileExistsError if it is taken."""
    try:
        # A folder must be given, or the link itself would get the name.
        os.link(f"/proc/self/fd/{number}", path, src_dir_fd=number)
    except FileExistsError:
        raise
    except OSError as fault:  # file systems without links
        raise _NoNameError from fault


def link_or_move(part: str, path: str) -> None:
    """Give a file another name. Raises FileExistsError if it is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # file systems without hard links
        with open(path, "xb"):
            os.replace(part, path)


def _replace(link: Link, target: str, part: str) -> None:
    """Give the finished file its name, whatever has that name so far."""
    try:
        link(target)
    except FileExistsError:
        if not os.path.lexists(part):
            link(part)
        if not os.path.islink(target):
            os.chmod(part, os.stat(target).st_mode & 0o777)
        os.replace(part, target)


def _give_free_name(link: Link, path: str, others: Iterable[str]) -> str:
    """Give the finished file the first name that is free, and return it."""
    for free in itertools.chain([path], others):
        with contextlib.suppress(FileExistsError):
            link(free)
            return free
    raise FileExistsError(errno.EEXIST, "all numbered names are taken", path)


def sync_folder(folder: str | Path) -> None:
    """Sync a folder, so that the names of new files survive a power failure."""
    with contextlib.suppress(OSError):  # some systems cannot open folders
        file = os.open(folder or ".", os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
