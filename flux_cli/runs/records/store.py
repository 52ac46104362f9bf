"""The journals in the state folder: lists, finds and deletes them, and shows which are in use.

A run holds a lock on its journal. The system releases the lock when the process ends, for whatever
reason.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from flux_cli.config import folders
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.runs.records.history import PastRun, read

try:
    import fcntl
except ImportError:  # Windows: no run can be recognized as under way
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".jsonl"
KEPT = 500  # runs
KEPT_DAYS = 90
ROOM = 16 << 20  # bytes that must be free before a request: the largest known image has 8 MB
MAX_BYTES = 1 << 28  # of one journal; a run of ten thousand requests has some 20 MB
TRIES, PAUSE = 10, 0.01  # another process may hold the lock for a moment, to check it


class RecordedRun(NamedTuple):
    """One journal on disk: its content, its path, and whether its run is under way."""

    past: PastRun
    path: Path
    running: bool

    @property
    def folder(self) -> Path:
        """Where images are kept until they are saved."""
        return self.path.with_suffix("")

    @property
    def state(self) -> str:
        """The state of the run, as one word."""
        return "running" if self.running else self.past.state

    @property
    def began(self) -> str | None:
        """When the run began, in UTC, ISO 8601; None if the journal does not say."""
        return None if self.past.began is None else iso_time(self.past.began)


def runs_folder() -> Path:
    """The folder with all journals."""
    return folders.state_folder() / "runs"


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as `2026-12-01T10:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def list_runs(root: Path) -> list[RecordedRun]:
    """Every run in the folder, the newest first. Files that are not journals are skipped."""
    runs = [run for path in root.glob(f"*{SUFFIX}") if (run := _recorded(path))]
    return sorted(runs, key=lambda run: (run.past.began or 0.0, run.past.id), reverse=True)


def find_run(root: Path, name: str) -> RecordedRun:
    """The run of that name, or the only one whose name begins with it. Raises UsageError."""
    known = [path.stem for path in sorted(root.glob(f"*{SUFFIX}"))]
    named = [stem for stem in known if stem == name]
    if not named and name:
        named = [stem for stem in known if stem.startswith(name)]
    if len(named) > 1:
        raise UsageError(f"{name!r} matches several runs", hint="see: flux runs")
    if not named:
        raise UsageError(f"no run {name!r}", hint=did_you_mean(name, known) or "see: flux runs")
    path = root / f"{named[0]}{SUFFIX}"
    run = _recorded(path)
    if run is None:
        raise UsageError(f"{path} is not a journal that this flux can read", hint="see: flux runs")
    return run


def prune(root: Path, keep: int = KEPT, days: float = KEPT_DAYS) -> None:
    """Delete the journals of runs beyond the newest `keep` or older than `days`.

    A run with something to recover stays until it is too old. A run under way always stays.
    """
    oldest = time.time() - days * 86_400
    for place, path in enumerate(sorted(root.glob(f"*{SUFFIX}"), reverse=True)):
        with contextlib.suppress(OSError):
            is_old = path.stat().st_mtime < oldest
            is_beyond = place >= keep and not path.with_suffix("").exists()
            if (is_old or is_beyond) and not is_held(path):
                forget(path)


def forget(path: Path) -> None:
    """Delete a journal and what belongs to it."""
    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink()


def read_journal(path: Path) -> PastRun | None:
    """The run that a journal describes; None if the file cannot be read or is not a journal."""
    try:
        with path.open("rb") as file:
            return read(_lines(file.read(MAX_BYTES)))
    except OSError:
        return None


def _lines(data: bytes) -> Iterator[bytes]:
    return (line for line in data.split(b"\n") if line)


def _recorded(path: Path) -> RecordedRun | None:
    past = read_journal(path)
    return RecordedRun(past, path, is_held(path)) if past else None


def check_room(folder: Path) -> None:
    """Raise OSError if the disk has no room for an image."""
    if shutil.disk_usage(folder).free < ROOM:
        raise _disk_full()


def write_all(file: int, text: str) -> None:
    """Write text with a single write, so that other processes see it whole.

    Raises OSError if the disk is full.
    """
    data = text.encode("utf-8", "surrogatepass")
    if os.write(file, data) < len(data):
        raise _disk_full()


def _disk_full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that the name of a new file survives a power failure."""
    with contextlib.suppress(OSError):  # some systems cannot open folders
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def hold(file: int) -> bool:
    """Lock an open file until it is closed. False if another process holds it."""
    for left in reversed(range(TRIES)):
        if _lock(file):
            return True
        if left:
            time.sleep(PAUSE)
    return False


def is_held(path: Path) -> bool:
    """Whether a process holds the file."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:  # forgotten meanwhile
        return False
    try:
        return not _lock(file, shared=True)
    finally:
        os.close(file)


def _lock(file: int, *, shared: bool = False) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
