"""Addresses as HTTP wants them: what to connect to, and what to say there."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flux_cli.core.lite import NamedTuple
from flux_cli.http.carrier import no_address

PORTS = {"http": 80, "https": 443}
AS_THEY_ARE = "%/:@!$&'()*+,;=~"  # characters of a path, beside letters, digits and -._


class Address(NamedTuple):
    """Where a request goes: what to connect to, and what to say there."""

    scheme: str
    host: str
    port: int
    name: str  # as the Host header has it
    target: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.name}"


def read_address(url: str) -> Address:
    """Raises UnreachableError for what is none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        path, query = quote(parts.path or "/", AS_THEY_ARE), quote(parts.query, AS_THEY_ARE + "?")
    except UnicodeError as fault:
        raise no_address(url, "no host can have that name") from fault
    except ValueError as fault:
        raise no_address(url, fault) from fault
    if parts.scheme not in PORTS or not host or port == 0 or parts.username is not None:
        raise no_address(url, "it needs http or https, a host, and a port up to 65535")
    name, usual = f"[{host}]" if ":" in host else host, PORTS[parts.scheme]
    name = name if port in (None, usual) else f"{name}:{port}"
    return Address(parts.scheme, host, port or usual, name, f"{path}?{query}" if query else path)
