"""Keeps received data outside of memory, so that it stays small and survives a crash.

Received data is paid for, so it is never given up because a disk fails: see `ReceivedFile`.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from flux_cli.disk.owners import is_own

FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)


class Spool:
    """Files with random names in one folder. Without a folder, everything is held in memory.

    A released file is renamed and overwritten by the next answer. That is much cheaper than
    removing files and making new ones, whose memory the system has to provide each time.

    Paths name files, whether they are there or had to be stored in another place: `read` knows.
    The second place is a folder named after the first one, among the temporary files. A later run
    finds it, also if that run has another TMPDIR and `temporary` names the earlier one.
    """

    def __init__(self, folder: Path | None, temporary: str = "") -> None:
        self._folder = None if folder is None else str(folder)
        self.temporary = temporary
        self._released: list[str] = []
        self._moved: dict[str, str | bytes] = {}  # by path: another path, or the bytes themselves
        self._seconds: list[str] = []  # temporary folders that were needed

    def new(self) -> str:
        """A path for a new file. A file with old content may be there: see `ReceivedFile`."""
        path = os.path.join(self._folder or "", os.urandom(8).hex())
        if self._released:
            released = self._released.pop()
            with contextlib.suppress(OSError):
                os.utime(released, (0, 0))  # its content is saved: recovery may delete it
                os.rename(released, path)
        return path

    def open(self, path: str) -> "ReceivedFile":
        """Begin to receive the file with that path."""
        return ReceivedFile(self, path)

    def open_new(self) -> "ReceivedFile":
        """Begin to receive a new file."""
        return ReceivedFile(self, self.new())

    def keep(self, data: bytes) -> str:
        """Store the bytes as a new file and return its path. Raises OSError."""
        file = self.open_new()
        file.write(data)
        file.close()
        return file.path

    def read(self, path: str) -> bytes:
        """The bytes of a received file. Raises OSError."""
        place = self._locate(path)
        if isinstance(place, bytes):
            return place
        with open(place, "rb") as file:
            return file.read()

    def size(self, path: str) -> int:
        """The number of bytes of a received file. Raises OSError."""
        place = self._locate(path)
        return len(place) if isinstance(place, bytes) else os.path.getsize(place)

    def secure(self, path: str) -> str:
        """Write a received file to a disk if it is in memory.

        Returns where it is, which may be another path; "" if it is on no disk.
        """
        data = self._moved.get(path)
        if isinstance(data, bytes):
            with contextlib.suppress(OSError):
                file = self.open(path)
                file.write(data)
                file.close()
        place = self._locate(path)
        return place if isinstance(place, str) and os.path.isfile(place) else ""

    def release(self, path: str) -> None:
        """Mark a file as no longer needed."""
        place = self._moved.pop(path, path)
        if place == path:
            self._released.append(path)
        elif isinstance(place, str):
            with contextlib.suppress(OSError):
                os.unlink(place)

    def find(self, name: str) -> str | None:
        """The path of the file with that name, or None."""
        path = os.path.join(self._folder or "", name)
        if not name.isalnum():
            return None
        if path in self._moved or os.path.isfile(path):
            return path
        for base in dict.fromkeys((self.temporary, temporary_folder())):
            with contextlib.suppress(OSError):
                other = os.path.join(self._open_second(base), name)
                if os.path.isfile(other):
                    self._moved[path] = other
                    return path
        return None

    def close(self) -> None:
        """Remove all released files."""
        for path in self._released:
            with contextlib.suppress(OSError):
                os.unlink(path)
        self._released.clear()
        for folder in self._seconds:
            with contextlib.suppress(OSError):  # what is not saved stays in it
                os.rmdir(folder)

    def places(self, path: str) -> Iterator[str]:
        """Where on the disk a file can be stored, best place first. Raises OSError."""
        if self._folder is not None:
            yield path
            second = self._open_second(temporary_folder(), make=True)
            yield os.path.join(second, os.path.basename(path))

    def _open_second(self, base: str, *, make: bool = False) -> str:
        """The temporary folder of the run. Raises OSError if there is none of this user."""
        folder = os.path.join(base, f"flux-{os.path.basename(self._folder or '')}")
        if not base:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o700)
        if os.path.islink(folder) or not is_own(os.lstat(folder)):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        if folder not in self._seconds:
            self._seconds.append(folder)
        return folder

    def record(self, path: str, place: str | bytes) -> None:
        """Note where a received file is."""
        if place == path:
            self._moved.pop(path, None)
        else:
            self._moved[path] = place

    def _locate(self, path: str) -> str | bytes:
        """Where a received file is; an earlier run may have stored it in the second place."""
        if path not in self._moved and not os.path.exists(path):
            self.find(os.path.basename(path))
        return self._moved.get(path, path)


def temporary_folder() -> str:
    """Where this process keeps temporary files; "" if no such folder can be written to."""
    import tempfile  # most runs need no second place

    try:
        return tempfile.gettempdir()
    except OSError:
        return ""


class ReceivedFile:
    """One file while it arrives. If its place fails, everything moves to the next place.

    The last place is memory, so that neither a full disk nor a lack of file descriptors loses what
    is paid for. Methods raise OSError only if a disk does not return what was written to it.
    """

    def __init__(self, spool: Spool, path: str) -> None:
        self.path = path
        self._spool, self._places = spool, spool.places(path)
        self._memory: bytearray | None = None
        self._open_next()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes."""
        if self._memory is not None:
            self._memory += data
            return
        rest = memoryview(data)
        while rest:
            try:
                written = os.write(self._descriptor, rest)
            except OSError:
                self._move()
                self.write(rest)
                return
            self._size += written
            rest = rest[written:]

    def close(self) -> None:
        """Finish the file: cut off what an earlier file left behind the written bytes."""
        if self._memory is None:
            try:
                os.ftruncate(self._descriptor, self._size)
                is_removed = not os.fstat(self._descriptor).st_nlink
            except OSError:
                is_removed = True
            if is_removed:  # together with its folder, while this file was arriving
                self._move()
                self.close()
                return
            self._close_descriptor()
            self._spool.record(self.path, self._place)
        else:
            self._spool.record(self.path, bytes(self._memory))

    def drop(self) -> None:
        """Remove the file, whether it is closed or not."""
        self._memory = None
        self._close_descriptor()
        self._spool.record(self.path, self.path)
        if self._place:
            with contextlib.suppress(OSError):
                os.unlink(self._place)

    def _open_next(self) -> None:
        """Open the file in the next place that works, else in memory."""
        self._descriptor, self._place, self._size = -1, "", 0
        with contextlib.suppress(OSError):
            for place in self._places:
                with contextlib.suppress(OSError):
                    self._descriptor, self._place = os.open(place, FLAGS, 0o600), place
                    return
        self._memory = bytearray()

    def _move(self) -> None:
        """Take the written bytes along to the next place. Raises OSError."""
        descriptor, left = self._descriptor, self._place
        try:
            data = _read_back(descriptor, self._size)
        finally:
            self._close_descriptor()
            with contextlib.suppress(OSError):
                os.unlink(left)
        self._open_next()
        self.write(data)

    def _close_descriptor(self) -> None:
        """Close without an error: whoever reads the file checks that it is complete."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1


def _read_back(descriptor: int, size: int) -> bytes:
    """The first bytes of an open file. Raises OSError if they are not there any more."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    data = bytearray()
    while len(data) < size:
        part = os.read(descriptor, size - len(data))
        if not part:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        data += part
    return bytes(data)
