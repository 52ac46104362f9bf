"""One build per folder at a time, or several shards, and what a build that was killed has left.

The lock of the system goes with its process, so there is never a stale one to remove.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Self

from flux_cli.build.execution.originals import hide
from flux_cli.build.lock.file import RUNNING, running_path
from flux_cli.core.errors import DiskError, FluxError, UsageError
from flux_cli.core.text import plain
from flux_cli.disk.publish import sync_folder
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import iso_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from flux_cli.build.shards.division import Shard

MAX_NOTE = 65536  # bytes
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class Running:
    """Marks the folder of a manifest as being built, while it is open.

    Different shards may build in one folder at once, but none beside a build of everything.
    """

    def __init__(self, root: str, shard: Shard | None = None) -> None:
        """Raises UsageError if another build is running there, DiskError."""
        hide(root)
        place = os.path.join(root, RUNNING)
        self._shared = -1
        if shard:
            self._shared, _ = _held(place, shared=True)
            place = f"{place}.{shard.number}-of-{shard.shards}"
        try:
            self._file, note = _held(place)
        except FluxError:
            self._let_others_build()
            raise
        self._is_left = bool(note)  # a build was killed, or could not write all of its locks
        self._mark = ""
        # The runs of builds that were killed, by name of the lock.
        self.interrupted = _texts(note.get("runs"))
        self._own: list[str] = []  # names of the locks that this build writes

    def note(self, run: str, locks: Sequence[str], mark: str) -> None:
        """Write down that locks are about to change, since when, and the run, if there is one.

        `mark` is part of the names of files that are not finished yet.
        """
        self._mark = mark
        self._own = list(map(os.path.basename, locks))
        if run:
            self.interrupted |= dict.fromkeys(self._own, run)
        self._write()

    def keep(self, lock: str) -> None:
        """Keep the run of a lock that could not be written, for the next build."""
        self._own.remove(os.path.basename(lock))

    def _write(self) -> None:
        """Write the note, and wait for the disk: requests that the journal knows must not lack it.

        The new text comes first: if the end of an older one follows it, that is ignored.
        """
        since = iso_time(time.time())
        text = json.dumps({"since": since, "runs": self.interrupted, "mark": self._mark}).encode()
        os.pwrite(self._file, text, 0)
        os.truncate(self._file, len(text))
        os.fsync(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The note stays if the lock may lack anything of the run."""
        if kind is None and (self._own or self.interrupted or self._is_left):
            self.interrupted = {
                name: run for name, run in self.interrupted.items() if name not in self._own
            }
            with contextlib.suppress(OSError):
                self._write() if self.interrupted else os.truncate(self._file, 0)
        os.close(self._file)
        self._let_others_build()

    def _let_others_build(self) -> None:
        if self._shared >= 0:
            os.close(self._shared)


def _held(place: str, *, shared: bool = False) -> tuple[int, dict[str, object]]:
    """Open a note and lock it. Raises UsageError if another build has it, DiskError."""
    try:
        file = os.open(place, FLAGS, 0o600)
    except OSError as fault:
        raise DiskError(f"cannot write {place}: {fault.strerror}") from fault
    sync_folder(os.path.dirname(place))
    note = _read(file)
    if store.hold(file, shared=shared) is False:
        os.close(file)
        since = plain(str(note.get("since", "a moment ago")))
        message = f"another build has been running here since {since}"
        raise UsageError(message, hint="wait until it has ended")
    return file, note


def interrupted_run(lock: str) -> str:
    """The run of a build of this lock that was killed; "" if there is none. Nothing is written."""
    return _texts(_note_of(lock).get("runs")).get(os.path.basename(lock), "")


def left_mark(lock: str) -> str:
    """The mark of files that a killed build of this lock had not finished; "" if there is none."""
    return str(_note_of(lock).get("mark", ""))


def _note_of(lock: str) -> dict[str, object]:
    try:
        file = os.open(running_path(lock), os.O_RDONLY)
    except OSError:
        return {}
    try:
        return _read(file)
    finally:
        os.close(file)


def _read(file: int) -> dict[str, object]:
    try:
        text = os.pread(file, MAX_NOTE, 0).decode("utf-8", "replace")
        note, _ = json.JSONDecoder().raw_decode(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def _texts(value: object) -> dict[str, str]:
    """The texts of an object by name; none if it is no object."""
    items = value.items() if isinstance(value, dict) else ()
    return {name: run for name, run in items if isinstance(run, str)}
