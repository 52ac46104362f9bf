"""Finds and reads the journals in the state folder, and shows which runs are under way.

Nothing that lies there stops the others: a file that is no journal, is damaged or belongs to
another user becomes a `Stray`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.disk.owners import is_own
from flux_cli.runs.records.history import is_newer, read
from flux_cli.runs.records.lines import SEAL_MARK
from flux_cli.runs.records.past import PastRun
from flux_cli.runs.records.store import SUFFIX, files_in, is_held, is_run_name, open_own

LAST = "last"  # instead of a name: the newest run
STAMP = "%Y%m%d-%H%M%S"  # local time, with which the name of a run begins
MAX_LINE = 1 << 26  # bytes; a reply has at most 8 MB of text, and JSON may escape it
MAX_LINES = 1 << 20  # of one journal; a run of ten thousand requests has sixty thousand
BEGUN_WITHIN = 3600.0  # seconds after which nobody still writes the first line of a journal


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


class Stray(NamedTuple):
    """The files of a run whose journal cannot be used. `reason` is the rest of a sentence.

    If it `is_damaged`, or missing, its files can be moved aside. If it `is_foreign`, it belongs to
    another user.
    """

    path: Path  # of the journal
    reason: str
    is_damaged: bool = False
    is_foreign: bool = False


class Listing(NamedTuple):
    """Everything in the folder of journals. The newest run comes first."""

    runs: list[RecordedRun]
    strays: list[Stray]


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as `2026-12-01T10:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def list_all(root: Path) -> Listing:
    """Every run in the folder, and what is left of runs whose journals cannot be used."""
    found = [read_run(root / f"{stem}{SUFFIX}") for stem in run_names(root)]
    runs = [one for one in found if isinstance(one, RecordedRun)]
    strays = [one for one in found if isinstance(one, Stray)]
    runs.sort(key=age_key, reverse=True)
    return Listing(runs, strays)


def age_key(run: RecordedRun) -> tuple[float, str]:
    """What sorts runs by their age, the oldest first."""
    return run.past.began or 0.0, run.past.id


def dated_names(root: Path) -> list[tuple[str, str]]:
    """The names of all runs after the local time of each (see STAMP), the newest first.

    No journal is opened: the time is in the name, or else that of the file.
    """
    return sorted(((_stamp(root, name), name) for name in run_names(root)), reverse=True)


def _stamp(root: Path, name: str) -> str:
    if is_run_name(name):
        return name[: len("20261126-101502")]
    seconds = 0.0
    with contextlib.suppress(OSError):
        seconds = (root / f"{name}{SUFFIX}").lstat().st_mtime
    return time.strftime(STAMP, time.localtime(seconds))


def find_run(root: Path, name: str) -> RecordedRun:
    """The run of that name, or the only one whose name begins with it. Raises UsageError.

    `last` names the newest run.
    """
    found = find(root, name)
    if isinstance(found, Stray):
        message = f"{found.path} is not a journal that this flux can read: {found.reason}"
        raise UsageError(message, hint="see: flux runs")
    return found


def find(root: Path, name: str) -> RecordedRun | Stray:
    """Like `find_run`, but a journal that cannot be used is returned, too."""
    known = run_names(root)
    named = [stem for stem in known if stem == name]
    if not named and name == LAST:
        named = _newest(root)
    elif not named and name:
        named = [stem for stem in known if stem.startswith(name)]
    if len(named) > 1:
        raise UsageError(f"{name!r} matches several runs", hint="see: flux runs")
    if not named:
        raise UsageError(f"no run {name!r}", hint=did_you_mean(name, known) or "see: flux runs")
    path = root / f"{named[0]}{SUFFIX}"
    return read_run(path) or Stray(path, "it has no line of a journal")


def _newest(root: Path) -> list[str]:
    """The name of the newest run; none if there are no runs. Names tell seconds, journals more."""
    dated = dated_names(root)
    tied = (root / f"{name}{SUFFIX}" for stamp, name in dated if stamp == dated[0][0])
    runs = [one for one in map(read_run, tied) if isinstance(one, RecordedRun)]
    if not runs:
        return [name for _, name in dated[:1]]
    return [max(runs, key=age_key).path.stem]


def read_journal(path: Path, *, with_replies: bool = True) -> PastRun | None:
    """The run that a journal describes; None if its first line is missing or damaged.

    Raises OSError if it cannot be read, or belongs to another user.
    """
    with os.fdopen(open_own(path), "rb") as file:
        return read(_lines(file), with_replies=with_replies)


def is_under_way(path: Path, past: PastRun) -> bool:
    """Whether a process still works on a run."""
    held = is_held(path)
    if held is not None:
        return held
    from flux_cli.runs.records.processes import is_running  # rarely needed

    return any(map(is_running, past.owners))


def run_names(root: Path) -> list[str]:
    """The names of all runs, in their order, also of those that have only a journal or a folder."""
    names: Iterable[str] = ()
    with contextlib.suppress(OSError):
        names = os.listdir(root)
    stems = {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}
    others = (name for name in names if name not in stems and is_run_name(name))
    return sorted(stems.union(others))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines that are not empty, one at a time: a journal may be larger than the memory."""
    for _ in range(MAX_LINES):
        line = file.readline(MAX_LINE)
        if not line:
            return
        if line := line.rstrip(b"\r\n"):  # older releases wrote both on Windows
            yield line
    yield b"too many lines"  # counts as damaged


def read_run(path: Path) -> RecordedRun | Stray | None:
    """A journal as far as it can be used. None if nothing says that it is one."""
    try:
        past = read_journal(path, with_replies=False)
    except FileNotFoundError:
        return _without_journal(path)
    except PermissionError as fault:
        return Stray(path, str(fault.strerror), is_foreign=_is_foreign(path))
    except OSError as fault:
        return Stray(path, str(fault.strerror)) if is_run_name(path.stem) else None
    if past:
        return RecordedRun(past, path, is_under_way(path, past))
    return _without_first_line(path)


def _is_foreign(path: Path) -> bool:
    try:
        return not is_own(path.lstat())
    except OSError:
        return False


def _without_journal(path: Path) -> Stray | None:
    """The folder of a run whose journal is missing. A run makes its journal first."""
    folder = path.with_suffix("")
    with contextlib.suppress(OSError):
        if not folder.is_symlink() and any(files_in(folder)):
            is_foreign = _is_foreign(folder)
            return Stray(path, "its journal is missing", is_damaged=True, is_foreign=is_foreign)
    return None


def _without_first_line(path: Path) -> Stray | None:
    """A journal that does not begin as one. It may also be begun at this moment."""
    held = is_held(path)
    with contextlib.suppress(OSError), os.fdopen(open_own(path), "rb") as file:
        status = os.fstat(file.fileno())
        is_young = abs(time.time() - status.st_mtime) < BEGUN_WITHIN
        if held or (is_young and (held is None or status.st_size == 0)):
            return None
        first = next(_lines(file), b"")
        if is_newer(first):
            return Stray(path, "a newer version of flux has written it")
        if is_run_name(path.stem) or SEAL_MARK in first:
            return Stray(path, "its first line is damaged", is_damaged=True)
    return None
