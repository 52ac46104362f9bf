"""Writes image files: checks names first, writes atomically, overwrites only on request."""

import contextlib
import glob
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from flux_cli.core.errors import DiskError, OutputError
from flux_cli.core.image import ImageFile
from flux_cli.core.text import plain
from flux_cli.disk.folders import try_folders
from flux_cli.disk.links import check_folder, folder_behind, follow, is_dangling, refuse_planted
from flux_cli.disk.publish import publish, sync_folder
from flux_cli.images.formats import suffix_of
from flux_cli.images.names import Name, sibling

Replaced = bool | Collection[str]  # all existing files, none, or those of these paths
PART = ".flux-"  # prefix of files that are still being written


class Folder:
    """Saves images as files. If a name has been taken in the meantime, uses the next free one.

    `overwrite` says whether existing files are replaced, or which. `mark` is part of the names of
    unfinished files, so that `sweep` can find them after a crash.
    With `same`, an existing file with the same bytes counts as saved: an earlier run wrote it.

    The content of a file is on the disk before it gets its name. Its name is on the disk after
    `sync`, or at once if the folder lies on another device than the folder `state`: the journal
    could then survive a power failure that the name does not.
    """

    def __init__(
        self, *, overwrite: Replaced, mark: str = "", same: bool = False, state: str = ""
    ) -> None:
        self._overwrite, self._mark, self._same, self._state = overwrite, mark, same, state
        self._folders: dict[str, bool] = {}  # that have new files; whether on another device

    def save(self, name: Name, image: ImageFile, extra: int = 0, *, fresh: bool = False) -> str:
        """Write one image and return its path. Raises DiskError.

        `extra` numbers the second and further images of one call, from 1. A `fresh` name was not
        checked by `preflight`, so it never replaces a file.
        """
        path = name.path(suffix_of(image.format))
        if extra:
            path = sibling(path, extra + 1)
        try:
            if self._same and (there := _holder(path, b"".join(image.parts))):
                self._note_folder(os.path.dirname(there))
                return there
            check_folder(os.path.dirname(path))
            part = f"{PART}{self._mark}{os.urandom(8).hex()}"
            may_replace = self._replaces(path) and not extra and not fresh
            others = None if may_replace else _siblings(path)
            saved = publish(image.parts, path, part, others=others)
            self._note_folder(os.path.dirname(follow(saved) if may_replace else saved))
        except OSError as fault:
            raise DiskError(f"cannot write {path}: {fault.strerror}") from fault
        return saved

    def _replaces(self, path: str) -> bool:
        return self._overwrite if isinstance(self._overwrite, bool) else path in self._overwrite

    def sync(self) -> None:
        """Ask the disk to keep the names of all files that were saved."""
        for folder, is_elsewhere in tuple(self._folders.items()):  # a thread may still save one
            if not is_elsewhere:
                sync_folder(folder)

    def _note_folder(self, folder: str) -> None:
        if folder not in self._folders:
            self._folders[folder] = bool(self._state) and _differ(folder or ".", self._state)
        if self._folders[folder]:
            sync_folder(folder)


def _differ(folder: str, other: str) -> bool:
    """Whether two folders lie on different devices."""
    try:
        return os.stat(folder).st_dev != os.stat(other).st_dev
    except OSError:
        return False


def sweep(paths: Iterable[str], mark: str) -> None:
    """Remove the unfinished files with this mark that a crashed run left beside its files."""
    for folder in {Path(path).parent for path in paths}:
        for part in folder.glob(f"{PART}{glob.escape(mark)}*"):
            with contextlib.suppress(OSError):
                part.unlink()


def _holder(path: str, data: bytes) -> str:
    """The existing file of this or a numbered name with the same bytes; "" for none."""
    place, number = path, 2
    while os.path.lexists(place):
        with contextlib.suppress(OSError):
            if os.path.getsize(place) == len(data) and Path(place).read_bytes() == data:
                return place
        place, number = sibling(path, number), number + 1
    return ""


