"""Merges settings: options > environment > flux.toml > config.toml > defaults, each with source.

The table of all settings is in `settings`, the folders are in `folders`, keys are in `keys`.
"""

from __future__ import annotations

import os

from flux_cli.config.addresses import find_endpoint
from flux_cli.config.folders import project_folders, user_path
from flux_cli.config.settings import BY_NAME, SETTINGS, parse_setting
from flux_cli.core.errors import ConfigError, FluxError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import ProviderRow
from flux_cli.core.text import variable_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_cli.config.settings import Setting
    from flux_cli.core.model import Json
    from flux_cli.core.options import Preset
    from flux_cli.core.request import Note

PROJECT_FILE = "flux.toml"
USER_FILE = "config.toml"
PRESETS = "presets"  # the table of them in a settings file, which `presets` alone reads
MAX_BYTES = 1 << 20  # of a settings file
# Ranks of sources: a lower one overrides a higher one.
OPTION, ENVIRONMENT, PROJECT, USER, DEFAULT = range(5)


class Value(NamedTuple):
    """The value of a setting, and where it comes from."""

    value: Json
    source: str  # for people
    rank: int  # of the source, from OPTION to DEFAULT


class Settings(NamedTuple):
    """All settings: times in seconds, costs in USD, `base_url` of this run's provider."""

    model: str
    provider: ProviderRow
    base_url: str
    image_field: str | None
    output: str | None
    output_format: str | None
    concurrency: int
    timeout: float
    retries: int
    max_cost: float | None
    confirm_cost: float
    http_hosts: str | None
    journal_prompts: bool
    keep_prompts: str  # see `ages.seconds_to_keep`
    metadata: str
    sign_certificate: str | None
    sign_key: str | None
    sign_algorithm: str
    progress: str
    values: dict[str, Value]
    providers: Mapping[str, ProviderRow]
    notes: tuple[Note, ...] = ()  # what a project's flux.toml may not decide


def load_settings(
    flags: Mapping[str, Json],
    known: Mapping[str, ProviderRow],
    environ: Mapping[str, str] | None = None,
    preset: Preset | None = None,
) -> Settings:
    """Merge all sources. `flags` are the options; None means not given. A `preset` ranks below.

    `known` are the built-in providers; the user's file may add more. Raises ConfigError with the
    source of an invalid value, and UsageError if the source is an option.
    """
    environ = os.environ if environ is None else environ
    values = _defaults()
    user_file = os.path.join(user_path(), USER_FILE)
    user, added = _user(user_file, known)
    for name, value in user.items():
        values[name] = _parse(BY_NAME[name], value, user_file, USER)
    notes = _merge_project(values)
    for setting in SETTINGS:
        if text := variable_text(environ, setting.variable):
            values[setting.name] = _parse(setting, text, setting.variable, ENVIRONMENT)
        if preset and setting.name in preset.settings:
            # What a project may not decide is no more free in its presets.
            rank = PROJECT if preset.is_project else USER
            text, source = preset.settings[setting.name], f"preset {preset.name}"
            values[setting.name] = _parse(setting, text, source, rank)
        if (flag := flags.get(setting.name)) is not None:
            option = f"--{setting.name.replace('_', '-')}"
            values[setting.name] = _parse(setting, flag, option, OPTION)
    return _settings(values, {**known, **added})._replace(notes=notes)


def find_faults(
    known: Mapping[str, ProviderRow], environ: Mapping[str, str] | None = None
) -> list[FluxError]:
    """What is wrong with the settings, each fault on its own; `load_settings` raises the first."""
    environ = os.environ if environ is None else environ
    faults: list[FluxError] = []

    def collect(work: Callable[..., object], *values: object) -> None:
        try:
            work(*values)
        except FluxError as fault:
            faults.append(fault)

    user_file = os.path.join(user_path(), "config.toml")
    table: dict[str, Json] = {}
    collect(lambda: table.update(_user(user_file, known)[0]))
    given = [(BY_NAME[name], value, user_file) for name, value in table.items()]
    named = ((setting, variable_text(environ, setting.variable)) for setting in SETTINGS)
    given += [(setting, text, setting.variable) for setting, text in named if text]
    for setting, value, source in given:
        collect(parse_setting, setting, value, source)
    collect(_merge_project, _defaults())
    if not faults:
        collect(load_settings, {}, known, environ)
    return faults


def _defaults() -> dict[str, Value]:
    return {setting.name: Value(setting.default, "default", DEFAULT) for setting in SETTINGS}


def _parse(setting: Setting, value: Json, source: str, rank: int) -> Value:
    return Value(parse_setting(setting, value, source), source, rank)


