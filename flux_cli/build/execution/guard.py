"""Writes files of a build, and replaces only those that a build has written and nobody edited."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flux_cli.build.disk import digest_of_file
from flux_cli.build.lock.rows import STALE, File
from flux_cli.images.formats import suffix_of
from flux_cli.runs.failures import TakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flux_cli.core.image import ImageFile
    from flux_cli.images.files import Folder
    from flux_cli.images.names import Name


class Guard(Protocol):
    """Where the files of a build go, on this machine or not: nobody else's file is replaced."""

    written: dict[str, File]  # what was saved, by place, without how it was made

    def save(self, name: Name, image: ImageFile, extra: int = 0, *, fresh: bool = False) -> str:
        """Write one file and return its place. Raises TakenError if it may not be replaced."""

    def sync(self) -> None:
        """Ask the disk to keep the names of all files that were saved."""

    def folders(self, names: Iterable[Name]) -> set[Path]:
        """The folders of this machine in which files of these names are written."""


class GuardedFolder:
    """A folder that looks at each file again before it is replaced.

    `known` are the files of the lock by place. With `overwrite`, others may be replaced, too.
    `note` gets the place of a file, and what it will be, before it is written.
    """

    def __init__(
        self,
        folder: Folder,
        known: Mapping[str, File],
        note: Callable[[str, File], None],
        *,
        overwrite: bool,
    ) -> None:
        self._folder, self._known, self._note, self._overwrite = folder, known, note, overwrite
        self.written: dict[str, File] = {}  # what was saved, by place, without how it was made

    def save(self, name: Name, image: ImageFile, extra: int = 0, *, fresh: bool = False) -> str:
        """Write one file and return its path. Raises TakenError if it may not be replaced."""
        path = name.path(suffix_of(image.format))
        if not extra and not fresh and not self._overwrite and os.path.lexists(path):
            file = self._known.get(path)
            if file is None or _digest(path) != file.sha256:
                message = f"{path} was changed while images were made: it stays as it is"
                hint = "--adopt keeps it, --overwrite replaces it"
                raise TakenError(message, hint=hint)
        file = described(image)
        if not extra:
            self._note(path, file)
        saved = self._folder.save(name, image, extra, fresh=fresh)
        self.written[saved] = file
        return saved

    def sync(self) -> None:
        """Ask the disk to keep the names of all files that were saved."""
        self._folder.sync()

    def folders(self, names: Iterable[Name]) -> set[Path]:
        """The folders of this machine in which files are written."""
        return {Path(name.path("png")).parent for name in names}


def described(image: ImageFile) -> File:
    """A file as a row lists it, without how it was made."""
    digest = sha256()
    for part in image.parts:
        digest.update(part)
    return File(STALE, digest.hexdigest(), image.size, image.width or None, image.height or None)


def _digest(path: str) -> str:
    try:
        return digest_of_file(path)
    except OSError:
        return ""
