"""Parses a settings file. `load` finds the files and decides which one has precedence."""

import tomllib
from collections.abc import Collection, Mapping
from string import Template

from flux_cli.config.keys import looks_like_key
from flux_cli.core.errors import ConfigError, did_you_mean
from flux_cli.core.model import PROTOCOLS, Json, ProviderRow
from flux_cli.core.text import decode_text

TABLES = ("providers", "presets")  # what a settings file has besides settings
PROVIDER_DEFAULTS = {
    "protocol": "openai",
    "base_url": "",
    "key": "",
    "key_header": "",
    "key_prefix": "",
    "key_scheme": "",
    "server": "compatible",
}
VARIABLE = "${MY_TOKEN}"  # how the value of a header names a variable, in hints
NAME_MARKS = "!#$%&'*+-.^_`|~"  # what the name of a header may have beside letters and digits
OWN_HEADERS = ("connection", "content-length", "content-type", "host", "transfer-encoding")


def parse(path: str, text: bytes, known: Collection[str]) -> dict[str, Json]:
    """The settings of one file. Raises ConfigError with file, key and reason."""
    try:
        table: dict[str, Json] = tomllib.loads(decode_text(text))
    except (ValueError, RecursionError) as fault:
        raise ConfigError(f"{path} is not valid TOML: {fault}") from fault
    for name in table:
        if name in known or name in TABLES:
            continue
        hint = did_you_mean(name, (*known, *TABLES)) or f"settings: {', '.join(known)}"
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
    place = f"{path}: providers.{name}"
    headers = _headers(place, values.pop("headers", {}))
    texts = dict(PROVIDER_DEFAULTS)
    for key, value in values.items():
        if key not in texts:
            keys = (*texts, "headers")
            hint = did_you_mean(key, keys) or f"keys: {', '.join(keys)}"
            raise ConfigError(f"{place}.{key} is not a known key", hint=hint)
        if not isinstance(value, str) or not value.isprintable():
            # The value may be a key in the wrong place, so it is not quoted. Nor are those below.
            raise ConfigError(f"{place}.{key} must be text on one line")
        texts[key] = value
    protocol = texts["protocol"]
    if protocol not in PROTOCOLS:
        protocols = ", ".join(PROTOCOLS)
        raise ConfigError(f"{place}.protocol must be one of {protocols}")
    like = next(row for row in known.values() if row.protocol == protocol)
    header, prefix = _key_header(place, texts, like)
    variable = _key_variable(place, texts["key"])
    _check_one_key(place, header if variable else "", headers)
    server = texts["server"] if protocol == "openai" else ""
    return ProviderRow(
        name,
        protocol,
        texts["base_url"],
        (variable,) if variable else (),
        key_header=header,
        key_prefix=prefix,
        key_scheme=texts["key_scheme"],
        headers=headers,
        server=server,
    )


def _key_variable(place: str, text: str) -> str:
    """The variable of the key, written as NAME, $NAME or ${NAME}; "" if there is none."""
    name = text.removeprefix("$")
    if name != text and name.startswith("{") and name.endswith("}"):
        name = name[1:-1]
    is_variable = name.isascii() and name.isidentifier() and not looks_like_key(name)
    if text and not is_variable:
        message = f"{place}.key must be the name of a variable, not the key itself"
        hint = 'write key = "MY_API_KEY", and put the key into that variable: export MY_API_KEY=...'
        raise ConfigError(message, hint=hint)
    return name


def _check_one_key(place: str, key_header: str, headers: tuple[tuple[str, str], ...]) -> None:
    """Raise ConfigError if a header would be sent twice, or beside the key in the same header.

    The names of headers are the same in upper and lower case.
    """
    seen = {key_header.lower()}
    for name, _ in headers:
        if key_header and name.lower() == key_header.lower():
            message = f"{place}.headers.{name} is the header of the key"
            raise ConfigError(message, hint="leave out key, or name another key_header")
        if name.lower() in seen:
            raise ConfigError(f"{place}.headers has {name} twice", hint="leave one of them out")
        seen.add(name.lower())


def _key_header(place: str, texts: Mapping[str, str], like: ProviderRow) -> tuple[str, str]:
    """The header that carries the key, and what stands before the key in it."""
    scheme, header = texts["key_scheme"], texts["key_header"]
    if scheme not in ("", "basic"):
        raise ConfigError(f"{place}.key_scheme must be basic, or left out")
    if header:
        _check_header(f"{place}.key_header", header)
    if scheme:
        return header or "Authorization", "Basic "
    if header and header.lower() != like.key_header.lower():
        return header, texts["key_prefix"]  # such as `api-key`, which has the bare key
    return like.key_header, texts["key_prefix"] or like.key_prefix


def _headers(place: str, table: Json) -> tuple[tuple[str, str], ...]:
    """The extra headers of a provider, as name and text."""
    if not isinstance(table, dict):
        hint = f'for example headers = {{ X-Token = "{VARIABLE}" }}'
        raise ConfigError(f"{place}.headers must be a table", hint=hint)
    found = []
    for name, text in table.items():
        _check_header(f"{place}.headers", name)
        is_text = isinstance(text, str) and text.isascii() and text.isprintable()
        if not is_text or not Template(str(text)).is_valid():
            message = f"{place}.headers.{name} must be ASCII text on one line"
            raise ConfigError(message, hint=f'name a variable: {name} = "{VARIABLE}"')
        found.append((name, str(text)))
    return tuple(found)


def _check_header(place: str, name: str) -> None:
    """Raise ConfigError for what is no name of a header, or of one that flux sets itself."""
    is_name = name.isascii() and all(char.isalnum() or char in NAME_MARKS for char in name)
    if not is_name or not name or name.lower() in OWN_HEADERS:
        raise ConfigError(f"{place}: {name!r} is not a header that can be set")
