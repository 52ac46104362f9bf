"""Sends requests with one httpx client, through proxies if the environment names them."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx

from flux_cli.core.auth import is_loopback
from flux_cli.http.errors import (
    connection_broken_error,
    invalid_address_error,
    network_settings_error,
    proxy_error,
    unreachable_error,
)
from flux_cli.http.exchange import Head, HttpRequest, Receiver
from flux_cli.http.machine.keepalive import keep_alive
from flux_cli.http.transport import (
    DEFAULT_PORTS,
    SWITCHING_PROTOCOLS,
    PushTransport,
)

DEFAULT_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": "flux-image-cli",
}
SCHEMES = ("http", "https")
MAX_PORT = 65535
MAX_LABEL = 63  # bytes between the dots of a host name


class Network:
    """The network as a `Sender`. The client and its settings are made with the first request.

    Redirects are not followed and cookies are not kept: httpx sees the status of an answer only.
    """

    def __init__(self, connect_seconds: float) -> None:
        self._connect_seconds = connect_seconds
        self._client: httpx.AsyncClient | None = None

    async def send(self, request: HttpRequest, receiver: Receiver) -> None:
        """See `Sender`. Raises ConfigError for proxies or certificates that cannot be used."""
        url = _parse_url(request.url)
        if self._client is None:
            self._client = _new_client()
        timeout = httpx.Timeout(request.silence, connect=self._connect_seconds, pool=None)
        with _translated_errors(request.url):
            built = self._client.build_request(
                request.method,
                url,
                headers=_encode_headers(request),
                content=request.body,
                timeout=timeout,
                extensions={"receiver": receiver},
            )
            await self._client.send(built)

    async def close(self) -> None:
        """Close all connections."""
        if self._client:
            await self._client.aclose()


class ProxyTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport through a proxy, which pushes answers as PushTransport does."""

    address = ""  # host and port of the proxy, for errors

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and push the whole answer to its receiver. Nothing is left to read.

        Raises UnreachableError if the proxy is at fault.
        """
        receiver: Receiver = request.extensions["receiver"]
        response = await self._begin(request)
        try:
            if response.status_code == SWITCHING_PROTOCOLS:
                raise httpx.RemoteProtocolError("the server does not speak HTTP/1.1")
            receiver.begin(Head(response.status_code, dict(response.headers)))
            async for part in response.aiter_raw():
                receiver.take(part)
            receiver.end()
        finally:
            await response.aclose()
        return httpx.Response(response.status_code)

    async def _begin(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the head of the answer."""
        is_connected = is_sent = False

        async def trace(step: str, facts: Mapping[str, Any]) -> None:
            nonlocal is_connected, is_sent
            if step == "connection.connect_tcp.complete":
                is_connected = True
                keep_alive(facts["return_value"])
            # A tunnel is opened by a request of its own.
            if step.endswith("send_request_headers.started"):
                is_sent = is_sent or facts["request"].method != b"CONNECT"

        request.extensions["trace"] = trace
        try:
            return await super().handle_async_request(request)
        except httpx.TransportError as fault:
            if is_sent:
                raise
            url = str(request.url)
            raise proxy_error(self.address, url, fault, is_connected=is_connected) from fault


