"""What a run may send to its provider as proof of who sends it: the key, and headers of its own."""

from __future__ import annotations

import os
from binascii import b2a_base64
from typing import TYPE_CHECKING

from flux_cli.config import folders, keys
from flux_cli.config.addresses import GATEWAY
from flux_cli.core.auth import Auth
from flux_cli.core.errors import AuthError, ConfigError
from flux_cli.core.text import Secret, variable_text

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.core.model import ProviderRow

ENV_FILES = (".env", ".env.local")
BASIC = "basic"
# Parts of the names of headers whose values are secrets, even if they are written into config.toml.
SECRET_NAMES = ("auth", "cookie", "cred", "key", "pass", "secret", "session", "sig", "token")


def find_auth(
    settings: Settings, *, no_key: bool = False, given: Secret | None = None
) -> Auth | None:
    """The key and the headers for the provider of this run; None if there is neither.

    A key that is `given` stands for the one that is set. Raises ConfigError for a header without
    its variable, and if anything would be sent unencrypted.
    """
    row, base = settings.provider, settings.base_url
    headers = _headers(row)
    secret, variable = (given, row.key_variables[0]) if given else (None, "")
    if secret is None and not no_key:
        secret, variable = _key(row)
    if secret is None and not headers:
        return None
    try:
        keys.check_transport(base, settings.http_hosts)
    except ConfigError as fault:
        if secret:
            raise
        raise _unencrypted(row, base) from fault
    if secret and row.key_scheme == BASIC:
        Secret(secret.reveal().partition(":")[2])  # the password: a server may send back only that
        secret = Secret(b2a_base64(secret.reveal().encode(), newline=False).decode())
    return Auth(
        key=secret,
        variable=variable or "the headers of this provider",
        base=base,
        header=row.key_header,
        prefix=row.key_prefix,
        hosts=row.hosts,
        page=row.page,
        headers=headers,
    )


def _unencrypted(row: ProviderRow, base: str) -> ConfigError:
    """The error for headers without a key that would be sent over a network unencrypted."""
    names = ", ".join(name for name, _ in row.headers)
    host = base.partition("://")[2].partition("/")[0].partition("?")[0]
    message = f"headers of provider {row.name} ({names}) would be sent to {host} unencrypted"
    hint = f"set FLUX_HTTP_HOSTS={host} if that network is yours, use https, or leave them out"
    return ConfigError(message, hint=hint)


def variables_of(row: ProviderRow) -> tuple[str, ...]:
    """The variables of the key and of the headers of a provider."""
    if not row.headers:
        return row.key_variables
    from string import Template  # few providers have headers of their own

    named = [Template(text).get_identifiers() for _, text in row.headers]
    return (*row.key_variables, *(name for names in named for name in names))


def forms_of(row: ProviderRow) -> dict[str, str]:
    """The same variables, each with the form that its value must have: see `keys.find`."""
    forms = dict.fromkeys(variables_of(row), keys.HEADER)
    return forms | dict.fromkeys(row.key_variables, key_form(row))


def key_form(row: ProviderRow) -> str:
    """The form of the key of a provider: a login is encoded, so that it may be any text."""
    return keys.LOGIN if row.key_scheme == BASIC else keys.KEY


def is_secret(name: str, text: str) -> bool:
    """Whether the text of a header, as written in config.toml, is or looks like a key itself.

    Text that names a variable is not.
    """
    from string import Template  # few providers have headers of their own

    if Template(text).get_identifiers():
        return False
    word = name.lower()
    return any(part in word for part in SECRET_NAMES) or keys.looks_like_key(text)


def missing_key_error(settings: Settings) -> AuthError:
    """The error for a provider without its key: which variable is missing, and where to get it.

    The hint names a key of another provider that is set, and says that .env is not read.
    """
    row = settings.provider
    name = row.key_variables[0]
    page = f" (keys: {row.page})" if row.page else ""
    without = ", or --no-key if this server needs none" if row.server else ""
    named = "" if row.name == GATEWAY else f" --provider {row.name}"
    hint = f"flux login{named}, or export {name}=...{page}{without}"
    hint += ", or draw a sketch with --offline"
    others = [_elsewhere(other) for other in settings.providers.values() if _is_set(other)]
    env_file = next(filter(os.path.isfile, ENV_FILES), "")
    if others:
        hint += f"; {others[0]}"
    if env_file:
        hint += f"; flux does not read {env_file}: run set -a; . ./{env_file}; set +a before it"
        hint += f", or uv run --env-file {env_file} flux"
    return AuthError(f"no key: {name} is not set", hint=hint)


def _elsewhere(row: ProviderRow) -> str:
    """That the key of a provider is set, and goes nowhere else."""
    name = next(name for name in row.key_variables if variable_text(os.environ, name))
    return f"{name} is set, and is sent only with --provider {row.name}"


def _is_set(row: ProviderRow) -> bool:
    return any(variable_text(os.environ, name) for name in row.key_variables)


def _key(row: ProviderRow) -> tuple[Secret | None, str]:
    """The key of a provider and its variable."""
    for variable in row.key_variables:
        secret, _ = keys.find(variable, folders.user_folder(), form=key_form(row))
        if secret:
            return secret, variable
    return None, ""


def _headers(row: ProviderRow) -> tuple[tuple[str, Secret | str], ...]:
    """The headers of a provider, with the values of the variables that they name."""
    if not row.headers:
        return ()
    from string import Template  # few providers have headers of their own

    found: list[tuple[str, Secret | str]] = []
    for name, text in row.headers:
        template = Template(text)
        values = {}
        for variable in template.get_identifiers():
            secret, _ = keys.find(variable, folders.user_folder(), form=keys.HEADER)
            if secret is None:
                message = f"the header {name} of provider {row.name} needs {variable}"
                raise ConfigError(message, hint=f"export {variable}=...")
            values[variable] = secret.reveal()
        value = template.substitute(values)
        if values or is_secret(name, text):
            Secret(value.partition(" ")[2])  # a server may send back what follows `Bearer`
            found.append((name, Secret(value)))
        else:  # hiding any other text would damage messages and documents
            found.append((name, value))
    return tuple(found)
