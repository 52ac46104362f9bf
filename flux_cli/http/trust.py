"""Which address may have the key, and from which an image may be fetched. The answers of servers are not trusted."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urljoin, urlsplit

from flux_cli.core.errors import ProviderError
from flux_cli.core.request import Auth
from flux_cli.core.text import plain

AT_HOME = (
    "localhost",
    "local",
    "internal",
    "home.arpa",
)  # these mean something inside only (RFC 6761, 6762, 8375)
TRANSLATED = IPv6Network("64:ff9b::/96")  # IPv4 in IPv6 (RFC 6052)


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
        trusted = (same or known) and parts.username is None and parts.password is None and url.isprintable()
    except ValueError:
        trusted = False
    if not trusted:
        raise ProviderError(f"the provider names {plain(url, 100)!r}, which must not get the key", billed=True)
    return {auth.header: f"{auth.prefix}{auth.key.reveal()}"}


def media_address(url: str, base: str) -> str:
    """The absolute address of an image. Raises ProviderError for schemes and forms nobody can mean honestly.

    A server on the internet has no business with what only this machine or its network can reach.
    """
    try:
        address = urljoin(base + "/", url.strip())
        # urlsplit looks past control characters in an address; others would not, and see another one
        usable = address.isprintable() and _is_fetchable(urlsplit(address), urlsplit(base))
    except ValueError:
        usable = False
    if not usable:
        raise ProviderError(f"the image's address {plain(url, 100)!r} cannot be trusted", billed=True)
    return address


def host_of(url: str) -> str:
    """Host and port of an address, for messages."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _is_known(host: str, patterns: tuple[str, ...]) -> bool:
    if not _is_host(host):
        return False
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in patterns)


def _is_fetchable(parts: SplitResult, home: SplitResult) -> bool:
    """Whether a server at `home` may name this address."""
    host = parts.hostname or ""
    if not host or not _is_host(host) or parts.port == 0 or parts.username is not None or parts.password is not None:
        return False
    if parts.scheme != "https" and not parts.scheme == home.scheme == "http":
        return False
    public = home.scheme == "https" and not _is_inward(home.hostname or "")
    return not (public and _is_inward(host))


def _is_host(host: str) -> bool:
    """Whether these are plain labels or numbers, which no proxy and no resolver can read as another host."""
    return all(char.isascii() and (char.isalnum() or char in "-._:") for char in host)


def _is_inward(host: str) -> bool:
    """Whether a host is this machine, its network or its cloud, in any spelling that resolvers take."""
    name = host.rstrip(".").lower()
    if any(name == known or name.endswith(f".{known}") for known in AT_HOME):
        return True
    try:
        address = _six(name) if ":" in name else _four(name)
    except ValueError:
        return False
    return not address.is_global or address.is_multicast


def _six(name: str) -> IPv4Address | IPv6Address:
    """An IPv6 address, or the IPv4 address inside it."""
    address = IPv6Address(name)
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _four(name: str) -> IPv4Address:
    """An IPv4 address as `inet_aton` reads it: 127.1, 2130706433, 0x7f.1 and 0177.0.0.1 are all the same."""
    *first, last = (int(part, 16 if part[:2] == "0x" else 8 if part[:1] == "0" else 10) for part in name.split("."))
    if len(first) > 3 or any(part > 255 for part in first):
        raise ValueError(name)
    return IPv4Address(sum(part << 24 - 8 * place for place, part in enumerate(first)) + last)
