"""`flux config get`, `set`, and `unset`: one setting at a time."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flux_cli.commands.config.show import all_values, shown_value
from flux_cli.commands.setup.account import without_home
from flux_cli.config.editing.user_file import store_setting
from flux_cli.config.folders import user_folder
from flux_cli.config.keys import looks_like_key
from flux_cli.config.load import PRESETS, USER, USER_FILE, Value, load_settings
from flux_cli.config.presets import preset_tables
from flux_cli.config.settings import BY_NAME, SET, VARIABLES, parse_setting
from flux_cli.core.errors import FluxError, UsageError, did_you_mean
from flux_cli.core.lite import json_text
from flux_cli.providers.rows import ROWS
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.config.settings import Setting
    from flux_cli.core.model import Json

NO_VALUE = 1  # exit code of `get` for a setting that has no value


def get(name: str) -> int:
    """Print the value of a setting alone, whatever its source, and return the exit code.

    Raises UsageError for an unknown setting, and ConfigError for settings that are wrong.
    """
    known = BY_NAME | {row.name: row for row in VARIABLES}
    row = _find(name, known, "flux doctor says where they come from")
    settings = load_settings({}, ROWS)
    messages.notes([note for note in settings.notes if note.parameter == row.name])
    value = shown_value(row.name, all_values(settings)[row.name])
    if value is None:
        messages.err(f"flux: note: {row.name} has no value")
        return NO_VALUE
    streams.out_data(value if isinstance(value, str) else json_text(_whole(value)))
    return 0


def set_value(name: str, text: str) -> None:
    """Write a setting into the user's config.toml.

    Raises UsageError for an unknown setting, ConfigError for an invalid value or a file that is
    wrong, and DiskError.
    """
    row = _find(name, BY_NAME, "flux login stores keys")
    if not text.isprintable():
        raise UsageError(f"the value of {row.name} has control characters, or is not text")
    value = _whole(parse_setting(row, text, SET))
    shown = shown_value(row.name, Value(value, SET, USER))
    _store(row, value, f"{row.name} = {json_text(shown)}")


def unset(name: str) -> None:
    """Remove a setting from the user's config.toml. Raises as `set_value`."""
    row = _find(name, BY_NAME, "flux logout removes keys")
    _store(row, None, f"{row.name} removed")


def _store(row: Setting, value: Json, done: str) -> None:
    """Change the user's file, and say what was done, and what has precedence over it."""
    path = user_folder() / USER_FILE
    try:
        is_changed = store_setting(path, row.name, value, ROWS)
    except UsageError as fault:
        if row.name == "provider" and value in ROWS and "needs a URL" in fault.message:
            fault.hint = f"first: {SET} base_url http://localhost:8080/v1"
        raise
    words = done if is_changed else "unchanged"
    streams.say(f"{without_home(str(path))}: {words}")
    with contextlib.suppress(FluxError):  # of another source
        found = load_settings({}, ROWS).values[row.name]
        if found.rank < USER:
            shown = json_text(_whole(shown_value(row.name, found)))
            messages.err(f"flux: note: {found.source} has precedence: {row.name} is {shown} here")


def _whole(value: Json) -> Json:
    """The value, but 2 instead of 2.0, as people write it."""
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value  # type: ignore[arg-type] # it is a float


def _find(name: str, known: Mapping[str, Setting], key_hint: str) -> Setting:
    """The setting of a name. Raises UsageError that says what else the name may be."""
    found = known.get(name) or known.get(name.replace("-", "_"))
    if found:
        return found
    table, dot, rest = name.partition(".")
    if dot and table in (PRESETS, "providers"):
        raise _table_error(name, table, rest)
    for row in VARIABLES:
        if row.name == name:
            message = f"only the environment sets {name}"
            raise UsageError(message, hint=f"export {row.variable}=VALUE")
    if name.lower().endswith(("key", "token", "key_file")) or looks_like_key(name):
        raise UsageError("keys are not settings, and flux never prints them", hint=key_hint)
    by_variable = {row.variable: row.name for row in known.values()}
    near = by_variable.get(name) or ""
    hint = f"did you mean {near}?" if near else did_you_mean(name, tuple(known))
    raise UsageError(f"no setting {name!r}", hint=hint or f"settings: {', '.join(known)}")


def _table_error(name: str, table: str, rest: str) -> UsageError:
    """The error for a preset or a provider, which is a table of several values."""
    edit = "flux config edit opens the file"
    if table != PRESETS:
        shown = f"flux providers {rest.partition('.')[0]} shows it"
        return UsageError(f"{name} is part of a table, not one setting", hint=f"{shown}; {edit}")
    presets, preset = preset_tables(), rest.partition(".")[0]
    if preset not in presets:
        hint = did_you_mean(preset, tuple(presets)) or edit
        return UsageError(f"there is no preset {preset!r}", hint=hint)
    hint = f"flux config --json has its values; {edit}"
    return UsageError(f"preset {preset} is a table, not one setting", hint=hint)
