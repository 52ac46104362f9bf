"""Errors of the network, and the words for them."""

from __future__ import annotations

import os
import shlex
import ssl
import sys

from flux_cli.core.errors import ConfigError, NetworkError
from flux_cli.core.text import LONG, plain
from flux_cli.http.trust import host_and_port


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


def unusable_proxy_error(variable: str, reason: str) -> ConfigError:
    """The error for a proxy that cannot be used. Its URL is not quoted: it may hold a password."""
    hint = "write it as http://host:3128, or list the host in NO_PROXY"
    return ConfigError(f"invalid proxy in {variable}: {reason}", hint=hint)


def missing_socks_error(variable: str) -> ConfigError:
    """The error for a SOCKS proxy without the package that speaks its protocol.

    The hint is the command for the way in which flux was installed.
    """
    message = f"{variable} names a SOCKS proxy, which needs the package socksio"
    return ConfigError(message, hint=f"run: {install_command('socksio')}")


def install_command(package: str) -> str:
    """The command that adds a package to the environment in which flux is installed."""
    place = sys.prefix.replace("\\", "/")
    if "/pipx/venvs/" in place:
        return f"pipx inject {place.rpartition('/')[2]} {package}"
    if "/uv/tools/" in place:
        return f"uv tool install --with {package} {place.rpartition('/')[2]}"
    return f"{shlex.quote(sys.executable)} -m pip install {package}"


def certificates_error(variable: str, place: str, fault: BaseException) -> ConfigError:
    """The error for certificates that a variable names and that cannot be used."""
    reason = root_cause(fault)
    if isinstance(fault, ssl.SSLError):
        reason = "there is no certificate in it"
    hint = "name a file with certificates in PEM (-----BEGIN CERTIFICATE-----), or a folder of them"
    return ConfigError(f"{variable}: cannot use {place}: {reason}", hint=hint)


def root_cause(fault: BaseException) -> str:
    """The innermost message: libraries wrap what the operating system or TLS reported."""
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    if isinstance(fault, OSError) and not isinstance(fault, ssl.SSLError):
        number = fault.errno or 0
        if number > 0:
            return os.strerror(number)
    return plain(_without_python(str(fault)[:LONG])) or type(fault).__name__


def _without_python(message: str) -> str:
    """The message with quoted bytes as people write them: `bytearray(b'x')` is `'x'`."""
    import re  # only messages of failures come here

    return re.sub(r"""\b(?:bytearray\()?b(['"])(.*?)\1\)?""", r"\1\2\1", message)
