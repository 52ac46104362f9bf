"""One build per folder at a time, and what a build that was killed has left.

The lock of the system goes with its process, so there is never a stale one to remove.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Self

from flux_cli.build.execution.originals import HIDDEN, hide
from flux_cli.build.execution.records import now
from flux_cli.core.errors import DiskError, UsageError
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from types import TracebackType

NAME = "running"
MAX_NOTE = 4096  # bytes


class Running:
    """Marks the folder of a manifest as being built, while it is open."""

    def __init__(self, root: str) -> None:
        """Raises UsageError if another build is running there, DiskError."""
        hide(root)
        place = os.path.join(root, HIDDEN, NAME)
        try:
            self._file = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise DiskError(f"cannot write {place}: {fault.strerror}") from fault
        note = _read(self._file)
        if not _take(self._file):
            os.close(self._file)
            since = plain(str(note.get("since", "a moment ago")))
            message = f"another build has been running here since {since}"
            raise UsageError(message, hint="wait until it has ended")
        self.interrupted = str(note.get("run", ""))  # the run of a build that was killed
        self._is_noted = bool(note)

    def note(self, run: str) -> None:
        """Write down the run of this build, and when it began: it is about to change something."""
        text = json.dumps({"since": now(), "run": run or self.interrupted})
        os.truncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)
        self._is_noted = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The note stays if the lock may lack anything of the run."""
        if kind is None and self._is_noted:
            with contextlib.suppress(OSError):
                os.truncate(self._file, 0)
        os.close(self._file)


def _read(file: int) -> dict[str, object]:
    try:
        note = json.loads(os.pread(file, MAX_NOTE, 0))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _take(file: int) -> bool:
    """Whether this process has the lock now. Windows has none."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
