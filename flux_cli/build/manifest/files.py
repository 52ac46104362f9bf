"""Finds manifests and reads the files that they name, none of which leads out of their folder."""

from __future__ import annotations

import os
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.manifest.document import read_document
from flux_cli.build.manifest.paths import UnreadableError, inside
from flux_cli.build.manifest.reading import read_manifest
from flux_cli.core.errors import ManifestError
from flux_cli.core.text import decode_text
from flux_cli.disk.links import is_below
from flux_cli.disk.owners import is_trusted
from flux_cli.disk.pipes import open_file

if TYPE_CHECKING:
    from flux_cli.build.manifest.reading import Manifest

NAME = "flux-build.toml"
MAX_TEXT = 64 << 20  # bytes of a manifest or of rows
MAX_PROMPT = 1 << 20  # bytes of a prompt file
HINT = "flux build --init writes one from the images of this folder"


def find_manifest(start: str = ".") -> str:
    """The path of the manifest in a folder or above it, up to the top of the repository.

    Raises ManifestError if there is none, or if it belongs to another user: nobody named it.
    """
    folder = Path(start)
    for level in range(len(Path(os.path.abspath(start)).parts)):
        place = folder.joinpath(*[".."] * level)
        if (place / NAME).is_file():
            if not is_trusted(str(place / NAME)):
                message = f"{place / NAME} belongs to another user, who is not trusted"
                raise ManifestError(message, hint=f"to use it: flux build {place / NAME}")
            return str(place / NAME)
        if (place / ".git").exists():
            break
    raise ManifestError(f"there is no {NAME} here or above", hint=HINT)


def load_manifest(path: str) -> Manifest:
    """Read the manifest at a path. Raises ManifestError."""
    data = read_file(path, MAX_TEXT, path)
    return read_manifest(read_document(data, path), path)


class Folder:
    """The files that one manifest names, relative to its folder. Each is read once."""

    def __init__(self, manifest: str) -> None:
        self.root = os.path.dirname(manifest) or "."
        self._top = os.path.realpath(self.root)
        self._texts: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._inside: set[str] = set()  # folders that are not links to another place

    def text(self, path: str, where: str) -> str:
        """The text of a file, without spaces around it. Raises ManifestError."""
        if path not in self._texts:
            limit = MAX_TEXT if where.endswith(": rows") else MAX_PROMPT
            data = read_file(self.place(path, where), limit, f"{where}: {path}")
            try:
                text = decode_text(data)
            except UnicodeDecodeError as fault:
                message = f"{where}: {path} is not valid UTF-8"
                raise ManifestError(message, hint="convert it with iconv") from fault
            self._texts[path] = text.replace("\r\n", "\n").replace("\r", "\n").strip()
        return self._texts[path]

    def digest(self, path: str, where: str) -> str:
        """The SHA-256 of a file. Raises ManifestError."""
        if path not in self._digests:
            place = self.place(path, where)
            try:
                with open_file(place) as file:
                    self._digests[path] = file_digest(file, "sha256").hexdigest()
            except (OSError, ValueError) as fault:
                error = _unreadable(f"{where}: {path}", fault)
                error.path, error.where = path, where
                raise error from fault
        return self._digests[path]

    def place(self, path: str, where: str) -> str:
        """Where a file is, as seen from here. Raises ManifestError if it leads out of the folder.

        Links are followed.
        """
        relative = inside(path, where)
        place = os.path.join(self.root, relative)
        folder = os.path.dirname(place)
        if folder not in self._inside or os.path.islink(place):
            if not is_below(place, self._top):
                hint = "put the file itself there"
                message = f"{where}: {path!r} leads out of the folder of the manifest"
                raise ManifestError(message, hint=hint)
            self._inside.add(folder)
        return place


def read_file(path: str, limit: int, named: str) -> bytes:
    """The bytes of a file. Raises ManifestError if it has more than `limit`, or is no file."""
    try:
        with open_file(path) as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as fault:
        raise _unreadable(named, fault) from fault
    if len(data) > limit:
        raise ManifestError(f"{named} is larger than {limit >> 20} MiB")
    return data


def _unreadable(named: str, fault: OSError | ValueError) -> UnreadableError:
    reason = fault.strerror if isinstance(fault, OSError) else fault
    return UnreadableError(f"{named} cannot be read: {reason}", hint="check the name")