def _settings(values: dict[str, Value], rows: Mapping[str, ProviderRow]) -> Settings:
    provider, base_url = find_endpoint(values, rows)
    for name, default in provider.defaults.items():
        if values[name].rank == DEFAULT:
            values[name] = Value(default, f"default for {provider.name}", DEFAULT)

    def text(name: str) -> str | None:
        value = values[name].value
        return None if value is None else str(value)

    def number(name: str) -> float:
        value = values[name].value
        return float(value) if isinstance(value, int | float) else 0.0

    return Settings(
        model=text("model") or "",
        provider=provider,
        base_url=base_url,
        image_field=text("image_field"),
        output=os.path.expanduser(text("output") or "") or None,
        output_format=text("output_format"),
        concurrency=int(number("concurrency")),
        timeout=number("timeout"),
        retries=int(number("retries")),
        max_cost=None if values["max_cost"].value is None else number("max_cost"),
        confirm_cost=number("confirm_cost"),
        http_hosts=text("http_hosts"),
        journal_prompts=values["journal_prompts"].value is True,
        keep_prompts=text("keep_prompts") or "",
        metadata=text("metadata") or "",
        sign_certificate=text("sign_certificate"),
        sign_key=text("sign_key"),
        sign_algorithm=text("sign_algorithm") or "",
        progress=text("progress") or "",
        values=values,
        providers=rows,
    )


def address_of(row: ProviderRow, settings: Settings) -> str:
    """The URL that `--provider NAME` would use; "" if the provider also needs --base-url."""
    if row == settings.provider:
        return settings.base_url
    if not row.base_url and not settings.values["base_url"].value:
        return ""
    values = settings.values | {"provider": Value(row.name, "--provider", OPTION)}
    _, url = find_endpoint(values, settings.providers)
    return url


def check_user_file(path: str, text: bytes, known: Mapping[str, ProviderRow]) -> dict[str, Json]:
    """The settings in a text for the user's file. Raises what loading that file would raise."""
    from flux_cli.config.file import parse  # most users have no such file

    table, added = _split(path, parse(path, text, BY_NAME), known)
    given = {name: _parse(BY_NAME[name], value, path, USER) for name, value in table.items()}
    find_endpoint(_defaults() | given, {**known, **added})
    return table


def _user(
    path: str, known: Mapping[str, ProviderRow]
) -> tuple[dict[str, Json], dict[str, ProviderRow]]:
    """The settings and providers of the user's config.toml."""
    return _split(path, read_file(path), known)


def _split(
    path: str, table: dict[str, Json], known: Mapping[str, ProviderRow]
) -> tuple[dict[str, Json], dict[str, ProviderRow]]:
    """The settings and providers of a file of the user."""
    table.pop(PRESETS, None)
    if "providers" not in table:
        return table, {}
    from flux_cli.config.file import providers

    return table, providers(path, table.pop("providers"), known)


def project_file() -> str:
    """The flux.toml of this folder or of one above, up to the top of the repository; "" if none."""
    for folder in project_folders():
        path = os.path.join(folder, PROJECT_FILE)
        if os.path.isfile(path):
            return path
    return ""


def _merge_project(values: dict[str, Value]) -> tuple[Note, ...]:
    """Add the settings of flux.toml. Returns notes on what it may not decide."""
    path = project_file()
    if not path:
        return ()
    from flux_cli.config import project  # most folders have no such file
    from flux_cli.disk.owners import is_trusted

    if not is_trusted(path):
        return (project.ignored_note(path),)
    table = read_file(path)
    table.pop(PRESETS, None)
    project.check_table(path, table)
    asked = {
        name: _parse(BY_NAME[name], value, PROJECT_FILE, PROJECT) for name, value in table.items()
    }
    return project.merge(values, asked)


def read_file(path: str) -> dict[str, Json]:
    """The settings, providers and presets of one file; empty if there is no such file.

    Raises ConfigError with file, key and reason.
    """
    text = read_bytes(path)
    if text is None:
        return {}
    from flux_cli.config.file import parse  # most users have no such file

    return parse(path, text, BY_NAME)


def read_bytes(path: str) -> bytes | None:
    """The content of a settings file; None if there is no such file. Raises ConfigError."""
    try:
        if os.path.exists(path):
            _refuse_pipe(path)
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        if not os.path.lexists(path):  # in a folder that may not even be searched
            return None
        raise ConfigError(f"cannot read {path}: {fault.strerror}") from fault
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES:,} bytes")
    return text


def _refuse_pipe(path: str) -> None:
    from flux_cli.disk.pipes import is_pipe  # most users have no such file

    if is_pipe(path):
        raise ConfigError(f"{path} is a pipe, not a file")
