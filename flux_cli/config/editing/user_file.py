"""Changes one setting in the user's config.toml. Everything else in the file stays as it is."""

from __future__ import annotations

import os
import stat
import tomllib
from typing import TYPE_CHECKING

from flux_cli.config.editing.lines import with_line
from flux_cli.config.editing.own_file import make_folder, write_file
from flux_cli.config.load import check_user_file, read_bytes
from flux_cli.config.settings import SETTINGS
from flux_cli.core.errors import ConfigError, DiskError
from flux_cli.core.lite import json_text
from flux_cli.core.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flux_cli.config.settings import Setting
    from flux_cli.core.model import Json, ProviderRow

ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
EDIT = "flux config edit opens it in your editor"
ABOUT_FILE = """\
# Settings of flux. Remove the # in front of a line to use it.
# `flux config` lists the values that count, and docs/settings.md explains them.
# Keys do not belong here: `flux login` stores them.
"""
ABOUT_PRESETS = """\
# A preset is a look with a name, for --preset.
# [presets.hero]
# prompt_suffix = "soft light, no text"
# size = "1200x630"
"""


def store_setting(path: Path, name: str, value: Json, known: Mapping[str, ProviderRow]) -> bool:
    """Write a setting into the user's file, or remove it if the value is None.

    Returns whether that changed the file. The new text is checked as loading checks it, before
    anything is written. Raises ConfigError, UsageError and DiskError.
    """
    before, table = _read(path)
    if table.get(name) == value and type(table.get(name)) is type(value):
        return False
    expected = {**table, name: value}
    if value is None:
        del expected[name]
    written = None if value is None else json_text(value)
    after = with_line(before, name, written)
    if _parsed(after) != expected:
        raise ConfigError(f"{path} is written in a way that flux cannot change", hint=EDIT)
    check_user_file(str(path), after.encode(), known)
    refuse_read_only(path)
    make_folder(path.parent)
    write_file(path, after)
    return True


def make_starter(path: Path) -> None:
    """Write a file in which every setting is a comment. Raises DiskError."""
    make_folder(path.parent)
    settings = "\n".join(map(_commented, SETTINGS))
    write_file(path, f"{ABOUT_FILE}\n{settings}\n\n{ABOUT_PRESETS}")


def refuse_read_only(path: Path) -> None:
    """Raise DiskError for a file that its mode protects: a new one could replace it all the same.

    Its owner, such as a tool that manages settings, did not want that.
    """
    if path.exists() and not (os.access(path, os.W_OK) and path.stat().st_mode & ANY_WRITE):
        raise DiskError(f"cannot write {path}: it is read-only")


def _commented(setting: Setting) -> str:
    """A line for a setting, with its default. One without a default has a value to replace."""
    example = "..." if setting.kind == "text" else 1
    value = example if setting.default is None else setting.default
    return f"# {setting.name} = {json_text(value)}  # {setting.help}"


def _read(path: Path) -> tuple[str, dict[str, Json]]:
    """The text of the file, and what it says. Raises ConfigError for what is not TOML."""
    data = read_bytes(str(path)) or b""
    try:
        text = decode_text(data)
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        raise ConfigError(f"{path} is not valid TOML: {fault}", hint=EDIT) from fault


def _parsed(text: str) -> dict[str, Json] | None:
    """What a text says; None if it is not TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
