"""The state folder: journals of runs, and images that were paid for but not saved yet.

In containers there may be no home folder, or one that nobody can write to. Then it is in
XDG_RUNTIME_DIR or in the temporary folder, and `state_note` says so.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from flux_cli.config.folders import APP
from flux_cli.core.errors import ConfigError
from flux_cli.core.request import Note
from flux_cli.core.text import variable_text
from flux_cli.disk.owners import is_own, user

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPORARY_VARIABLES = ("TMPDIR", "TEMP", "TMP")
TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - only names, nothing is made there
OTHERS = stat.S_IRWXG | stat.S_IRWXO
HINT = "set FLUX_STATE to a folder of your own"


def state_folder(environ: Mapping[str, str] | None = None) -> str:
    """The path of the state folder, which may not exist yet.

    Raises ConfigError if only a folder is left that another user can read or replace.
    """
    environ = os.environ if environ is None else environ
    usual = _usual(environ)
    if _named(environ) or _can_write(usual):
        return usual
    return _in_runtime_folder(environ) or _in_temporary_folder() or usual


def state_note(environ: Mapping[str, str] | None = None) -> tuple[Note, ...]:
    """A note if the usual state folder cannot be used, and which one is."""
    environ = os.environ if environ is None else environ
    usual, used = _usual(environ), state_folder(environ)
    if used == usual:
        return ()
    reason = "nothing can be written there; it may not outlive this session (see FLUX_STATE)"
    return (Note("state folder", usual, used, "default", reason, warning=True),)


def _named(environ: Mapping[str, str]) -> str:
    """The folder that FLUX_STATE names; "" if it is not set."""
    named = variable_text(environ, "FLUX_STATE")
    return os.path.expanduser(named)


def _usual(environ: Mapping[str, str]) -> str:
    """The folder that FLUX_STATE names, or the one in the home folder."""
    named = _named(environ)
    base = variable_text(environ, "XDG_STATE_HOME")
    if named or (os.path.isabs(base) and sys.platform == "linux"):
        return named or os.path.join(base, APP)
    import platformdirs

    try:
        return platformdirs.user_state_dir(APP, appauthor=False)
    except RuntimeError:  # no HOME, and no entry in passwd
        return f"/.local/state/{APP}"


def _can_write(path: str) -> bool:
    """Whether a folder can be written to, or made. Nothing is written to find out."""
    while not os.path.lexists(path):
        parent = os.path.dirname(path)
        if parent == path:
            return False
        path = parent
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def _in_runtime_folder(environ: Mapping[str, str]) -> str:
    """A folder in XDG_RUNTIME_DIR; "" if there is none that only this user can use."""
    base = variable_text(environ, "XDG_RUNTIME_DIR")
    if os.path.isabs(base) and _is_private(base) and _can_write(base):
        return os.path.join(base, APP)
    return ""


def _in_temporary_folder() -> str:
    """A private folder in the temporary folder, made if it is missing; "" if it cannot be made.

    Its name is the same in every run, so that `flux recover` finds what is in it. Raises
    ConfigError if somebody else has made it.
    """
    import tempfile

    name = f"{APP}-{user()}" if os.name == "posix" else APP
    try:
        base = tempfile.gettempdir()
        if base == os.getcwd() and base not in _temporary_folders():
            return ""  # tempfile takes the current folder if there is no temporary one
        folder = os.path.join(base, name)
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return ""
    if not _is_private(folder):
        message = f"the state folder {folder} can be used by another user"
        raise ConfigError(message, hint=HINT)
    return folder


def _temporary_folders() -> set[str]:
    """The real paths of folders that are meant for temporary files, as tempfile looks for them.

    A variable such as TMPDIR=. names no folder of its own.
    """
    named = [os.environ.get(name, "") for name in TEMPORARY_VARIABLES]
    folders = [*filter(os.path.isabs, named), *TEMPORARY]
    return {*map(os.path.abspath, folders), *map(os.path.realpath, folders)}


def _is_private(folder: str) -> bool:
    """Whether a path is a folder of this user, no link, that nobody else can use."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    if os.name != "posix":
        return stat.S_ISDIR(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and is_own(status) and not status.st_mode & OTHERS
