"""Parses a settings file. `load` finds the files and decides which one has precedence."""

import tomllib
from collections.abc import Collection, Mapping

from flux_cli.core.errors import ConfigError, did_you_mean
from flux_cli.core.model import PROTOCOLS, Json, ProviderRow

PROVIDER_DEFAULTS = {"protocol": "openai", "base_url": "", "key": "", "server": "compatible"}


def parse(path: str, text: bytes, known: Collection[str]) -> dict[str, Json]:
    """The settings of one file. Raises ConfigError with file, key and reason."""
    try:
        table: dict[str, Json] = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as fault:
        raise ConfigError(f"{path} is not valid TOML: {fault}") from fault
    for name in table:
        if name in known or name == "providers":
            continue
        hint = did_you_mean(name, known) or f"settings: {', '.join(known)}"
        if "key" in name.lower():
            hint = "set LUMENFALL_API_KEY, or put the key into credentials.toml (mode 0600)"
        raise ConfigError(f"{path}: {name!r} is not a setting", hint=hint)
    return table


def providers(path: str, tables: Json, known: Mapping[str, ProviderRow]) -> dict[str, ProviderRow]:
    """The providers that a user's file adds, by name. `known` are the built-in ones.

    Raises ConfigError with file, key and reason.
    """
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: providers must be tables, such as [providers.mine]")
    return {name: _provider(path, name, values, known) for name, values in tables.items()}


def _provider(path: str, name: str, values: Json, known: Mapping[str, ProviderRow]) -> ProviderRow:
    """One added provider. Its key is sent as for the built-in provider with that protocol."""
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: providers.{name} must be a table, such as [providers.mine]")
    texts = dict(PROVIDER_DEFAULTS)
    for key, value in values.items():
        if key not in texts:
            hint = did_you_mean(key, texts) or f"keys: {', '.join(texts)}"
            raise ConfigError(f"{path}: providers.{name}.{key} is not a known key", hint=hint)
        if not isinstance(value, str):
            raise ConfigError(f"{path}: providers.{name}.{key} must be text, not {value!r}")
        texts[key] = value
    protocol = texts["protocol"]
    if protocol not in PROTOCOLS:
        protocols = ", ".join(PROTOCOLS)
        raise ConfigError(f"{path}: providers.{name}.protocol must be one of {protocols}")
    like = next(row for row in known.values() if row.protocol == protocol)
    key_variables = (texts["key"],) if texts["key"] else ()
    server = texts["server"] if protocol == "openai" else ""
    return ProviderRow(
        name,
        protocol,
        texts["base_url"],
        key_variables,
        key_header=like.key_header,
        key_prefix=like.key_prefix,
        server=server,
    )
