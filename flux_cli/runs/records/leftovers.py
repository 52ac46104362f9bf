"""Takes secrets out of received files that stay in the state folder and are not whole images."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from flux_cli.core.errors import ImageError
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.records.privacy import bytes_without_keys, is_private_text

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def hide_secrets(path: str, *, private: bool) -> bool:
    """Take keys out of a file that is not a whole image, before it is kept. False if it is deleted.

    It is deleted if it is too large to be searched and may show a key, and in a `private` run
    if it is a text, which may repeat the prompt. A whole image stays as it is: it was paid for.
    """
    try:
        data = Path(path).read_bytes()
    except OSError:
        return os.path.exists(path)
    if _is_whole_image(data):
        return True
    safe = bytes_without_keys(data)
    if safe is None or (private and is_private_text(data)):
        _delete(path)
        return False
    if safe != data:
        return _replace(path, safe)
    return True


def _is_whole_image(data: bytes) -> bool:
    try:
        examine(data)
    except ImageError:
        return False
    return True


def _replace(path: str, data: bytes) -> bool:
    """Replace a file. If no disk takes the new one, the old one is deleted: it shows a key."""
    beside = f"{path}.new"
    try:
        with os.fdopen(os.open(beside, NEW, 0o600), "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except OSError:
        _delete(beside)
        _delete(path)
        return False
    return True


def _delete(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
