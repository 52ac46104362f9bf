"""Finds presets: the tables `[presets.NAME]` of flux.toml and config.toml, still unchecked."""

from __future__ import annotations

import os

from flux_cli.config.folders import user_path
from flux_cli.config.load import PRESETS, PROJECT_FILE, USER_FILE, project_file, read_file
from flux_cli.core.errors import ConfigError
from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PresetTable(NamedTuple):
    """The table of one preset. `is_project`: it is from a flux.toml, perhaps a stranger's."""

    path: str
    source: str  # for people
    table: dict[str, Any]
    is_project: bool


def preset_tables() -> dict[str, PresetTable]:
    """All presets by name. Those of a project replace the user's own of the same name.

    Raises ConfigError for a file that cannot be read, and for presets that are not tables.
    """
    from flux_cli.disk.owners import is_trusted

    found: dict[str, PresetTable] = {}
    user = os.path.join(user_path(), USER_FILE)
    for name, table in _tables_of(user).items():
        found[name] = PresetTable(user, USER_FILE, table, is_project=False)
    project = project_file()
    if project and is_trusted(project):
        for name, table in _tables_of(project).items():
            found[name] = PresetTable(project, PROJECT_FILE, table, is_project=True)
    return found


def _tables_of(path: str) -> dict[str, dict[str, Any]]:
    presets: Any = read_file(path).get(PRESETS, {})
    if not isinstance(presets, dict):
        raise ConfigError(f"{path}: presets must be tables, such as [presets.hero]")
    for name, table in presets.items():
        if not isinstance(table, dict):
            hint = "write [presets.NAME] and its keys below it"
            raise ConfigError(f"{path}: presets.{name} must be a table", hint=hint)
    return presets
