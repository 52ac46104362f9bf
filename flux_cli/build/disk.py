"""The files of a build on disk, as planning sees them: sizes, digests, pointers of Git LFS."""

from __future__ import annotations

import errno
import os
import re
import stat
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError
from flux_cli.disk.links import is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_cli.build.lock.rows import File, Original

ORIGINALS = ".flux/originals"
# What Git LFS leaves in place of a file that was not downloaded.
POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n"
)
MAX_POINTER = 200  # bytes
OUTSIDE = "leads out of the folder of the manifest"


class Files:
    """The files below the folder of a manifest. What was seen once is not looked at again.

    If it `verifies`, every file is hashed, not only those of another size. `stored` tells whether a
    shared store has an original.
    """

    def __init__(
        self, root: str, *, verifies: bool = False, stored: Callable[[Original], bool] | None = None
    ) -> None:
        self.root, self._verifies, self._stored = root, verifies, stored
        self._top = os.path.realpath(root)  # without links
        self._sizes: dict[str, int] = {}  # by path; -1 for none
        self._digests: dict[str, str] = {}
        self._folders: set[str] = set()  # that are inside

    def place(self, path: str) -> str:
        """Where a file is, as seen from the working folder."""
        return place(path, self.root)

    def is_here(self, path: str) -> bool:  # noqa: ARG002 - all of them are
        """Whether a file is on a disk of this machine, or will be."""
        return True

    def trust(self, listed: Mapping[str, File]) -> None:
        """Take files as a row lists them, where looking at each would take too long: not here."""

    def can_move(self, old: str, new: str) -> bool:
        """Whether a file can be moved from path to path."""
        return self.is_here(old) and self.is_here(new)

    def exists(self, path: str) -> bool:
        return self.size(path) >= 0

    def holds(self, path: str, file: File) -> bool:
        if self._verifies:
            return self.equals(path, file)
        size = self.size(path)
        return size == file.bytes or (0 <= size <= MAX_POINTER and self.equals(path, file))

    def equals(self, path: str, file: File) -> bool:
        return self.exists(path) and self.digest(path) == file.sha256

    def has_original(self, original: Original) -> bool:
        try:
            if os.path.getsize(self.original(original)) == original.bytes:
                return True
        except OSError:
            pass
        return bool(self._stored and self._stored(original))

    def original(self, original: Original) -> str:
        """The path of an original."""
        return self.place(f"{ORIGINALS}/{original.name}")

    def digest(self, path: str) -> str:
        """The SHA-256 of a file, or the one that a pointer of Git LFS names. "" if unreadable."""
        if path not in self._digests:
            try:
                self._digests[path] = digest_of_file(self.place(path))
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def forget(self, path: str) -> None:
        """Look at a file again: it was written."""
        self._sizes.pop(path, None)
        self._digests.pop(path, None)

    def size(self, path: str) -> int:
        """The size of a file; -1 if there is none. Raises ManifestError if it is elsewhere."""
        size = self._sizes.get(path)
        if size is None:
            size = self._sizes[path] = self._look(path)
        return size

    def _look(self, path: str) -> int:
        folder = path[: path.rfind("/") + 1]
        if folder not in self._folders:
            self._check(folder, path)
            self._folders.add(folder)
        try:
            status = os.lstat(self.place(path))
            if stat.S_ISLNK(status.st_mode):
                self._check(path, path)
                status = os.stat(self.place(path))
        except OSError:
            return -1
        return status.st_size if stat.S_ISREG(status.st_mode) else 0

    def _check(self, part: str, path: str) -> None:
        """Raise ManifestError if links lead a part of the path out of the folder."""
        if not is_below(self.place(part), self._top):
            hint = "put the folder itself there, or name another one in output"
            raise ManifestError(f"{path} {OUTSIDE}", hint=hint)


def place(path: str, root: str) -> str:
    """A path of a manifest as seen from the working folder."""
    return path if root == "." else os.path.join(root, path)


def digest_of_file(path: str) -> str:
    """The SHA-256 of a file, or the one that a pointer of Git LFS names. Raises OSError.

    A pipe is refused: nobody may write to it, and flux would wait forever.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a file", path)
    with Path(path).open("rb") as file:
        start = file.read(MAX_POINTER + 1)
        if found := POINTER.fullmatch(start):
            return found[1].decode()
        file.seek(0)
        return file_digest(file, "sha256").hexdigest()
