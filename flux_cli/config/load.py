"""Settings: flags > environment > project file > user file > defaults, each value with its source.

It owns the FLUX_ variables and the settings files, and decides what is set, not what to do with it. What can
be set is in `core.settings`, where files lie in `folders`, keys are in `keys`.
"""

from __future__ import annotations

import os

from flux_cli.config.folders import user_path
from flux_cli.config.settings import BY_NAME, SETTINGS, parse_setting
from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.provider import ProviderRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json

PROJECT_FILE = "flux.toml"
MAX_BYTES = 1 << 20  # a settings file is a page of text
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-/")  # characters of an address that mean only themselves


RANKS = ("option", "environment", "project", "user", "default")


class Value(NamedTuple):
    """A setting's value, and where it came from, for people (`source`) and for comparison (`rank`, 0 is strongest)."""

    value: Json
    source: str
    rank: int


class Settings(NamedTuple):
    """Every setting in its type. `base_url` is the address of this run's provider."""

    model: str
    provider: ProviderRow
    base_url: str
    output: str | None
    output_format: str | None
    concurrency: int
    timeout: float
    retries: int
    max_cost: float | None
    journal_prompts: bool
    metadata: str
    sign_certificate: str | None
    sign_key: str | None
    sign_algorithm: str
    progress: str
    values: dict[str, Value]
    providers: Mapping[str, ProviderRow]


def load_settings(
    flags: Mapping[str, Json], known: Mapping[str, ProviderRow], environ: Mapping[str, str] | None = None
) -> Settings:
    """Merge the five layers. A flag that is None was not given. Raises ConfigError naming file or variable.

    `known` are the providers flux brings along; the user's file may add more.
    """
    environ = os.environ if environ is None else environ
    values = {setting.name: Value(setting.default, "default", len(RANKS) - 1) for setting in SETTINGS}
    user = os.path.join(user_path(), "config.toml")
    table, added = _user(user, known)
    layers = [(table, user), (_project(), PROJECT_FILE)]
    for rank, (table, source) in zip((3, 2), layers, strict=True):
        for name, value in table.items():
            values[name] = Value(parse_setting(BY_NAME[name], value, source), source, rank)
    for setting in SETTINGS:
        if text := environ.get(setting.variable):
            values[setting.name] = Value(parse_setting(setting, text, setting.variable), setting.variable, 1)
        if (flag := flags.get(setting.name)) is not None:
            option = f"--{setting.name.replace('_', '-')}"
            values[setting.name] = Value(parse_setting(setting, flag, option), option, 0)
    return _settings(values, {**known, **added})


def _settings(values: dict[str, Value], rows: Mapping[str, ProviderRow]) -> Settings:
    provider, base_url = _endpoint(values, rows)

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
        output=os.path.expanduser(text("output") or "") or None,
        output_format=text("output_format"),
        concurrency=int(number("concurrency")),
        timeout=number("timeout"),
        retries=int(number("retries")),
        max_cost=None if values["max_cost"].value is None else number("max_cost"),
        journal_prompts=values["journal_prompts"].value is True,
        metadata=text("metadata") or "",
        sign_certificate=text("sign_certificate"),
        sign_key=text("sign_key"),
        sign_algorithm=text("sign_algorithm") or "",
        progress=text("progress") or "",
        values=values,
        providers=rows,
    )


def _endpoint(values: dict[str, Value], rows: Mapping[str, ProviderRow]) -> tuple[ProviderRow, str]:
    """Provider and address. An address that is said more strongly than the provider means any compatible server."""
    provider, address = values["provider"], values["base_url"]
    name, url = str(provider.value), str(address.value or "")
    if url and address.rank < provider.rank:
        name = "lumenfall" if _host(url) == _host(rows["lumenfall"].base_url) else "openai"
    row = rows.get(name)
    if row is None:
        hint = did_you_mean(name, rows) or f"providers: {', '.join(rows)}"
        raise UsageError(f"there is no provider {name!r}", hint=hint)
    if not row.hosted:
        return row, row.base_url
    if not url or (row.base_url and address.rank > provider.rank):
        gateway = values["lumenfall_base_url"].value if name == "lumenfall" else None
        url = str(gateway or row.base_url)
    if not url:
        raise UsageError(f"provider {name} needs an address", hint="add --base-url http://localhost:8080/v1")
    return row, _checked_url(url)


def address_of(row: ProviderRow, settings: Settings) -> str:
    """Where calls go as soon as somebody names this provider; "" where they must name an address, too."""
    if row == settings.provider:
        return settings.base_url
    if not row.base_url and not settings.values["base_url"].value:
        return ""
    return _endpoint(settings.values | {"provider": Value(row.name, "--provider", 0)}, settings.providers)[1]


def _user(path: str, known: Mapping[str, ProviderRow]) -> tuple[dict[str, Json], dict[str, ProviderRow]]:
    """Settings and providers of the user's own file."""
    table = _file(path)
    if "providers" not in table:
        return table, {}
    from flux_cli.config.file import providers

    return table, providers(path, table.pop("providers"), known)


def _checked_url(url: str) -> str:
    """The address without a trailing slash. Raises ConfigError for what is no plain http(s) address."""
    if "@" in url:
        raise ConfigError("the base URL holds a user name or password", hint="put the key into its variable")
    scheme, _, rest = url.partition("://")
    if scheme in ("http", "https") and rest[:1].isalnum() and PLAIN.issuperset(rest):
        return url.rstrip("/")  # nothing in it that needs to be taken apart
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"base URL {url!r} is no address", hint="write it as https://host/v1")
    if "?" in url or "#" in url:
        raise ConfigError(f"base URL {url!r} ends in a query or fragment", hint="write it as https://host/v1")
    return url.rstrip("/")


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _project() -> dict[str, Json]:
    """The project's file: here, or up to the top of the repository this folder is in."""
    try:
        here = os.getcwd()
    except OSError:  # the folder was deleted under us
        return {}
    folders = [here]
    while (above := os.path.dirname(folders[-1])) != folders[-1]:
        folders.append(above)
    top = next((place for place, folder in enumerate(folders) if os.path.exists(os.path.join(folder, ".git"))), 0)
    for folder in folders[: top + 1]:
        path = os.path.join(folder, PROJECT_FILE)
        if os.path.isfile(path):
            table = _file(path)
            for name in table:
                if name == "providers" or not BY_NAME[name].project:
                    hint = "use the option, the environment, or the user's config.toml"
                    raise ConfigError(f"{path}: {name} cannot be set by a project's file", hint=hint)
            return table
    return {}


def _file(path: str) -> dict[str, Json]:
    """The settings of one TOML file; none where there is no file. Raises ConfigError with file, key and reason."""
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as fault:
        raise ConfigError(f"{path} cannot be read: {fault.strerror}") from fault
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES:,} bytes")
    from flux_cli.config.file import parse  # here and above: who has no such file does not pay for it

    return parse(path, text, BY_NAME)
