"""Errors of the network, and the words for them."""

from __future__ import annotations

import os
import socket
import ssl
import sys

from flux_cli.core.errors import ConfigError, NetworkError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import LONG, plain
from flux_cli.http.trust import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.http.machine.proxies import Proxy

CLOCK_HINT = "check the clock of this computer; if it is right, the server needs a new certificate"


class Refusal(NamedTuple):
    """What a peer says that never read a request, in the words of OpenSSL or of the system."""

    words: str  # a regular expression
    sentence: str
    hint: str
    is_late: bool = False  # it may come when the request is sent already
    is_final: bool = True  # a retry would fail, too


TLS_REFUSALS = (
    Refusal("expired", "the certificate of {host} has expired", CLOCK_HINT),
    Refusal("not yet valid", "the certificate of {host} is not valid yet", CLOCK_HINT),
    Refusal(
        "(hostname|ip address|name) mismatch|not valid for|(doesn't|does not) match",
        "the certificate at {host} is for another host",
        "check --base-url: write the name that is in the certificate",
    ),
    Refusal(
        "self[- ]signed certificate in|issuer|unable to verify the first|unknown ca|trusted",
        "the certificate of {host} is signed by an unknown authority",
        "set SSL_CERT_FILE to a file with the certificates of that authority",
    ),
    Refusal(
        "self[- ]signed",
        "the certificate of {host} is signed by itself",
        "set SSL_CERT_FILE to a file with this certificate",
    ),
    Refusal("revoked", "the certificate of {host} is revoked", "check --base-url"),
    Refusal(
        "certificate[ _]required|alert[ _](bad|no|unsupported)[ _]certificate",
        "{host} wants a certificate from its clients, which flux cannot send",
        "ask who runs the server for an address that takes a key",
        is_late=True,
    ),
    Refusal(
        "verify failed",
        "the certificate of {host} cannot be verified: {reason}",
        "set SSL_CERT_FILE to a file with the certificates of its authority",
    ),
    Refusal(
        "no[ _]application[ _]protocol",
        "{host} speaks only HTTP/2, which flux does not",
        "use an address of the server that speaks HTTP/1.1",
    ),
    Refusal(
        (
            "wrong[ _]version[ _]number|record[ _]layer[ _]failure|unknown[ _]protocol"
            "|packet[ _]length|http[ _]request|bad[ _]record[ _]type"
        ),
        "{host} does not speak TLS",
        "is it http:// instead of https://? check --base-url",
    ),
    Refusal(
        "unsupported[ _]protocol|no[ _]protocols|protocol[ _]version|inappropriate[ _]fallback",
        "{host} speaks only old versions of TLS, which are not safe",
        "ask who runs the server to update it",
    ),
    Refusal(
        "eof occurred|unexpected[ _]eof",
        "{host} closed the connection before TLS was set up",
        "check --base-url, and whether a firewall is in the way",
        is_final=False,
    ),
    Refusal(
        "alert|no[ _]shared",
        "{host} refuses to speak TLS: {reason}",
        "check --base-url",
    ),
)
# Answers to a request that their server cannot have read. h11 quotes their first bytes.
PROTOCOL_REFUSALS = (
    Refusal(
        r"^illegal status line: '\\x15\\x03",
        "{host} speaks TLS, and was asked without it",
        "write https:// instead of http:// in --base-url",
        is_late=True,
    ),
    Refusal(
        r"^illegal status line: '\\x00\\x00.{1,4}\\x04\\x00",
        "{host} speaks only HTTP/2, which flux does not",
        "use an address of the server that speaks HTTP/1.1",
        is_late=True,
    ),
)
NETWORK_HINT = "check the network, the proxy variables and --base-url"
PROXY_HINT = "check {variable}, or list the host in NO_PROXY"
PROXY_KEY_HINT = "write user name and password into {variable}: {scheme}://USER:PASSWORD@HOST:PORT"
NO_TUNNEL = "{host} refused to connect to {server}: {reason}"
# What a proxy says that leads nowhere: a status of HTTP, or in the words of httpcore about SOCKS.
PROXY_REFUSALS = (
    Refusal("^407", NO_TUNNEL, PROXY_KEY_HINT),
    Refusal("^4", NO_TUNNEL, PROXY_HINT),
    Refusal("^[0-9]{3}", NO_TUNNEL, PROXY_HINT, is_final=False),
    Refusal(
        "but got no authentication required",
        "{host} takes no user name and password",
        "remove them from {variable}",
    ),
    Refusal("but got (username|no acceptable)", "{host} wants another login", PROXY_KEY_HINT),
    Refusal("invalid username", "{host} refuses this user name and password", PROXY_KEY_HINT),
    Refusal("illegal request line", "{host} does not speak HTTP", PROXY_HINT, is_final=False),
    Refusal("malformed reply", "{host} does not speak SOCKS 5", PROXY_HINT, is_final=False),
)
NAMELESS = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


class UnreachableError(NetworkError):
    """Nothing was sent: invalid address or no connection. `hopeless`: a retry would fail too."""

    hopeless = False


def unreachable_error(url: str, fault: BaseException) -> UnreachableError:
    """The error for a server that cannot be connected to."""
    if refused := handshake_error(host_and_port(url), fault):
        return refused
    message = f"cannot reach {host_and_port(url)}: {root_cause(fault)}"
    return UnreachableError(message, hint=NETWORK_HINT)


