"""Bytes that are kept outside of memory while the process lives, in a file without a name."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from hashlib import sha256
from threading import Lock
from typing import IO


class Scratch:
    """Keeps bytes, in memory if no disk takes them. Several threads may read them.

    Nobody else can change them, and nothing is left behind, however the process ends.
    """

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.digest = sha256(data).hexdigest()
        self._file: IO[bytes] | None = None
        self._memory, self._reading = data, Lock()
        with suppress(OSError):
            self._file = _write(data)
            self._memory = b""

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes from `start` on. Raises OSError."""
        if self._file is None:
            return self._memory[start : start + count]
        with self._reading:
            self._file.seek(start)
            return self._file.read(count)


def _write(data: bytes) -> IO[bytes]:
    """A file without a name that has these bytes. Raises OSError."""
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as the process lives
    try:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
    except OSError:
        file.close()
        raise
    return file
