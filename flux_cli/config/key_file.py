"""Writes keys into credentials.toml and removes them. `keys` reads that file, and decides whose.

Only the line of one key changes: other keys, comments, and the order of lines stay.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from flux_cli.config.keys import CREDENTIALS, parse_credentials, read_credentials
from flux_cli.core.errors import ConfigError, DiskError
from flux_cli.core.lite import json_text
from flux_cli.disk.publish import publish, sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flux_cli.core.model import Json
    from flux_cli.core.text import Secret

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def store_key(folder: Path, variable: str, key: Secret) -> Path:
    """Write a key into credentials.toml of a folder, and return the path of that file.

    A new folder and a new file are only for the user. Raises ConfigError for a file or a folder of
    others and for a file that cannot be edited, and DiskError.
    """
    path = folder / CREDENTIALS
    _make_folder(folder)
    before = read_credentials(path)
    expected: dict[str, Json] = {**parse_credentials(before, path), variable: key.reveal()}
    after = _with_line(before, variable, f"{variable} = {json_text(key.reveal())}")
    _check(after, expected, path)
    _write(after, path)
    return path


def remove_keys(folder: Path, variables: Sequence[str]) -> list[str]:
    """Remove keys from credentials.toml of a folder. Returns the variables that were in it.

    Raises as `store_key`.
    """
    path = folder / CREDENTIALS
    text = read_credentials(path)
    table = parse_credentials(text, path)
    found = [variable for variable in variables if variable in table]
    for variable in found:
        del table[variable]
        text = _with_line(text, variable, None)
    if found:
        _check(text, table, path)
        _write(text, path)
    return found


def _make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone. Raises DiskError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        for one in reversed(missing):
            one.mkdir(mode=FOLDER_MODE, exist_ok=True)
    except OSError as fault:
        raise DiskError(f"cannot create {folder}: {fault.strerror}") from fault


def _with_line(text: str, variable: str, line: str | None) -> str:
    """The text with another line for a key, or without one. A new line comes before all tables."""
    lines = text.split("\n")
    assigns = re.compile(rf"""\s*(["']?){re.escape(variable)}\1\s*=""")
    place = next((number for number, one in enumerate(lines) if assigns.match(one)), None)
    if place is not None:
        lines[place : place + 1] = [] if line is None else [line]
    elif line is not None and any(one.lstrip().startswith("[") for one in lines):
        lines.insert(0, line)
    elif line is not None:
        end = len(lines) if lines[-1].strip() else len(lines) - 1
        lines[end:] = [line, ""]
    return "\n".join(lines)


def _check(text: str, expected: dict[str, Json], path: Path) -> None:
    """Raise ConfigError if the new text says anything but what is expected.

    A value may have several lines, and a line of a text may look like a key.
    """
    try:
        is_right = parse_credentials(text, path) == expected
    except ConfigError:
        is_right = False
    if not is_right:
        message = f"{path} is written in a way that flux cannot edit"
        raise ConfigError(
            message, hint="edit it yourself, with one key per line; see flux help keys"
        )


def _write(text: str, path: Path) -> None:
    try:
        publish([text.encode()], str(path), f".flux-{os.getpid()}.part", mode=FILE_MODE)
    except OSError as fault:
        raise DiskError(f"cannot write {path}: {fault.strerror}") from fault
    sync_folder(path.parent)
