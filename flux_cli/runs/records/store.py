"""The state folder as a run needs it: room, locks, writing, and the journals it may forget.

A run holds a lock on its journal. The system releases the lock when the process ends, for whatever
reason. Where locks do not work, the process that the journal names decides: see `processes`.
`listing` finds and reads journals.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import time
from pathlib import Path

from flux_cli.config.state import state_folder
from flux_cli.core.model import Json
from flux_cli.disk.owners import is_own

try:
    import fcntl
except ImportError:  # Windows: nobody can tell by a lock whether a run is under way
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".jsonl"
ASIDE = "rescued"  # in the folder of a run
KEPT = 500  # runs with nothing left to do
KEPT_DAYS = 90  # of such a run
ROOM = 16 << 20  # bytes on a disk per request in flight; the largest known image has 8 MB
TRIES, PAUSE = 10, 0.01  # another process may hold the lock for a moment, to check it
BINARY = getattr(os, "O_BINARY", 0)  # on Windows, else line breaks would become two characters
OWN_FILE = BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # no FIFO blocks
STARTED = 19  # the index of the start time in /proc/PID/stat, after the name of the program


def runs_folder() -> Path:
    """The folder with all journals. Raises ConfigError, see `state_folder`."""
    return Path(state_folder()) / "runs"


def aside_folder(folder: Path) -> Path:
    """The folder of files that `flux recover` could not save, in the folder of their run."""
    return folder / ASIDE


def aside_folders(root: Path) -> list[Path]:
    """All such folders of the runs in `root`, of which there may be thousands."""
    try:
        with os.scandir(root) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    places = (os.path.join(folder, ASIDE) for folder in folders)
    return [Path(place) for place in places if os.path.isdir(place)]


def new_name() -> str:
    """A unique name for a run: its local time and six random hex digits."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def is_run_name(name: str) -> bool:
    """Whether a name is that of a run: `20261126-101502-4f3a1c`."""
    date, _, rest = name.partition("-")
    clock, _, tail = rest.partition("-")
    return (date + clock).isdigit() and (len(date), len(clock), len(tail)) == (8, 6, 6)


def prune(root: Path, keep: int = KEPT, days: float = KEPT_DAYS) -> None:
    """Delete the journals of runs beyond the newest `keep` or older than `days`, by their names.

    A run with a folder stays: it is under way, or something in it is not saved or not clear.
    """
    oldest = time.strftime("%Y%m%d", time.localtime(time.time() - days * 86_400))
    stems = [name.removesuffix(SUFFIX) for name in os.listdir(root) if name.endswith(SUFFIX)]
    for place, stem in enumerate(sorted(filter(is_run_name, stems), reverse=True)):
        if (place >= keep or stem < oldest) and not os.path.lexists(root / stem):
            with contextlib.suppress(OSError):
                os.unlink(root / f"{stem}{SUFFIX}")


def forget(path: Path) -> None:
    """Delete a journal and the folder of its run."""
    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink()


def open_own(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a journal. Raises OSError, also if it is no regular file or belongs to another user."""
    file = os.open(path, flags | OWN_FILE)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if not is_own(status):
            raise PermissionError(errno.EPERM, "it belongs to another user")
    except BaseException:
        os.close(file)
        raise
    return file


def write_all(file: int, data: bytes) -> None:
    """Append with a single write, so that other processes see the data whole.

    Raises OSError if the disk is full. Then nothing of the data stays.
    """
    written = os.write(file, data)
    if written < len(data):
        with contextlib.suppress(OSError):
            os.ftruncate(file, os.fstat(file).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sync_file(path: str) -> bool:
    """Sync the content of a file, so that it survives a power failure. Returns whether it does."""
    try:
        file = os.open(path, os.O_RDWR | OWN_FILE)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except OSError:
        return False
    return True


def files_in(folder: str | Path) -> list[str]:
    """The paths of the files in a folder; none if it is gone."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []


def hold(file: int, *, shared: bool = False) -> bool | None:
    """Lock an open file until it is closed, with `shared` together with others that do.

    False if another process holds it, None if the file system has no locks.
    """
    held: bool | None = False
    for left in reversed(range(TRIES)):
        held = _lock(file, shared=shared)
        if held is not False:
            break
        if left:
            time.sleep(PAUSE)
    return held


def is_held(path: Path) -> bool | None:
    """Whether a process holds the file. None if the file system has no locks."""
    try:
        file = open_own(path)
    except OSError:  # forgotten meanwhile
        return False
    try:
        is_free = _lock(file, shared=True)
    finally:
        os.close(file)
    return None if is_free is None else not is_free


def _lock(file: int, *, shared: bool = False) -> bool | None:
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def this_process() -> dict[str, Json]:
    """What tells this process from all others: its computer, its number and when it started."""
    node = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return {"host": node, "pid": os.getpid(), "started": start_of("self")}


def start_of(process: int | str) -> str:
    """When a process started, in ticks since the system did; "" where the system does not tell."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[STARTED].decode()
    except (OSError, IndexError):
        return ""
