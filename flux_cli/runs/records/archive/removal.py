"""Removes the journals of earlier runs, but none that is under way.

What would be lost with a run is for the caller to say, and to ask about.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from flux_cli.core.errors import DiskError, UsageError
from flux_cli.core.values import counted
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import (
    STAMP,
    RecordedRun,
    Stray,
    dated_names,
    is_under_way,
    read_run,
)


def loss(run: RecordedRun | Stray) -> str:
    """What would be lost with a run, as the object of a sentence; "" if nothing."""
    folder = run.path.with_suffix("")
    files = [*store.files_in(folder), *store.files_in(store.aside_folder(folder))]
    parts = []
    if isinstance(run, Stray):
        parts.append("a journal that cannot be read")
    elif waiting := run.past.count("waiting"):
        parts.append(f"{counted(waiting, 'image')} paid for but not saved")
    elif (unclear := run.past.count("unclear")) and not run.past.is_told:
        parts.append(f"{counted(unclear, 'request')} that may have been paid for")
    if files:
        parts.append(f"{counted(len(files), 'received file')} in {folder}")
    return " and ".join(parts)


def older_runs(root: Path, seconds: float) -> list[RecordedRun]:
    """All runs that began before a time, in seconds since the epoch; the newest comes first."""
    newest = time.strftime(STAMP, time.localtime(max(0.0, seconds)))
    names = (name for stamp, name in dated_names(root) if stamp <= newest)
    found = map(read_run, (root / f"{name}{store.SUFFIX}" for name in names))
    runs = [one for one in found if isinstance(one, RecordedRun)]
    return [one for one in runs if one.past.began is None or one.past.began < seconds]


def refuse_running(run: RecordedRun | Stray) -> None:
    """Raise UsageError for a run that is under way, or that belongs to another user."""
    if isinstance(run, RecordedRun) and run.running:
        raise _under_way_error(run)
    if isinstance(run, Stray) and run.is_foreign:
        raise UsageError(f"run {run.path.stem} belongs to another user", hint="see: flux runs")


def remove(run: RecordedRun | Stray) -> None:
    """Delete the journal and the folder of a run.

    Raises UsageError if the run is under way, also if it has begun only now, and DiskError.
    """
    refuse_running(run)
    try:
        if isinstance(run, Stray):
            _delete(run.path)
        else:
            _delete_unless_held(run)
    except OSError as fault:
        message = f"cannot remove run {run.path.stem}: {fault.strerror or fault}"
        raise DiskError(message) from fault


def _delete_unless_held(run: RecordedRun) -> None:
    file = store.open_own(run.path, os.O_WRONLY | os.O_APPEND)
    try:
        held = store.hold(file)
        if held is False or (held is None and is_under_way(run.path, run.past)):
            raise _under_way_error(run)
        if held:
            _delete(run.path)
    finally:
        os.close(file)
    if held is None:  # Windows, where an open file cannot be deleted
        _delete(run.path)


def _delete(path: Path) -> None:
    """Delete the folder of a run, then its journal, without which nothing would find the folder.

    Raises OSError.
    """
    folder = path.with_suffix("")
    if os.path.lexists(folder):
        shutil.rmtree(folder)  # refuses links
    path.unlink(missing_ok=True)


def _under_way_error(run: RecordedRun) -> UsageError:
    return UsageError(
        f"run {run.past.id} is still under way", hint="wait until it ends, or stop it"
    )
