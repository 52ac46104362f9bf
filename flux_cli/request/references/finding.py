"""Finds the images that an image was made from, by their names and digests in its record."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.text import plain
from flux_cli.request.files.inputs import MAX_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.model import Json

SHOWN_DIGITS = 12  # of a digest


def find_images(recorded: Json, path: str) -> list[str]:
    """The paths of the images that a record names. `path` is that of the image with the record.

    A record may be a stranger's, so it decides neither which folder is searched nor that a file is
    used which has other bytes. Raises UsageError for an image that is not there.
    """
    identities = recorded if isinstance(recorded, list) else []
    return [_find(identity, path) for identity in identities]


def _find(identity: Json, path: str) -> str:
    fields = identity if isinstance(identity, dict) else {}
    name, digest = fields.get("name"), fields.get("sha256")
    known_name = name if isinstance(name, str) else ""
    if isinstance(digest, str):
        for candidate in _candidates(known_name, path):
            if _digest(candidate) == digest:
                return str(candidate)
    shown = plain(known_name, 100) or "an image"
    if isinstance(digest, str):
        shown += f" (SHA-256 {plain(digest)[:SHOWN_DIGITS]}…)"
    message = f"--like {path}: it was made from {shown}, which is neither beside it nor here"
    raise UsageError(message, hint="name every image that it was made from: --image FILE")


def _candidates(name: str, path: str) -> Iterator[Path]:
    """Where a file of that name may be: beside the image, and in the working folder."""
    bare = PurePath(name).name
    if not bare or bare != name or "\0" in name:
        return
    folders = (Path(path).parent, Path()) if path != "-" else (Path(),)
    for folder in folders:
        yield folder / bare


def _digest(path: Path) -> str:
    """The SHA-256 of a regular file in hex; "" for anything else, and for files no image has."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_IMAGE:
            return ""
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
