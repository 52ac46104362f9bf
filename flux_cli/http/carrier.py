"""Shared by everything that sends HTTP requests: request, URL, who receives the answer, and network errors.

A carrier passes the answer on in parts as they arrive and never holds more than one of them.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote, urlsplit

from flux_cli.core.errors import ConfigError, NetworkError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Reply
from flux_cli.core.text import plain
from flux_cli.http.trust import host_and_port

DEFAULT_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": "flux-image-cli",
}
DEFAULT_PORTS = {"http": 80, "https": 443}
UNQUOTED = "%/:@!$&'()*+,;=~"  # allowed in a path as they are, beside letters, digits and -._


class HttpRequest(NamedTuple):
    """One HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    silence: float | None = None  # seconds without data after which the answer is given up; None: no limit
    into: str | None = None  # path for the body of a good answer; None: the body is JSON
    on_answer: Callable[[Reply], None] | None = None  # called as soon as the answer is complete


class Head(NamedTuple):
    """The status of an answer and its headers, with names in lower case."""

    status: int
    headers: dict[str, str]


class Receiver(Protocol):
    """Takes one answer. An exception raised here ends the exchange and reaches its caller."""

    def begin(self, head: Head) -> None: ...
    def take(self, part: bytes | bytearray) -> None: ...
    def end(self) -> None: ...


class Carrier(Protocol):
    """Sends requests and receives answers."""

    async def carry(self, request: HttpRequest, receiver: Receiver) -> None:
        """Send a request and pass the whole answer to the receiver.

        Raises UnreachableError if nothing was sent, NetworkError if the connection broke later,
        and whatever the receiver raises.
        """

    async def close(self) -> None:
        """Close all connections."""


class UnreachableError(NetworkError):
    """Nothing was sent: invalid address or no connection. `hopeless`: a retry would fail too."""

    hopeless = False


def unreachable_error(url: str, fault: BaseException) -> UnreachableError:
    """The error for a server that cannot be connected to."""
    reason = root_cause(fault)
    is_certificate = "certificate" in reason.lower()
    hint = "check the network, the proxy variables and --base-url"
    if is_certificate:
        hint = "set SSL_CERT_FILE to a file with the certificates of your own authority"
    error = UnreachableError(f"cannot reach {host_and_port(url)}: {reason}", hint=hint)
    error.hopeless = is_certificate
    return error


def invalid_address_error(url: str, reason: object) -> UnreachableError:
    """The error for a URL that cannot be used."""
    error = UnreachableError(f"invalid URL {plain(url, 200)!r}: {reason}")
    error.hopeless = True
    return error


def connection_broken_error(url: str, fault: BaseException) -> NetworkError:
    """The error for an answer that is not complete."""
    host, reason = host_and_port(url), root_cause(fault)
    return NetworkError(f"the connection to {host} broke before the answer was complete: {reason}")


def network_settings_error(fault: BaseException) -> ConfigError:
    """The error for proxy or certificate variables that cannot be used."""
    hint = "check HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE"
    return ConfigError(f"invalid network settings in the environment: {fault}", hint=hint)


def root_cause(fault: BaseException) -> str:
    """The innermost message: libraries wrap what the operating system or TLS reported."""
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    if isinstance(fault, OSError) and not isinstance(fault, ssl.SSLError):
        number = fault.errno or 0
        if number > 0:
            return os.strerror(number)
    return plain(str(fault)) or type(fault).__name__


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
