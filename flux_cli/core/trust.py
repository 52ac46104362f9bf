"""Which address may have the key, and from which a picture may be fetched. The answers of servers are not trusted."""

from urllib.parse import urljoin, urlsplit

from flux_cli.core.errors import ProviderError
from flux_cli.core.request import Auth
from flux_cli.core.text import plain


def credentials(url: str, auth: Auth | None) -> dict[str, str]:
    """The header with the key, if this address may have it. Raises ProviderError for any other address.

    The configured address may, and over https the provider's own hosts; `*.bfl.ai` means whole labels before it.
    """
    if auth is None:
        return {}
    try:
        parts, base = urlsplit(url), urlsplit(auth.base)
        same = (parts.scheme, parts.hostname, parts.port) == (base.scheme, base.hostname, base.port)
        known = parts.scheme == "https" and parts.port in (None, 443) and _is_known(parts.hostname or "", auth.hosts)
        trusted = (same or known) and parts.username is None and parts.password is None
    except ValueError:
        trusted = False
    if not trusted:
        raise ProviderError(f"the provider names {plain(url, 100)!r}, which must not get the key", billed=True)
    return {auth.header: f"{auth.prefix}{auth.key.reveal()}"}


def media_address(url: str, base: str) -> str:
    """The absolute address of a picture. Raises ProviderError for schemes and forms nobody can mean honestly."""
    try:
        address = urljoin(base + "/", url)
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0 and parts.username is None and parts.password is None
        usable = usable and (parts.scheme == "https" or parts.scheme == urlsplit(base).scheme == "http")
    except ValueError:
        usable = False
    if not usable:
        raise ProviderError(f"the picture's address {plain(url, 100)!r} cannot be trusted", billed=True)
    return address


def host_of(url: str) -> str:
    """Host and port of an address, for messages."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _is_known(host: str, patterns: tuple[str, ...]) -> bool:
    if not all(char.isascii() and (char.isalnum() or char in "-.") for char in host):
        return False  # no host, whatever a proxy or resolver would make of it
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in patterns)