class Pipe:
    """Writes one image to a stream, for `-o -`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def save(
        self,
        _name: Name,
        image: ImageFile,
        extra: int = 0,
        *,
        fresh: bool = False,  # noqa: ARG002 - a stream has no name
    ) -> str:
        """Write the bytes and return "-". A closed pipe is not an error.

        Raises DiskError for a second image, or if the stream cannot be written.
        """
        if extra:
            message = "the provider returned several images, and a pipe takes one"
            raise DiskError(message, hint="save to files with -o")
        try:
            for part in image.parts:
                self._stream.write(part)
            self._stream.flush()
        except BrokenPipeError:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        except OSError as fault:
            raise DiskError(f"cannot write to standard output: {fault.strerror}") from fault
        return "-"

    def sync(self) -> None:
        """Do nothing: the reader decides what it keeps."""


def preflight(
    names: Iterable[Name],
    file_format: str | None,
    *,
    overwrite: bool,
    skip_existing: bool,
    write: bool = True,
    room: int = 0,
    hint: str = "use --overwrite to replace, --skip-existing to keep, or another -o",
    option: str = "-o",
) -> dict[int, str]:
    """Check every name before anything is paid for.

    `hint` follows the error about existing files, and `option` is how to name other places. With
    `write`, also try to write files of `room` bytes where the folders are, or will be. Returns
    the existing path of each name that is to be skipped, by index. Raises OutputError if a file
    exists that is neither to be overwritten nor skipped, if a link leads to nothing and is not to
    be written through, or if a folder cannot be written to.
    """
    present, folders = {}, {}
    planted = f"remove it, or name another place with {option}"
    for index, name in enumerate(names):
        folder = os.path.dirname(name.path("png"))
        if folder not in folders:
            refuse_planted(folder, planted)
        folders[folder] = True
        for path in name.candidates(file_format):
            if os.path.islink(path):
                folders[folder_behind(path, planted, overwrite=overwrite)] = True
            if found := _existing(path):
                present[index] = found
                break
    _refuse_special(present.values(), option)
    if present and not overwrite and not skip_existing:
        raise _taken([*present.values()], hint)
    if write:
        try_folders(folders, room, option)
    return present if skip_existing else {}


def _refuse_special(paths: Iterable[str], option: str) -> None:
    """Raise OutputError for devices, pipes and folders."""
    special = [path for path in paths if not (os.path.isfile(path) or is_dangling(path))]
    if special:
        more = "; -o - writes to standard output" if option == "-o" else f" with {option}"
        raise OutputError(f"{special[0]} is not a file", hint=f"name a file or a folder{more}")


def _taken(paths: Sequence[str], hint: str) -> OutputError:
    """The error for files that exist already."""
    others = len(paths) - 1
    there = f" and {others} more already exist" if others else " already exists"
    return OutputError(f"{paths[0]}{there}", hint=hint)


def is_folder(output: str) -> bool:
    """Whether `-o` names a folder: it ends with a slash, or a folder of that name exists."""
    try:
        return output.endswith(("/", os.sep)) or Path(output).is_dir()
    except (OSError, ValueError):  # too long for a file name
        return False


def is_special(output: str) -> bool:
    """Whether `-o` names a device, a pipe or a socket, to which no suffix must be added."""
    path = Path(output)
    try:
        return path.exists() and not path.is_dir() and not path.is_file()
    except (OSError, ValueError):
        return False


def _existing(path: str) -> str | None:
    """The path if something exists there, be it a link that leads to nothing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise OutputError(f"cannot access {plain(path, 200)!r}: {reason}") from fault
    return path


def _siblings(path: str) -> Iterator[str]:
    """What a file is called if its name has been taken meanwhile, best first."""
    for number in range(2, 10_000):
        yield sibling(path, number)
