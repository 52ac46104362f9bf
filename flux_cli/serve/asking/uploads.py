"""The files of a form, in a folder of their own until their request has ended."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

from flux_cli.core.request import ADDRESSES
from flux_cli.serve.answering.refusals import Refusal

UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)
LONGEST = 80  # characters of a file name


class StoredFile(NamedTuple):
    """An uploaded file: its path, and the SHA-256 of its bytes."""

    path: str
    digest: str


def new_folder() -> Path:
    """A folder for the files of one request."""
    return Path(tempfile.mkdtemp(prefix="flux-upload-"))


def store(folder: Path, number: int, name: str, content: BinaryIO) -> StoredFile:
    """Copy a file into the folder, under the name that its client gave. Raises OSError."""
    safe = UNSAFE.sub("-", PurePath(name).name).lstrip(".-")[-LONGEST:] or "image"
    place = folder / str(number)
    place.mkdir()
    path = place / safe
    digest = sha256()
    with path.open("wb") as file:
        while piece := content.read(1 << 20):
            digest.update(piece)
            file.write(piece)
    return StoredFile(str(path), digest.hexdigest())


def remove(folder: Path) -> None:
    """Delete the files of a request."""
    shutil.rmtree(folder, ignore_errors=True)


def check_place(place: str, folder: Path) -> str:
    """An uploaded file, a URL, or a data URI. Raises Refusal for the name of any other file."""
    if place.startswith((f"{folder}{os.sep}", *ADDRESSES, "data:")):
        return place
    message = "image and mask must be files, URLs, or data URIs"
    raise Refusal(400, message, code="invalid_value", param="image")
