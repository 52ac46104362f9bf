"""What every way to a server has in common: what is carried, who receives it, and how failures are called.

A way hands the answer on as it comes, each part once, and never holds more of it than one read brings.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Protocol

from flux_cli.core.errors import ConfigError, NetworkError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Reply
from flux_cli.core.text import plain
from flux_cli.http.trust import host_of

SENT_ALWAYS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "flux-image-cli"}


class HttpRequest(NamedTuple):
    """One request as it goes out. `silence` is how many seconds may pass without a byte; None: any number."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    silence: float | None = None
    into: str | None = None  # a file for the body of a good answer; None: it is JSON
    heard: Callable[[Reply], None] | None = None  # gets the answer at once: nothing that fails later can lose it


class Head(NamedTuple):
    """How an answer begins: its status, and its headers with their names in lower case."""

    status: int
    headers: dict[str, str]


class Receiver(Protocol):
    """Takes one answer. What it raises ends the exchange, and is raised there."""

    def begin(self, head: Head) -> None: ...
    def take(self, part: bytes | bytearray) -> None: ...
    def end(self) -> None: ...


class Carrier(Protocol):
    """A way to servers."""

    async def carry(self, ask: HttpRequest, receiver: Receiver) -> None:
        """Send a request and hand on the answer, whole. Raises UnreachableError where nothing was sent, NetworkError
        where the connection broke afterward, and what the receiver raises.
        """

    async def close(self) -> None:
        """Close every connection."""


class UnreachableError(NetworkError):
    """Nothing was sent: no address, no connection, no free file. `hopeless`: nor will it be the next time."""

    hopeless = False


def unreachable(url: str, fault: BaseException) -> UnreachableError:
    """The error for a server nobody could speak to."""
    is_certificate = "certificate" in cause(fault).lower()
    hint = "check the network, the proxy variables and --base-url"
    if is_certificate:
        hint = "name your own authority's certificates in SSL_CERT_FILE"
    error = UnreachableError(f"cannot reach {host_of(url)}: {cause(fault)}", hint=hint)
    error.hopeless = is_certificate
    return error


def no_address(url: str, reason: object) -> UnreachableError:
    """The error for what is no address."""
    error = UnreachableError(f"{plain(url, 200)!r} is no address: {reason}")
    error.hopeless = True
    return error


def broken(url: str, fault: BaseException) -> NetworkError:
    """The error for an answer that is not whole."""
    return NetworkError(f"the connection to {host_of(url)} broke before the answer was complete: {cause(fault)}")


def wrong_settings(fault: BaseException) -> ConfigError:
    """The error for an environment nobody can reach a server with."""
    hint = "look at HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE"
    return ConfigError(f"the network settings of the environment are wrong: {fault}", hint=hint)


def cause(fault: BaseException) -> str:
    """The innermost message: libraries wrap what the operating system or TLS said."""
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    if isinstance(fault, OSError) and not isinstance(fault, ssl.SSLError) and (fault.errno or 0) > 0:
        return os.strerror(fault.errno or 0)
    return plain(str(fault)) or type(fault).__name__
