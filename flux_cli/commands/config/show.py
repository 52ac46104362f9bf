"""`flux config`: every setting with its source, presets, and which keys are set, but no keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flux_cli.config import folders, keys
from flux_cli.config.addresses import safe_url
from flux_cli.config.credentials import forms_of
from flux_cli.config.load import DEFAULT, ENVIRONMENT, Value, load_settings
from flux_cli.config.settings import SETTINGS, VARIABLES, Setting
from flux_cli.config.state import state_folder
from flux_cli.core.errors import ConfigError
from flux_cli.core.lite import SCHEMA, NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.text import variable_text
from flux_cli.providers.rows import ROWS
from flux_cli.request.styles.presets import read_presets
from flux_cli.terminal import messages, streams
from flux_cli.terminal.table import cell_text

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.config.presets import PresetTable

SETTING_HEADING = ("Setting", "value", "source", "variable", "about")


class KeyState(NamedTuple):
    """Whether there is a key in a variable or a file. `problem` says why a file cannot be used."""

    source: str = ""
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"unusable: {self.problem}"
        return f"set, from {self.source}" if self.source else "not set"


def run(*, as_json: bool) -> None:
    """Print the settings, the presets, and which keys are set.

    Raises ConfigError for an invalid settings file.
    """
    settings = load_settings({}, ROWS)
    messages.notes(settings.notes)
    values = all_values(settings)
    rows = {row.name: row for row in (*SETTINGS, *VARIABLES)}
    forms: dict[str, str] = {}
    for row in settings.providers.values():
        for name, form in forms_of(row).items():
            forms.setdefault(name, form)
    states = {variable: _key_state(variable, form) for variable, form in forms.items()}
    presets = read_presets()
    if as_json:
        streams.out_json(_document(values, rows, states) | {"presets": _described(presets)})
        return
    listed = [
        (
            name,
            cell_text(shown_value(name, value)),
            value.source,
            rows[name].variable,
            rows[name].help,
        )
        for name, value in values.items()
    ]
    presets_listed = [
        (name, found.source, cell_text(chosen)) for name, (found, chosen) in presets.items()
    ]
    keys_listed = [(variable, str(state)) for variable, state in states.items()]
    streams.say(streams.listing([SETTING_HEADING, *listed]))
    if presets:
        streams.say("\n" + streams.listing([("Preset", "source", "values"), *presets_listed]))
    streams.say("\n" + streams.listing([("Key", "state"), *keys_listed]))


SETTINGS_DOCUMENT: dict[str, object] = {
    "schema": (SCHEMA,),
    "settings": {"...": {"value": "any", "source": "text", "variable": "text"}},
    "keys": {"...": {"set": "boolean", "source": "text?", "problem": "text?"}},
    "presets": {"...": {"source": "text", "values": "object"}},
    "folder": "text",
}


def _document(
    values: Mapping[str, Value], rows: Mapping[str, Setting], states: Mapping[str, KeyState]
) -> dict[str, Json]:
    settings: dict[str, Json] = {
        name: {
            "value": shown_value(name, value),
            "source": value.source,
            "variable": rows[name].variable,
        }
        for name, value in values.items()
    }
    keys: dict[str, Json] = {
        variable: {
            "set": bool(state.source),
            "source": state.source or None,
            "problem": state.problem or None,
        }
        for variable, state in states.items()
    }
    folder = str(folders.user_folder())
    return {"schema": SCHEMA, "settings": settings, "keys": keys, "folder": folder}


def _described(presets: Mapping[str, tuple[PresetTable, dict[str, Json]]]) -> dict[str, Json]:
    """Presets in the JSON document, by name."""
    return {
        name: {"source": found.source, "values": values}
        for name, (found, values) in presets.items()
    }


def all_values(settings: Settings) -> dict[str, Value]:
    """The values of all settings, those of the environment alone included."""
    return settings.values | {row.name: _of_environment(row) for row in VARIABLES}


def shown_value(name: str, value: Value) -> Json:
    """The value of a setting, without what may hold a key in a URL that was never checked."""
    if name.endswith("base_url") and value.value:
        return safe_url(str(value.value))
    return value.value


def path() -> None:
    """Print the path of the user's settings file."""
    streams.out(str(folders.user_folder() / "config.toml"))


def _of_environment(row: Setting) -> Value:
    """A setting that only an environment variable can set."""
    given = variable_text(os.environ, row.variable)
    value: Json = given or None
    if row.name == "state":
        value = state_folder()  # shown even if it is the default
    if given:
        return Value(value, row.variable, ENVIRONMENT)
    return Value(value, "default", DEFAULT)


def _key_state(variable: str, form: str) -> KeyState:
    try:
        secret, source = keys.find(variable, folders.user_folder(), form=form)
    except ConfigError as fault:
        return KeyState(problem=fault.message)
    return KeyState(source=source) if secret else KeyState()
