"""Finds the provider of a run and its URL, checks the URL, and shows URLs without keys in them."""

from __future__ import annotations

from flux_cli.core.errors import ConfigError, UsageError, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.config.load import Value
    from flux_cli.core.model import ProviderRow

# Characters without a special meaning in a URL.
PLAIN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-/")
SECRET_WORDS = ("auth", "code", "pass", "pwd", "sig")  # names in queries that have keys
SECRET_ENDINGS = ("key", "token", "secret", "password", "signature")
GATEWAY, COMPATIBLE = "lumenfall", "openai"
OPENAI_PAIR = ("FLUX_API_KEY", "OPENAI_API_KEY")


def find_endpoint(
    values: Mapping[str, Value], rows: Mapping[str, ProviderRow]
) -> tuple[ProviderRow, str]:
    """The provider and its URL. Raises UsageError and ConfigError."""
    name = _provider_name(values, rows)
    row = rows.get(name)
    if row is None:
        hint = did_you_mean(name, rows) or f"providers: {', '.join(rows)}"
        raise UsageError(f"unknown provider {name!r}", hint=hint)
    if not row.hosted:
        return row, row.base_url
    url = _base_url(values, row)
    openai = values["openai_base_url"].value
    if not url and name == COMPATIBLE and openai:
        # Both variables are OpenAI's, so its key belongs to that URL.
        return row._replace(key_variables=OPENAI_PAIR), checked_url(str(openai))
    if not url:
        hint = "add --base-url http://localhost:8080/v1"
        if name == COMPATIBLE:
            hint += "; OpenAI itself is --provider openai.com"
        raise UsageError(f"provider {name} needs a URL", hint=hint)
    return row, checked_url(url)


def _provider_name(values: Mapping[str, Value], rows: Mapping[str, ProviderRow]) -> str:
    """The provider to use.

    A URL from a source with higher precedence than the provider selects `openai`, or the gateway if
    it is the gateway's.
    """
    provider, url = values["provider"], values["base_url"]
    if not url.value or url.rank >= provider.rank:
        return str(provider.value)
    return GATEWAY if _is_gateway(str(url.value), values, rows) else COMPATIBLE


def _is_gateway(url: str, values: Mapping[str, Value], rows: Mapping[str, ProviderRow]) -> bool:
    """Whether a URL is at the gateway, or where LUMENFALL_BASE_URL says that the gateway is.

    Only the gateway gets the gateway's key.
    """
    known = (rows[GATEWAY].base_url, str(values["lumenfall_base_url"].value or ""))
    return origin(url) in {origin(own) for own in known if own}


def _base_url(values: Mapping[str, Value], row: ProviderRow) -> str:
    """The URL of a provider.

    A URL from a source with lower precedence than the provider belongs to another provider.
    """
    provider, url = values["provider"], values["base_url"]
    is_for_this_row = url.rank <= provider.rank or not row.base_url
    if url.value and is_for_this_row:
        return str(url.value)
    own = values[row.url_setting].value if row.url_setting else None
    return str(own) if own else row.base_url


def checked_url(url: str) -> str:
    """The URL without a trailing slash. Raises ConfigError if it is not an http or https URL."""
    if "@" in url:
        hint = 'set the key in its variable; key_scheme = "basic" sends user:password'
        raise ConfigError("the base URL has a user name or password", hint=hint)
    scheme, _, rest = url.partition("://")
    if scheme in ("http", "https") and rest[:1].isalnum() and PLAIN_CHARACTERS.issuperset(rest):
        return url.rstrip("/")  # nothing in it needs to be parsed
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    hint, shown = "write it as https://host/v1", safe_url(url)
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"invalid base URL {shown!r}", hint=hint)
    if "#" in url:
        raise ConfigError(f"base URL {shown!r} has a fragment", hint=hint)
    address, mark, query = url.partition("?")
    _check_query(shown, query)
    return f"{address.rstrip('/')}{mark}{query}" if query else address.rstrip("/")


def _check_query(shown: str, query: str) -> None:
    """Raise ConfigError for a query with a key in it: URLs are shown, and keys never are."""
    if not query:
        return
    from urllib.parse import parse_qsl

    for name, _ in parse_qsl(query, keep_blank_values=True):
        word = name.lower()
        if word in SECRET_WORDS or word.endswith(SECRET_ENDINGS):
            hint = "send it in a header: see key_header and headers in docs/providers.md"
            raise ConfigError(f"base URL {shown!r} has a key in its query ({name})", hint=hint)


def safe_url(url: str) -> str:
    """The URL without query, fragment, user name and password, which may hold a key."""
    address = url.partition("?")[0].partition("#")[0]
    scheme = next((start for start in ("https://", "http://") if address.startswith(start)), "")
    user, _, place = address.removeprefix(scheme).rpartition("@")
    hidden = "***@" if "/" in user else ""  # a path, or a password that is not quoted
    return f"{scheme}{hidden}{place}"


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in lower case; the URL itself if it is not one."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.lower())
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}"
