"""A folder for received data, so that it stays out of memory and survives a crash."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

BUFFER_BYTES = 1 << 13  # parts are larger than that; Python 3.15 would hold 128 KiB per answer


class Spool:
    """Files with random names in one folder.

    A released file is renamed and overwritten by the next answer. That is much cheaper than
    removing files and making new ones, whose memory the system has to provide each time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._released: list[str] = []

    def new(self) -> str:
        """A path for a new file. A file with old content may be there: see `open_for_writing`."""
        path = os.path.join(self._folder, os.urandom(8).hex())
        if self._released:
            released = self._released.pop()
            with contextlib.suppress(OSError):
                os.utime(released, (0, 0))  # its content is saved: recovery may delete it
                os.rename(released, path)
        return path

    def keep(self, data: bytes) -> str:
        """Write the bytes into a new file and return its path. Raises OSError."""
        path = self.new()
        file = open_for_writing(path)
        try:
            file.write(data)
        finally:
            close_written(file)
        return path

    def release(self, path: str) -> None:
        """Mark a file as no longer needed."""
        self._released.append(path)

    def find(self, name: str) -> str | None:
        """The path of the file with that name, or None."""
        path = os.path.join(self._folder, name)
        return path if name.isalnum() and os.path.isfile(path) else None

    def close(self) -> None:
        """Remove all released files."""
        for path in self._released:
            with contextlib.suppress(OSError):
                os.unlink(path)
        self._released.clear()


def open_for_writing(path: str) -> BinaryIO:
    """Open a spool file at its start, without emptying it: see `close_written`. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb", BUFFER_BYTES)


def close_written(file: BinaryIO) -> None:
    """Cut off what an earlier answer left behind the written bytes, and close. Raises OSError."""
    with file:
        file.truncate()
