"""Links that another user may have planted: a file must not go where somebody else leads it.

The rule is that of `protected_symlinks` in Linux, and stricter: it holds for every folder that
others may write to, whether it is sticky or not, for every part of a path, and on every system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from flux_cli.core.errors import OutputError
from flux_cli.core.lite import NamedTuple
from flux_cli.disk.owners import NONE, owners_here, user

MAX_LINKS = 40  # on one path, as in Linux
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
STRANGER = "a link that another user has made"
DANGLING = "a link to a missing file"


class Walk(NamedTuple):
    """How far a path could be followed: up to its end, or to a link that must not be followed."""

    place: str  # without links, except for its last part if that `is_planted`
    is_planted: bool
    is_end: bool  # whether no part of the path comes after the place


def refuse_planted(path: str, hint: str) -> None:
    """Raise OutputError if a part of the path is a link that another user may have planted."""
    with contextlib.suppress(OSError, ValueError):  # the path is wrong in another way
        walk = _walk(path)
        if walk.is_planted:
            raise OutputError(f"{walk.place} is {STRANGER}", hint=hint)


def check_folder(folder: str) -> None:
    """Raise PermissionError if a part of the path is a link that another user may have planted.

    Raises OSError for links in a circle.
    """
    walk = _walk(folder)
    if walk.is_planted:
        raise _planted_error(walk)


def follow(path: str) -> str:
    """The path of the file behind all links.

    If the last part is a link that another user may have planted, it is not followed: a new file
    replaces it. Raises PermissionError if a folder is one, OSError for links in a circle.
    """
    walk = _walk(path)
    if walk.is_planted and not walk.is_end:
        raise _planted_error(walk)
    return walk.place


def is_below(path: str, top: str) -> bool:
    """Whether a path stays in a folder when all links are followed. `top` has none."""
    return os.path.commonpath([os.path.realpath(path), top]) == top


def is_dangling(path: str) -> bool:
    """Whether the path is a link that leads to nothing."""
    return os.path.islink(path) and not os.path.exists(path)


def folder_behind(link: str, hint: str, *, overwrite: bool) -> str:
    """The folder of the file that is written under the name of a link, if it may `overwrite` it.

    Raises OutputError for a link that cannot be written through, and without `overwrite` for one
    that leads to nothing: a new file could not get its name.
    """
    if not overwrite and is_dangling(link):
        choice = "use --overwrite to write where it leads, or another -o"
        raise OutputError(f"{link} is {DANGLING}", hint=choice)
    if not overwrite:
        return os.path.dirname(link)
    refuse_planted(link, hint)
    try:
        return os.path.dirname(follow(link))
    except OSError as fault:
        raise OutputError(f"cannot write {link}: {fault.strerror}", hint=hint) from fault


def _planted_error(walk: Walk) -> PermissionError:
    return PermissionError(errno.EPERM, f"{walk.place} is {STRANGER}")


def _walk(path: str) -> Walk:
    """Follow a path from link to link. Raises OSError, ValueError."""
    if user() == NONE:
        return Walk(os.path.realpath(path), is_planted=False, is_end=True)
    place, parts, links = "", _parts(path), 0
    while parts:
        folder, place = place, os.path.join(place, parts.pop())
        status = _look(place)
        if status is None or not stat.S_ISLNK(status.st_mode):
            continue
        if not _is_trusted(folder or ".", status):
            return Walk(place, is_planted=True, is_end=not parts)
        links += 1
        if links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        parts += _parts(os.readlink(place))
        place = folder
    return Walk(place, is_planted=False, is_end=True)


def _parts(path: str) -> list[str]:
    """The parts of a path, the last one first. An absolute path begins at "/"."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return [*reversed(parts), *(["/"] if path.startswith("/") else [])]


def _look(place: str) -> os.stat_result | None:
    try:
        return os.lstat(place)
    except OSError:  # not there yet, or not to be seen: whoever writes there will say so
        return None


def _is_trusted(folder: str, link: os.stat_result) -> bool:
    """Whether a link was made by a trusted user, or only trusted users can make links there.

    The owner of "/" counts as root, who has another number in some containers.
    """
    trusted = {*owners_here(), os.stat("/").st_uid}
    if link.st_uid in trusted:
        return True
    status = os.stat(folder)
    return status.st_uid in trusted and not status.st_mode & OTHERS_WRITE
