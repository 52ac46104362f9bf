"""Sends requests with one httpx client, through proxies if the environment names them."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address

import httpx

from flux_cli.http.errors import (
    connection_broken_error,
    invalid_address_error,
    network_settings_error,
    unreachable_error,
)
from flux_cli.http.exchange import Head, HttpRequest, Receiver
from flux_cli.http.transport import SWITCHING_PROTOCOLS, PushTransport

DEFAULT_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": "flux-image-cli",
}
SCHEMES = ("http", "https")
MAX_PORT = 65535


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

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and push the whole answer to its receiver. Nothing is left to read."""
        receiver: Receiver = request.extensions["receiver"]
        response = await super().handle_async_request(request)
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


def _new_client() -> httpx.AsyncClient:
    """A client that reads nothing from the environment but proxies and certificates."""
    try:
        return httpx.AsyncClient(
            transport=PushTransport(_tls_context),
            mounts=_proxy_mounts(),
            headers=DEFAULT_HEADERS,
            trust_env=False,
        )
    except (ValueError, OSError, ImportError, httpx.InvalidURL) as fault:
        raise network_settings_error(fault) from fault


def _parse_url(url: str) -> httpx.URL:
    """Parse a URL. Raises UnreachableError if nothing can be sent to it."""
    try:
        parsed = httpx.URL(url)
        parsed.raw_host.decode("ascii").encode("idna")  # as the resolver would: checks lengths
    except httpx.InvalidURL as fault:
        raise invalid_address_error(url, fault) from fault
    except UnicodeError as fault:
        raise invalid_address_error(url, "the host name is not valid") from fault
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


def _proxy_mounts() -> Mapping[str, httpx.AsyncBaseTransport | None]:
    """Transports by URL pattern: a proxy for each scheme, None for hosts that need none."""
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}  # getproxies would say the same after 10 ms
    from urllib.request import getproxies

    named = getproxies()
    proxies = {scheme: named[scheme] for scheme in (*SCHEMES, "all") if named.get(scheme)}
    exceptions = [host.strip() for host in named.get("no", "").split(",") if host.strip()]
    if not proxies or "*" in exceptions:
        return {}
    mounts: dict[str, httpx.AsyncBaseTransport | None] = dict.fromkeys(map(_pattern, exceptions))
    tls = _tls_context()
    for scheme, url in proxies.items():
        mounts[f"{scheme}://"] = _proxy_transport(url, tls)
    return mounts


def _pattern(host: str) -> str:
    """The URL pattern for an entry of NO_PROXY: an address, or a name and everything below it."""
    if "://" in host:
        return host
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{address}]" if address.version == 6 else f"all://{address}"


def _proxy_transport(url: str, tls: ssl.SSLContext) -> ProxyTransport:
    """The transport through a proxy. Every request opens its own connection."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    proxy = url if "://" in url else f"http://{url}"
    return ProxyTransport(proxy=proxy, verify=tls, limits=limits, trust_env=False)


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
    except (httpx.HTTPError, httpx.StreamError) as fault:
        raise connection_broken_error(url, fault) from fault
