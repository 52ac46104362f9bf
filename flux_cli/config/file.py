"""A settings file's text, read strictly. Where such files are and which one wins is in `config`."""

import tomllib
from collections.abc import Collection, Mapping

from flux_cli.core.errors import ConfigError, did_you_mean
from flux_cli.core.model import PROTOCOLS, Json
from flux_cli.core.provider import ProviderRow


def parse(path: str, text: bytes, known: Collection[str]) -> dict[str, Json]:
    """The settings of one file. Raises ConfigError with file, key and reason for what is no TOML or no setting."""
    try:
        table: dict[str, Json] = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as fault:
        raise ConfigError(f"{path} is no TOML: {fault}") from fault
    for name in table:
        if name not in known and name != "providers":
            hint = did_you_mean(name, known)
            if "key" in name.lower():
                hint = "keys belong into LUMENFALL_API_KEY or credentials.toml (mode 0600)"
            raise ConfigError(f"{path}: {name!r} is not a setting", hint=hint or f"settings: {', '.join(known)}")
    return table


def providers(path: str, tables: Json, known: Mapping[str, ProviderRow]) -> dict[str, ProviderRow]:
    """The providers a user's file adds, by name. `known` are the built-in ones.

    Raises ConfigError with file, key and reason.
    """
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: providers must be tables, such as [providers.mine]")
    return {name: _provider(path, name, row, known) for name, row in tables.items()}


def _provider(path: str, name: str, row: Json, known_rows: Mapping[str, ProviderRow]) -> ProviderRow:
    """One added provider. Its key travels in the header of the built-in provider with the same protocol."""
    if not isinstance(row, dict):
        raise ConfigError(f"{path}: providers.{name} must be a table, such as [providers.mine]")
    values = dict(row)
    known = {"protocol": "openai", "base_url": "", "key": "", "server": "compatible"}
    for key, value in values.items():
        if key not in known or not isinstance(value, str):
            near = "" if key in known else did_you_mean(key, known)
            hint = near or f"keys: {', '.join(known)}, all texts"
            raise ConfigError(f"{path}: providers.{name}.{key} is wrong", hint=hint)
    texts = {key: str(values.get(key, default)) for key, default in known.items()}
    protocol = next((row for row in PROTOCOLS if row == texts["protocol"]), None)
    if protocol is None:
        raise ConfigError(f"{path}: providers.{name}.protocol must be one of {', '.join(PROTOCOLS)}")
    keys = (texts["key"],) if texts["key"] else ()
    server = texts["server"] if protocol == "openai" else ""
    like = next(row for row in known_rows.values() if row.protocol == protocol)
    return ProviderRow(name, protocol, texts["base_url"], keys, like.key_header, like.key_prefix, server=server)
