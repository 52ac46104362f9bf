"""Reads files that may be named pipes, without waiting forever for somebody to write into one."""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

PATIENCE = 3.0  # seconds until somebody must have opened a pipe for writing
PAUSE = 0.02  # seconds


def is_pipe(path: str | Path) -> bool:
    """Whether a path leads to a named pipe: opening one waits until somebody writes into it."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)  # a link counts as its target
    except (OSError, ValueError):
        return False


def read_file(path: Path, limit: int, check: Callable[[os.stat_result], None]) -> bytes:
    """At most `limit` bytes of a file, whose status is checked before it is read.

    A pipe, as shells make for `<(command)`, is read to its end, however long its writer takes.
    Raises OSError if it cannot be read, or if nobody writes into a pipe.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        check(status)
        if stat.S_ISREG(status.st_mode) or os.name != "posix":
            return file.read(limit)
        first = _first_byte(file.fileno()) if stat.S_ISFIFO(status.st_mode) else b""
        os.set_blocking(file.fileno(), True)
        return first + file.read(limit - len(first))


@contextmanager
def open_file(path: str | Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading: anything else could wait forever, or never end.

    Raises OSError, and ValueError for anything else.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("not a file")
        yield file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _first_byte(pipe: int) -> bytes:
    """The first byte of a pipe; b"" if there is a writer that has not written yet.

    Raises OSError if there is none.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            first = os.read(pipe, 1)
        except BlockingIOError:
            return b""
        if first:
            return first
        if time.monotonic() >= end:
            raise OSError(errno.EIO, "nobody writes into this pipe")
        time.sleep(PAUSE)
