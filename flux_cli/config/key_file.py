"""Writes keys into credentials.toml and removes them. `keys` reads that file, and decides whose.

Only the line of one key changes: other keys, comments, and the order of lines stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.config.editing.lines import with_line
from flux_cli.config.editing.own_file import make_folder, write_file
from flux_cli.config.keys import CREDENTIALS, parse_credentials, read_credentials
from flux_cli.core.errors import ConfigError
from flux_cli.core.lite import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flux_cli.core.model import Json
    from flux_cli.core.text import Secret


def store_key(folder: Path, variable: str, key: Secret) -> Path:
    """Write a key into credentials.toml of a folder, and return the path of that file.

    A new folder and a new file are only for the user. Raises ConfigError for a file or a folder of
    others and for a file that cannot be edited, and DiskError.
    """
    path = folder / CREDENTIALS
    make_folder(folder)
    before = read_credentials(path)
    expected: dict[str, Json] = {**parse_credentials(before, path), variable: key.reveal()}
    after = with_line(before, variable, json_text(key.reveal()))
    _check(after, expected, path)
    write_file(path, after)
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
        text = with_line(text, variable, None)
    if found:
        _check(text, table, path)
        write_file(path, text)
    return found


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