def handshake_error(
    host: str, fault: BaseException, *, is_sent: bool = False
) -> UnreachableError | None:
    """The error for a peer that refused before it read a request; None for any other fault."""
    import re  # only failures come here

    cause, reason = innermost(fault), root_cause(fault)
    refusals = TLS_REFUSALS if isinstance(cause, ssl.SSLError) else PROTOCOL_REFUSALS
    said = f"{reason} {cause}"
    for refusal in refusals:
        is_possible = refusal.is_late or not is_sent
        if is_possible and re.search(refusal.words, said, re.IGNORECASE):
            sentence = refusal.sentence.format(host=host, reason=reason)
            error = UnreachableError(sentence, hint=refusal.hint)
            error.hopeless = refusal.is_final
            return error
    return None


def proxy_error(
    proxy: Proxy, url: str, fault: BaseException, *, is_connected: bool = True
) -> UnreachableError:
    """The error for a proxy through which nothing reached the server."""
    import re

    name, server, reason = f"the proxy {proxy.address}", host_and_port(url), root_cause(fault)
    usual_hint = PROXY_HINT.format(variable=proxy.variable)
    if refused := handshake_error(name, fault):
        if "SSL_CERT_FILE" not in refused.hint and refused.hint != CLOCK_HINT:
            refused.hint = usual_hint
        return refused
    for refusal in PROXY_REFUSALS:
        if re.search(refusal.words, reason, re.IGNORECASE):
            sentence = refusal.sentence.format(host=name, server=server, reason=reason)
            hint = refusal.hint.format(variable=proxy.variable, scheme=proxy.scheme)
            error = UnreachableError(sentence, hint=hint)
            error.hopeless = refusal.is_final
            return error
    problem = f"cannot reach {name}"
    if is_connected:
        problem = f"{name} does not lead to {server}"
    return UnreachableError(f"{problem}: {reason}", hint=usual_hint)


def invalid_address_error(url: str, reason: object) -> UnreachableError:
    """The error for a URL that cannot be used."""
    error = UnreachableError(f"invalid URL {plain(url, 200)!r}: {reason}")
    error.hopeless = True
    return error


def connection_broken_error(url: str, fault: BaseException) -> NetworkError:
    """The error for an answer that is not complete.

    UnreachableError if the peer was never ready for a request: TLS 1.3 refuses clients after its
    handshake, and a server of another protocol has read nothing.
    """
    host = host_and_port(url)
    if refused := handshake_error(host, fault, is_sent=True):
        return refused
    reason = root_cause(fault)
    return NetworkError(f"the connection to {host} broke before the answer was complete: {reason}")


def protocol_fault(fault: BaseException, data: bytes | bytearray) -> str:
    """What is wrong with `data` of an answer. h11 does not quote it if it begins like no text."""
    message = str(fault)
    if message == "illegal request line":
        return f"illegal status line: {bytes(data[:9])!r}"
    return message


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
    from shlex import quote

    return f"{quote(sys.executable)} -m pip install {package}"


def certificates_error(variable: str, place: str, fault: BaseException) -> ConfigError:
    """The error for certificates that a variable names and that cannot be used."""
    reason = root_cause(fault)
    if isinstance(fault, ssl.SSLError):
        reason = "there is no certificate in it"
    hint = "name a file with certificates in PEM (-----BEGIN CERTIFICATE-----), or a folder of them"
    return ConfigError(f"{variable}: cannot use {place}: {reason}", hint=hint)


def root_cause(fault: BaseException) -> str:
    """The innermost message: libraries wrap what the operating system or TLS reported."""
    fault = innermost(fault)
    if isinstance(fault, ssl.SSLCertVerificationError) and fault.verify_message:
        return plain(fault.verify_message)
    if isinstance(fault, socket.gaierror):
        return "there is no host of that name" if fault.errno in NAMELESS else _name_fault(fault)
    if isinstance(fault, OSError) and not isinstance(fault, ssl.SSLError):
        number = fault.errno or _number_in(str(fault)[:LONG])
        if number > 0:
            return os.strerror(number)
    return plain(_without_python(str(fault)[:LONG])) or type(fault).__name__


def innermost(fault: BaseException) -> BaseException:
    """The first cause of a fault that says anything."""
    found = fault
    while inner := _cause_of(fault):
        fault = inner
        if str(fault):
            found = fault
    return found


def _cause_of(fault: BaseException) -> BaseException | None:
    if isinstance(fault, BaseExceptionGroup):  # one for each address of a host
        return fault.exceptions[0]
    return fault.__cause__ or fault.__context__


def _name_fault(fault: OSError) -> str:
    return f"its name cannot be resolved ({plain(fault.strerror or 'unknown reason')})"


def _number_in(message: str) -> int:
    """The error number in a message about several attempts; 0 without one."""
    import re

    found = re.search(r"\[Errno (\d{1,4})\]", message)
    return int(found[1]) if found else 0


def _without_python(message: str) -> str:
    """The message as people write it: `bytearray(b'x')` is `'x'`, and without places in code."""
    import re  # only messages of failures come here

    message = re.sub(r"\[(Errno -?\d+|SSL[^\]]*)\] ?|\(_ssl\.c:\d+\)", "", message)
    return re.sub(r"""\b(?:bytearray\()?b(['"])(.*?)\1\)?""", r"\1\2\1", message)
