"""Reads the proxy variables as curl does, and decides which proxy a request goes through.

A proxy's password is never part of a message: messages name the variable, or host and port.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from flux_cli.core.auth import bytes_of, is_loopback
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Note
from flux_cli.core.text import Secret, plain, variable_text
from flux_cli.http.machine.no_proxy import Entry, read_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMES = ("http", "https")
# curl takes port 1080 where a proxy has none, except for https.
PROXY_PORTS = {"http": 1080, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}
ALIASES = {"socks": "socks5", "socks4a": "socks4"}  # desktops write socks:// for SOCKS 5
MAX_PORT = 65535
# `user:password@host:port`, and perhaps a path, which means nothing. `#`, `/` and `?` before the
# last `@` are part of a password that somebody did not escape.
ADDRESS = re.compile(
    r"(?:(?P<user>.*)@)?(?P<host>\[[0-9a-fA-F:.]+(?:%[^\]]*)?\]|[^\s@:/?#\[\]]+)"
    r"(?::(?P<port>[0-9]{0,5}))?(?:[/?#][^@]*)?",
    re.DOTALL,
)


class Proxy(NamedTuple):
    """One proxy. `variable` named it, and is what messages quote instead of its URL."""

    variable: str
    scheme: str  # http, https, socks5, socks5h; socks4 cannot be used
    host: str  # without brackets
    port: int
    user: str = ""
    password: Secret | None = None

    @property
    def login(self) -> tuple[str, str] | None:
        """User name and password, for whoever connects; None without both."""
        if not self.user and self.password is None:
            return None
        return self.user, self.password.reveal() if self.password else ""

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The URL of the proxy without user name and password."""
        return f"{self.scheme}://{self.address}"


class Proxies(NamedTuple):
    """What the environment says: a proxy for each scheme and for `all`, and who needs none.

    None stands for a proxy that cannot be read; `variables` has the names of their variables.
    """

    by_scheme: Mapping[str, Proxy | None]
    variables: Mapping[str, str]
    direct: Sequence[Entry]  # the entries of NO_PROXY
    unreadable: Sequence[str]  # its entries that cannot be read

    def choose(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for a request; None for a direct one. The port is None for the usual one.

        Nothing for this machine leaves it: what is sent there may be unencrypted. Raises ValueError
        with the name of the variable if the proxy to use cannot be read.
        """
        named = scheme if scheme in self.by_scheme else "all"
        if named not in self.by_scheme:
            return None
        if any(entry.names(scheme, host, port) for entry in self.direct):
            return None
        proxy = self.by_scheme[named]
        if is_loopback(host.strip("[]")) and not (proxy and is_loopback(proxy.host)):
            return None
        if proxy is None:
            raise ValueError(self.variables[named])
        return proxy

    def choose_for(self, url: str) -> Proxy | None:
        """The proxy for a URL. See `choose`."""
        parts = urlsplit(url)
        return self.choose(parts.scheme, parts.hostname or "", parts.port)

    def notes(self) -> tuple[Note, ...]:
        """Notes on what is ignored because it cannot be read."""
        if not self.by_scheme:
            return ()
        reason = "it is no host, address or range of addresses"
        skipped = [
            Note("NO_PROXY", plain(entry, 60), None, "ignored", reason, warning=True)
            for entry in self.unreadable
        ]
        is_whole = all(scheme in self.by_scheme for scheme in SCHEMES)
        if is_whole and "all" in self.by_scheme and self.by_scheme["all"] is None:
            reason = "it is no URL of a proxy, and the other variables name one"
            name = self.variables["all"]
            skipped.append(Note(name, "***", None, "ignored", reason, warning=True))
        return tuple(skipped)


def read_proxies(environ: Mapping[str, str] | None = None) -> Proxies:
    """The proxies of the environment, else of the system's settings (macOS, Windows)."""
    environ = os.environ if environ is None else environ
    found = _variables(environ)
    if not found and sys.platform != "linux":
        from urllib.request import getproxies

        for scheme, url in getproxies().items():
            found[scheme] = (f"the {scheme} proxy of the system", url)
    named = found.pop("no", ("", ""))[1]
    direct, unreadable = read_entries(named)
    proxies: dict[str, Proxy | None] = {}
    for scheme, (variable, text) in found.items():
        if scheme in (*SCHEMES, "all"):
            proxies[scheme] = parse_proxy(variable, text)
    return Proxies(
        by_scheme=proxies,
        variables={scheme: variable for scheme, (variable, _) in found.items()},
        direct=direct,
        unreadable=unreadable,
    )


def _variables(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The name and value of each proxy variable by its scheme. Lower case wins unless empty."""
    found: dict[str, tuple[str, str]] = {}
    for scheme in (*SCHEMES, "all", "no"):
        names = [f"{scheme.upper()}_PROXY", f"{scheme}_proxy"]
        # A web server puts the header `Proxy` of a request into HTTP_PROXY. curl never reads it,
        # and an empty http_proxy turns the proxy off.
        if scheme == "http" and ("http_proxy" in environ or "REQUEST_METHOD" in environ):
            names.remove("HTTP_PROXY")
        for name in names:
            if text := variable_text(environ, name):
                found[scheme] = (name, text)
    return found


def parse_proxy(variable: str, text: str) -> Proxy | None:
    """The proxy that a variable names, with or without a scheme; None if it cannot be read.

    The password becomes a Secret, so that no text shows it.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    scheme = scheme.lower()
    scheme = ALIASES.get(scheme, scheme)
    user, colon, password = "", "", ""
    if "@" in rest:
        user, colon, password = rest.rpartition("@")[0].partition(":")
    user, typed, password = _unescape(user), password, _unescape(password)
    secret = Secret(password) if colon else None
    if password:
        Secret(typed)  # which is what a message would quote
        Secret(base64.b64encode(bytes_of(f"{user}:{password}")).decode())
    match = ADDRESS.fullmatch(rest)
    if scheme not in PROXY_PORTS or not match:
        return None
    port = int(match["port"] or PROXY_PORTS[scheme])
    if not 0 < port <= MAX_PORT:
        return None
    return Proxy(variable, scheme, match["host"].strip("[]"), port, user, secret)


def _unescape(text: str) -> str:
    """A user name or password. What is not UTF-8 becomes surrogates, as in the environment."""
    return unquote(text, errors="surrogateescape")
