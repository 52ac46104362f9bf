"""Finished files at addresses: `s3://bucket/img/hero.webp`.

They are not looked at while a build is planned: what a row lists is there. Before one is replaced,
its bytes are compared with those of the row, so that other people's files are safe there, too.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.build.disk import Files
from flux_cli.build.execution.guard import described
from flux_cli.core.errors import DiskError, NetworkError
from flux_cli.core.text import plain
from flux_cli.images.formats import suffix_of
from flux_cli.images.names import sibling
from flux_cli.runs.failures import TakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from flux_cli.build.lock.rows import File, Original
    from flux_cli.build.stores.store import Store
    from flux_cli.core.image import ImageFile
    from flux_cli.images.names import Name

LARGEST = 1 << 30  # bytes of a file that a killed build has left
PROBE = ".flux-check"  # written and deleted before anything is paid for
CHANGED_HINT = "--overwrite with --only NAME replaces it"


class StoredFiles(Files):
    """The files of assets at an address, besides those on this machine.

    With a `store`, those that no row lists are looked for: after a crash, they may be there. With
    `overwrite`, none counts as unchanged.
    """

    def __init__(
        self,
        root: str,
        address: str,
        *,
        verifies: bool = False,
        stored: Callable[[Original], bool] | None = None,
        store: Store | None = None,
        overwrite: bool = False,
    ) -> None:
        super().__init__(root, verifies=verifies, stored=stored)
        self._address, self._store, self._overwrite = f"{address}/", store, overwrite
        self._listed: dict[str, File] = {}

    def is_here(self, path: str) -> bool:
        return not path.startswith(self._address)

    def trust(self, listed: Mapping[str, File]) -> None:
        self._listed |= listed

    def forget(self, path: str) -> None:
        super().forget(path)
        self._listed.pop(path, None)

    def holds(self, path: str, file: File) -> bool:
        if self._overwrite and not self.is_here(path):
            return False
        return super().holds(path, file)

    def size(self, path: str) -> int:
        """The size of a file; -1 if there is none. Raises ManifestError, NetworkError."""
        if self.is_here(path):
            return super().size(path)
        if path in self._listed:
            return self._listed[path].bytes
        if self._store:
            size = self._store.size(path.removeprefix(self._address))
            return -1 if size is None else size
        return -1

    def digest(self, path: str) -> str:
        if self.is_here(path):
            return super().digest(path)
        if path in self._listed:
            return self._listed[path].sha256
        found = self._store and self._store.get(path.removeprefix(self._address), LARGEST)
        return sha256(found.data).hexdigest() if found and found.data is not None else ""


class StoredFolder:
    """Writes finished files at an address. See `GuardedFolder`, which does so on this machine."""

    def __init__(
        self,
        store: Store,
        known: Mapping[str, File],
        note: Callable[[str, File], None],
        *,
        overwrite: bool,
    ) -> None:
        self._store, self._known, self._note, self._overwrite = store, known, note, overwrite
        self.written: dict[str, File] = {}  # what was saved, by place, without how it was made

    def save(self, name: Name, image: ImageFile, extra: int = 0, *, fresh: bool = False) -> str:
        """Write one file and return its address.

        Raises TakenError if it may not be replaced, DiskError if it cannot be written.
        """
        path = name.path(suffix_of(image.format))
        data, file = b"".join(image.parts), described(image)
        try:
            if extra or fresh:
                path = self._write_beside(path, data, extra + 1)
            else:
                self._note(path, file)
                self._write(path, data)
        except NetworkError as error:
            raise DiskError(error.message, hint=error.hint) from error
        self.written[path] = file
        return path

    def sync(self) -> None:
        """Do nothing: what a store has accepted, it keeps."""

    def folders(self, _names: Iterable[Name]) -> set[Path]:
        """The folders of this machine in which files are written."""
        return set()

    def _write(self, path: str, data: bytes) -> None:
        place = path.removeprefix(f"{self._store.address}/")
        if self._overwrite:
            self._store.put(place, data)
            return
        if self._store.put_if_absent(place, data):
            return
        known = self._known.get(path)
        found = self._store.get(place, max(len(data), known.bytes if known else 0))
        if found and found.data == data:
            return  # a restarted machine writes its files again
        is_ours = found and known and _digest(found.data) == known.sha256
        if not (found and is_ours and self._store.replace(place, data, found)):
            message = f"{plain(path)} is not what a build has written: it stays as it is"
            raise TakenError(message, hint=CHANGED_HINT)

    def _write_beside(self, path: str, data: bytes, number: int) -> str:
        """Write under the first free name from a number on, and return it."""
        free = path if number == 1 else sibling(path, number)
        while not self._store.put_if_absent(free.removeprefix(f"{self._store.address}/"), data):
            number += 1
            free = sibling(path, number)
        return free


def _digest(data: bytes | None) -> str:
    return sha256(data).hexdigest() if data is not None else ""


def check_writable(store: Store, path: str) -> None:
    """Write and delete an object beside a path. Raises NetworkError: nothing is paid for yet."""
    folder = path.removeprefix(f"{store.address}/").rpartition("/")[0]
    probe = f"{folder}/{PROBE}".lstrip("/")
    store.put(probe, b"")
    with contextlib.suppress(NetworkError):  # those who may write may not always delete
        store.delete(probe)
