"""Decides which URLs may get the key and which images may be downloaded.

Answers of servers are not trusted.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urljoin, urlsplit

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ProviderError
from flux_cli.core.text import plain

LOCAL_DOMAINS = ("localhost", "local", "internal", "home.arpa")  # RFC 6761, 6762, 8375
DEFAULT_PORTS = {"http": 80, "https": 443}
IPV4_IN_IPV6 = IPv6Network("64:ff9b::/96")  # RFC 6052


def credentials(url: str, auth: Auth | None) -> dict[str, str]:
    """The header with the key and those of the user's provider table; none without both.

    The key goes to the configured address and, over https, to the provider's own hosts.
    Raises ProviderError for any other URL.
    """
    if auth is None:
        return {}
    if not _may_get_key(url, auth):
        raise ProviderError(f"{plain(url, 100)!r} in the answer must not get the key", billed=True)
    return auth.fields()


def media_address(url: str, base: str, own_name: str) -> str:
    """The absolute URL of an image, which may be relative to `base`.

    Servers behind a proxy often do not know that they are reached over https: their own images are
    fetched over https, too. `own_name` is the host name of this machine. Raises ProviderError for
    an unsafe URL: a server on the internet must not make flux read from this machine or its
    network.
    """
    try:
        joined = urljoin(base.partition("?")[0] + "/", url.strip())
        address = _as_encrypted_as(base, joined)
        # urlsplit drops control characters; other readers would see another address
        usable = address.isprintable() and _is_fetchable(
            urlsplit(address), urlsplit(base), own_name
        )
    except ValueError:
        usable = False
    if not usable:
        raise ProviderError(f"the image URL {plain(url, 100)!r} cannot be trusted", billed=True)
    return address


def is_same_origin(url: str, base: str) -> bool:
    """Whether a URL is on the server at `base`: the same scheme, host and port."""
    try:
        parts = urlsplit(url)
        return _origin(parts) == _origin(urlsplit(base)) and not _has_user(parts)
    except ValueError:
        return False


def _as_encrypted_as(base: str, url: str) -> str:
    """The URL, over https if it names the host of an https base over http. Raises ValueError."""
    home, parts = urlsplit(base), urlsplit(url)
    is_own = parts.hostname is not None and parts.hostname == home.hostname
    if not is_own or (home.scheme, parts.scheme) != ("https", "http") or _has_user(parts):
        return url
    return parts._replace(scheme="https", netloc=home.netloc).geturl()


def host_and_port(url: str) -> str:
    """Host and port of a URL, for messages."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _may_get_key(url: str, auth: Auth) -> bool:
    try:
        parts = urlsplit(url)
        is_configured = _origin(parts) == _origin(urlsplit(auth.base))
        is_https = parts.scheme == "https" and parts.port in (None, 443)
    except ValueError:
        return False
    is_known = is_https and _is_known(parts.hostname or "", auth.hosts)
    return (is_configured or is_known) and not _has_user(parts) and url.isprintable()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _has_user(parts: SplitResult) -> bool:
    """Whether a URL contains a user name or a password."""
    return parts.username is not None or parts.password is not None


def _is_known(host: str, patterns: tuple[str, ...]) -> bool:
    return _is_host(host) and any(_matches(host, pattern) for pattern in patterns)


def _matches(host: str, pattern: str) -> bool:
    """Whether a host matches a pattern. `*.bfl.ai` matches every name below `bfl.ai`."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def _is_fetchable(parts: SplitResult, home: SplitResult, own_name: str) -> bool:
    """Whether a server at `home` may name this URL."""
    host = parts.hostname or ""
    if not host or not _is_host(host):
        return False
    if parts.port == 0 or _has_user(parts):
        return False
    if parts.scheme != "https" and not parts.scheme == home.scheme == "http":
        return False
    public = home.scheme == "https" and not _is_internal(home.hostname or "", own_name)
    return not (public and _is_internal(host, own_name))


def _is_host(host: str) -> bool:
    """Whether a host is so plain that no proxy or resolver can read it as another one."""
    return all(char.isascii() and (char.isalnum() or char in "-._:") for char in host)


def _is_internal(host: str, own_name: str) -> bool:
    """Whether a host is this machine or in its network, in any spelling that resolvers accept.

    Names without a dot are looked up in the machine's own domain.
    """
    name = host.rstrip(".").lower()
    if any(name == known or name.endswith(f".{known}") for known in LOCAL_DOMAINS):
        return True
    try:
        address = _parse_ipv6(name) if ":" in name else _parse_ipv4(name)
    except ValueError:
        return "." not in name or name == own_name.rstrip(".").lower()
    return not address.is_global or address.is_multicast


def _parse_ipv6(name: str) -> IPv4Address | IPv6Address:
    """Read an IPv6 address. Returns the IPv4 address inside it if there is one."""
    address = IPv6Address(name)
    if address in IPV4_IN_IPV6:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _parse_ipv4(name: str) -> IPv4Address:
    """Read an IPv4 address as `inet_aton` does: 127.1, 2130706433 and 0x7f.1 are the same."""
    *first, last = map(_parse_number, name.split("."))
    if len(first) > 3 or any(part > 255 for part in first):
        raise ValueError(name)
    value = last
    for place, part in enumerate(first):
        value += part << (24 - 8 * place)
    return IPv4Address(value)


def _parse_number(text: str) -> int:
    """Read a hexadecimal, octal or decimal number by its prefix, as in C."""
    if text.startswith("0x"):
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10)
