"""`flux config`: every setting with its value and where it came from; keys only as there or not there."""

from __future__ import annotations

from flux_cli import config, console, folders, keys
from flux_cli.core.errors import ConfigError
from flux_cli.core.model import Json
from flux_cli.core.rendering import SCHEMA
from flux_cli.core.settings import BY_NAME
from flux_cli.providers import ROWS


def run(*, as_json: bool) -> None:
    """Print the settings and which keys there are. Raises ConfigError for a file that makes no sense."""
    settings = config.load({}, ROWS)
    values = settings.values
    variables = dict.fromkeys(name for row in settings.providers.values() for name in row.key_variables)
    states = {variable: _key(variable) for variable in variables}
    if as_json:
        rows: dict[str, Json] = {
            name: {"value": value.value, "source": value.source, "variable": BY_NAME[name].variable}
            for name, value in values.items()
        }
        there: dict[str, Json] = dict(states)
        console.out_json({"schema": SCHEMA, "settings": rows, "keys": there, "folder": str(folders.user_folder())})
        return
    listed = [
        (name, console.shown(value.value), value.source, BY_NAME[name].variable, BY_NAME[name].help)
        for name, value in values.items()
    ]
    console.out(console.table([("Setting", "value", "source", "variable", "about"), *listed]))
    console.out("\n" + console.table([("Key", "state"), *states.items()]))


def path() -> None:
    """Print where the user's settings file belongs."""
    console.out(str(folders.user_folder() / "config.toml"))


def _key(variable: str) -> str:
    """Whether there is a key and where from; a file that may not be used says why."""
    try:
        secret, source = keys.find(variable, folders.user_folder())
    except ConfigError as fault:
        return f"unusable: {fault.message}"
    return f"set, from {source}" if secret else "not set"