class ProxyRouter(httpx.AsyncBaseTransport):
    """Sends each request directly or through the proxy that the environment names for its URL.

    A proxy is checked when it is used for the first time. Raises ConfigError if it cannot be used.
    """

    def __init__(self, direct: PushTransport, proxies: Mapping[str, str], skipped: str) -> None:
        self._direct, self._proxies, self._skipped = direct, proxies, skipped.split(",")
        self._transports: dict[str, ProxyTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. See `PushTransport` and `ProxyTransport`."""
        proxy = self._choose(request.url)
        if not proxy:
            return await self._direct.handle_async_request(request)
        if proxy not in self._transports:
            try:
                self._transports[proxy] = _proxy_transport(proxy)
            except (ValueError, OSError, ImportError, httpx.InvalidURL) as fault:
                raise network_settings_error(fault) from fault
        return await self._transports[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in (self._direct, *self._transports.values()):
            await transport.aclose()

    def _choose(self, url: httpx.URL) -> str:
        """The proxy for a URL; "" for none.

        Nothing for this machine leaves it: what is sent there may be unencrypted.
        """
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all") or ""
        if any(_is_named(url, entry.strip()) for entry in self._skipped):
            return ""
        if proxy and is_loopback(url.host) and not is_loopback(_host_of(proxy)):
            return ""
        return proxy


def _new_client() -> httpx.AsyncClient:
    """A client that reads nothing from the environment but proxies and certificates."""
    direct = PushTransport(_tls_context)
    named = _proxies()
    proxies = {scheme: named[scheme] for scheme in (*SCHEMES, "all") if named.get(scheme)}
    transport = ProxyRouter(direct, proxies, named.get("no", "")) if proxies else direct
    return httpx.AsyncClient(transport=transport, headers=DEFAULT_HEADERS, trust_env=False)


def _parse_url(url: str) -> httpx.URL:
    """Parse a URL. Raises UnreachableError if nothing can be sent to it."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as fault:
        raise invalid_address_error(url, fault) from fault
    labels = parsed.raw_host.removesuffix(b".").split(b".")
    if not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise invalid_address_error(url, "the host name is not valid")
    is_port = parsed.port is None or 0 < parsed.port <= MAX_PORT
    if parsed.scheme not in SCHEMES or not parsed.host or not is_port or parsed.userinfo:
        reason = "expected http or https, a host, and a port up to 65535"
        raise invalid_address_error(url, reason)
    return parsed


def _encode_headers(request: HttpRequest) -> dict[bytes, bytes]:
    """The headers as bytes. Raises UnreachableError for text that is not ASCII."""
    headers = {}
    try:
        for name, text in request.headers.items():
            headers[name.encode("ascii")] = text.encode("ascii")
    except UnicodeError as fault:
        raise invalid_address_error(request.url, fault) from fault
    return headers


def _proxies() -> Mapping[str, str]:
    """The proxies of the environment or the system by scheme, and `no`: hosts that need none."""
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}  # getproxies would say the same after 10 ms
    from urllib.request import getproxies

    return getproxies()


def _is_named(url: httpx.URL, entry: str) -> bool:
    """Whether an entry of NO_PROXY names the host of a URL. An invalid entry names none.

    An entry is `*`, an address or a range of addresses, or a name, which stands for everything
    below it, too. A scheme before it and a port behind it limit what it names.
    """
    scheme, _, rest = entry.rpartition("://")
    if scheme not in ("", "all", url.scheme):
        return False
    name, colon, port = rest.rpartition(":")
    if not (colon and port.isdecimal() and (":" not in name or name.endswith("]"))):
        name, port = rest, ""
    if port and port.lstrip("0") != str(url.port or DEFAULT_PORTS[url.scheme]):
        return False
    name = name.lower().strip("[]").rstrip(".")
    host = url.host.lower().rstrip(".")
    if name == "*":
        return True
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".")
    names = (host, url.raw_host.decode("ascii").lower().rstrip("."))
    return bool(name) and any(f".{one}".endswith(f".{name}") for one in names)


def _host_of(proxy: str) -> str:
    """The host of a proxy, which may have no scheme; "" if it has none."""
    try:
        return urlsplit(_with_scheme(proxy)).hostname or ""
    except ValueError:
        return ""


def _with_scheme(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def _proxy_transport(proxy: str) -> ProxyTransport:
    """The transport through a proxy. Every request opens its own connection."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    tls = _tls_context()
    transport = ProxyTransport(
        proxy=_with_scheme(proxy),
        verify=tls,
        limits=limits,
        trust_env=False,
    )
    transport.address = urlsplit(_with_scheme(proxy)).netloc.rpartition("@")[2]
    return transport


def _tls_context() -> ssl.SSLContext:
    """The TLS settings, with the certificates of SSL_CERT_FILE or SSL_CERT_DIR.

    Reading certificates takes long. Raises ConfigError for certificates that cannot be read.
    """
    import certifi  # plain http needs none

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if folder and not file:
            context = ssl.create_default_context(capath=folder)
        else:
            context = ssl.create_default_context(cafile=file or certifi.where())
    except (OSError, ValueError) as fault:
        raise network_settings_error(fault) from fault
    context.set_alpn_protocols(["http/1.1"])
    return context


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turn errors of httpx into FluxErrors that say whether anything was sent."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
        raise unreachable_error(url, fault) from fault
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as fault:
        raise invalid_address_error(url, fault) from fault
    except (httpx.HTTPError, httpx.StreamError, ssl.SSLError) as fault:  # httpcore lets TLS pass
        raise connection_broken_error(url, fault) from fault
