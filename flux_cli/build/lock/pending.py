"""What a lock does not say yet while a build runs: rows of images, and files that it writes.

One file per lock, beside the manifest, to which lines are added. A build that is killed leaves it,
and the next one reads it: no image is paid for again, and no file looks like somebody else's.
"""

from __future__ import annotations

import contextlib
import json
import os
from threading import Lock
from typing import TYPE_CHECKING

from flux_cli.build.lock.checks import file_of, table_of
from flux_cli.build.lock.file import MAX_LOCK, pending_path
from flux_cli.build.lock.reading import read_lock
from flux_cli.build.lock.text import OPENING, lock_text
from flux_cli.build.manifest.files import read_file
from flux_cli.core.errors import DiskError, ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.disk.publish import sync_folder
from flux_cli.runs.records.store import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.lock.rows import File, Row

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


class Left(NamedTuple):
    """What a killed build has left: rows by asset, and files by path and SHA-256."""

    rows: Mapping[str, Row] = {}
    files: Mapping[str, Mapping[str, File]] = {}


class Pending:
    """Adds to what one lock does not say yet. Threads may share it."""

    def __init__(self, lock: str) -> None:
        self.lock = lock
        self._file: int | None = None
        self._opening, self._syncing = Lock(), Lock()
        self._written = self._synced = 0  # lines written, and lines the disk was asked to keep

    def add_row(self, name: str, row: Row) -> None:
        """Note the row of an image, and wait for the disk: it is paid for. Raises DiskError."""
        self._add(lock_text({name: row}).replace("\n", ""))
        with self._failing():
            self._sync()

    def add_file(self, path: str, file: File) -> None:
        """Note a file that is about to be written. Raises DiskError."""
        self._add(json.dumps({path: file._asdict()}))

    def forget(self) -> None:
        """Delete everything: the lock has it."""
        with contextlib.suppress(OSError):
            os.unlink(pending_path(self.lock))
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _add(self, line: str) -> None:
        with self._failing():
            # A line after one that was cut short is whole.
            write_all(self._open(), f"\n{line}\n".encode("utf-8", "surrogatepass"))
        self._written += 1

    def _open(self) -> int:
        with self._opening:
            if self._file is None:
                path = pending_path(self.lock)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._file = os.open(path, FLAGS, 0o600)
                sync_folder(os.path.dirname(path))
            return self._file

    def _sync(self) -> None:
        """Ask the disk to keep all lines. Threads that wait meanwhile need not ask again."""
        target = self._written
        with self._syncing:
            if self._file is not None and self._synced < target:
                written = self._written
                os.fsync(self._file)
                self._synced = written

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            path = pending_path(self.lock)
            raise DiskError(f"cannot write {path}: {fault.strerror}") from fault


def read_pending(lock: str) -> Left:
    """What a killed build has left beside a lock. A line that cannot be read is left out."""
    path = pending_path(lock)
    rows: dict[str, Row] = {}
    files: dict[str, dict[str, File]] = {}
    if not os.path.lexists(path):
        return Left()
    with contextlib.suppress(ManifestError):
        for line in read_file(path, MAX_LOCK, path).split(b"\n"):
            if line.startswith(OPENING.encode()):
                _read_row(line, rows)
            elif line:
                _read_file(line, files)
    return Left(rows, files)


def _read_row(line: bytes, rows: dict[str, Row]) -> None:
    """The row of a line. The first one of a run stays: what was made of it has its time."""
    with contextlib.suppress(ManifestError):
        for name, row in read_lock(line, "").rows.items():
            run = row.generated.get("run")
            if name not in rows or not run or rows[name].generated.get("run") != run:
                rows[name] = row


def _read_file(line: bytes, files: dict[str, dict[str, File]]) -> None:
    with contextlib.suppress(ValueError, KeyError, RecursionError):
        for path, table in table_of(json.loads(line)).items():
            file = file_of(path, table)
            files.setdefault(path, {})[file.sha256] = file
