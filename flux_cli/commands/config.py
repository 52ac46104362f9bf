"""`flux config`: every setting with its value and where it came from; keys only as there or not there."""

from __future__ import annotations

import os

from flux_cli.config import folders, keys
from flux_cli.config.load import RANKS, Value, load_settings
from flux_cli.config.settings import SETTINGS, VARIABLES, Setting
from flux_cli.core.errors import ConfigError
from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import Json
from flux_cli.core.table import cell_text
from flux_cli.providers.rows import ROWS
from flux_cli.terminal import streams


def run(*, as_json: bool) -> None:
    """Print the settings and which keys there are. Raises ConfigError for a file that makes no sense."""
    settings = load_settings({}, ROWS)
    values = settings.values | {row.name: _of_environment(row) for row in VARIABLES}
    named = {row.name: row for row in (*SETTINGS, *VARIABLES)}
    variables = dict.fromkeys(name for row in settings.providers.values() for name in row.key_variables)
    states = {variable: _key(variable) for variable in variables}
    if as_json:
        rows: dict[str, Json] = {
            name: {"value": value.value, "source": value.source, "variable": named[name].variable}
            for name, value in values.items()
        }
        there: dict[str, Json] = dict(states)
        streams.out_json({"schema": SCHEMA, "settings": rows, "keys": there, "folder": str(folders.user_folder())})
        return
    listed = [
        (name, cell_text(value.value), value.source, named[name].variable, named[name].help)
        for name, value in values.items()
    ]
    streams.say(streams.listing([("Setting", "value", "source", "variable", "about"), *listed]))
    streams.say("\n" + streams.listing([("Key", "state"), *states.items()]))


def path() -> None:
    """Print where the user's settings file belongs."""
    streams.out(str(folders.user_folder() / "config.toml"))


def _of_environment(row: Setting) -> Value:
    """What a variable says that no file can; a folder is shown although nobody named it."""
    said = os.environ.get(row.variable)
    value = str(folders.state_folder()) if row.name == "state" else said or None
    return Value(value, row.variable if said else "default", 1 if said else len(RANKS) - 1)


def _key(variable: str) -> str:
    """Whether there is a key and where from; a file that may not be used says why."""
    try:
        secret, source = keys.find(variable, folders.user_folder())
    except ConfigError as fault:
        return f"unusable: {fault.message}"
    return f"set, from {source}" if secret else "not set"
