"""The folder of the images that the server made, under names that nobody can guess.

Images of a provider are paid for, so they stay until a person deletes them. Sketches are deleted
after an hour.
"""

from __future__ import annotations

import mimetypes
import os
import re
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from flux_cli.config.state import state_folder
from flux_cli.core.errors import DiskError
from flux_cli.images.formats import BY_SUFFIX, FORMATS, split_suffix

NAME = re.compile(r"[\w-]{22}-[0-9]{1,3}\.[a-z]{3,4}", re.ASCII)
KEPT_SECONDS = 3600.0  # of a sketch
SWEPT_SECONDS = 60.0  # between two looks for old sketches
LATEST = 12  # images on the page


class Pictures:
    """A folder of images. `is_paid`: they come from a provider."""

    def __init__(self, *, is_paid: bool) -> None:
        self._is_paid = is_paid
        self._swept = time.monotonic()
        try:
            self.folder = _paid_folder() if is_paid else _new_folder()
        except OSError as fault:
            message = f"cannot make a folder for images: {fault.strerror}"
            raise DiskError(message, hint="name another folder in FLUX_STATE") from fault

    def close(self) -> None:
        """Delete the sketches."""
        if not self._is_paid:
            shutil.rmtree(self.folder, ignore_errors=True)

    def new_name(self) -> str:
        """A template for `-o`: a new name in the folder, whose format is not known yet."""
        folder = str(self.folder).replace("{", "{{").replace("}", "}}")
        return f"{folder}{os.sep}{secrets.token_urlsafe(16)}-{{index}}.{{ext}}"

    def find(self, name: str) -> Path | None:
        """The file of an image; None if there is none."""
        if not NAME.fullmatch(name):
            return None
        path = self.folder / name
        return path if path.is_file() else None

    def latest(self) -> list[str]:
        """The names of the newest images, the newest first."""
        found: list[tuple[float, str]] = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if NAME.fullmatch(entry.name):
                    with suppress(OSError):
                        found.append((entry.stat().st_mtime, entry.name))
        return [name for _, name in sorted(found, reverse=True)[:LATEST]]

    def sweep(self) -> None:
        """Delete sketches that are older than an hour."""
        now = time.monotonic()
        if self._is_paid or now - self._swept < SWEPT_SECONDS:
            return
        self._swept = now
        oldest = time.time() - KEPT_SECONDS
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat().st_mtime < oldest:
                        Path(entry.path).unlink()


class StoredImage:
    """An image file as the content of an answer; see `uploads.Content`."""

    def __init__(self, path: str, size: int) -> None:
        self._path, self.size = path, size
        self.digest = ""  # nobody asks for it

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes from `start` on. Raises OSError."""
        with Path(self._path).open("rb") as file:
            file.seek(start)
            return file.read(count)


def mime_of(name: str) -> str:
    """The media type of an image, by its suffix. A provider may make what flux does not."""
    found = BY_SUFFIX.get(split_suffix(name)[1].lower())
    if found:
        return FORMATS[found].mime
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="flux-serve-"))


def _paid_folder() -> Path:
    folder = Path(state_folder()) / "served"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
