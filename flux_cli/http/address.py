"""URLs, split into what to connect to and what to send in the request."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flux_cli.core.lite import NamedTuple
from flux_cli.http.carrier import invalid_address_error

DEFAULT_PORTS = {"http": 80, "https": 443}
UNQUOTED = "%/:@!$&'()*+,;=~"  # allowed in a path as they are, beside letters, digits and -._


class Address(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    name: str  # value of the Host header
    target: str  # path and query

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.name}"


def read_address(url: str) -> Address:
    """Split a URL. Raises UnreachableError if it is invalid."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        path, query = quote(parts.path or "/", UNQUOTED), quote(parts.query, UNQUOTED + "?")
    except UnicodeError as fault:
        raise invalid_address_error(url, "the host name is not valid") from fault
    except ValueError as fault:
        raise invalid_address_error(url, fault) from fault
    if parts.scheme not in DEFAULT_PORTS or not host or port == 0 or parts.username is not None:
        raise invalid_address_error(url, "expected http or https, a host, and a port up to 65535")
    default_port = DEFAULT_PORTS[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    if port not in (None, default_port):
        name = f"{name}:{port}"
    target = f"{path}?{query}" if query else path
    return Address(parts.scheme, host, port or default_port, name, target)
