"""Whose files are trusted. Windows does not say whose a file is, so there all of them are."""

from __future__ import annotations

import os

NONE = -1  # the owner of everything where the system does not tell


def user() -> int:
    """The user of this process."""
    return os.geteuid() if os.name == "posix" else NONE


def owners() -> set[int]:
    """Users whose files are trusted: this one and root; for root under sudo, also who called it."""
    caller = os.environ.get("SUDO_UID", "")
    if user() == 0 and caller.isdecimal():
        return {0, int(caller)}
    return {0, user()}


def owners_here() -> set[int]:
    """`owners`, and for root also the owner of the current folder.

    Containers and CI services run as root in the checkout of somebody else.
    """
    if user() != 0:
        return owners()
    try:
        return {*owners(), os.stat(".").st_uid}
    except OSError:  # it was deleted
        return owners()


def is_own(status: os.stat_result) -> bool:
    """Whether a file belongs to the user of this process."""
    return user() in (NONE, status.st_uid)


def is_trusted(path: str) -> bool:
    """Whether a file of a project is the user's own or root's; False if there is none.

    A symbolic link and its target must both be trusted.
    """
    if user() == NONE:
        return os.path.exists(path)
    try:
        found = {os.lstat(path).st_uid, os.stat(path).st_uid}
    except OSError:
        return False
    return found <= owners_here()
