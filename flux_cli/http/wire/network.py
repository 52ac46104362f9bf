"""Sends requests with one httpx client, through proxies if the environment names them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from flux_cli.http.errors import (
    connection_broken_error,
    invalid_address_error,
    missing_socks_error,
    proxy_error,
    unreachable_error,
    unusable_proxy_error,
)
from flux_cli.http.exchange import Head, HttpRequest, Receiver
from flux_cli.http.machine import may_name_proxies
from flux_cli.http.machine.certificates import empty_context, tls_context
from flux_cli.http.machine.keepalive import keep_alive
from flux_cli.http.wire.body import Content, Form, JsonStream
from flux_cli.http.wire.connection import SWITCHING_PROTOCOLS
from flux_cli.http.wire.transport import PushTransport

if TYPE_CHECKING:
    from flux_cli.http.machine.proxies import Proxies, Proxy

DEFAULT_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": "flux-image-cli",
}
SCHEMES = ("http", "https")
USABLE_SCHEMES = ("http", "https", "socks5", "socks5h")
TUNNEL_STEPS = ("proxy.start_tls.started", "socks.start_tls.started")
PROXY_STATUS = 407
MAX_PORT = 65535
MAX_LOGIN = 255  # bytes of a user name or password for SOCKS
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
                timeout=timeout,
                extensions={"receiver": receiver},
                **_content(request.body),
            )
            await self._client.send(built)

    async def close(self) -> None:
        """Close all connections."""
        if self._client:
            await self._client.aclose()


class ProxyTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport through a proxy, which pushes answers as PushTransport does."""

    proxy: Proxy  # for errors

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and push the whole answer to its receiver. Nothing is left to read.

        Raises UnreachableError if the proxy is at fault.
        """
        receiver: Receiver = request.extensions["receiver"]
        response = await self._begin(request)
        try:
            self._check_status(request, response)
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
        is_connected = is_tunneled = is_sent = False

        async def trace(step: str, facts: Mapping[str, Any]) -> None:
            nonlocal is_connected, is_tunneled, is_sent
            if step.endswith("connect_tcp.complete"):  # of HTTP or SOCKS
                is_connected = True
                keep_alive(facts["return_value"])
            if step in TUNNEL_STEPS:
                is_tunneled = True
            # A tunnel is opened by a request of its own.
            if step.endswith("send_request_headers.started"):
                is_sent = is_sent or facts["request"].method != b"CONNECT"

        request.extensions["trace"] = trace
        try:
            return await super().handle_async_request(request)
        except Exception as fault:  # also what only the package for SOCKS raises
            if is_sent:
                raise
            url = str(request.url)
            if is_tunneled:
                raise unreachable_error(url, fault) from fault
            raise proxy_error(self.proxy, url, fault, is_connected=is_connected) from fault

    def _check_status(self, request: httpx.Request, response: httpx.Response) -> None:
        """Raise UnreachableError if the proxy wants a login, and passed nothing on."""
        is_passed_on = request.url.scheme == "http" and self.proxy.scheme in SCHEMES
        if is_passed_on and response.status_code == PROXY_STATUS:
            reason = f"{PROXY_STATUS} {response.reason_phrase}"
            raise proxy_error(self.proxy, str(request.url), httpx.ProxyError(reason))


class ProxyRouter(httpx.AsyncBaseTransport):
    """Sends each request directly or through the proxy that the environment names for its URL.

    A proxy is made when it is used for the first time. Raises ConfigError if it cannot be used.
    """

    def __init__(self, direct: PushTransport, proxies: Proxies) -> None:
        self._direct, self._proxies = direct, proxies
        self._transports: dict[str, ProxyTransport] = {}  # by the scheme they are for

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. See `PushTransport` and `ProxyTransport`."""
        scheme = request.url.scheme
        try:
            proxy = self._proxies.choose(scheme, request.url.host, request.url.port)
        except ValueError as fault:
            raise unusable_proxy_error(str(fault), "it is not the URL of a proxy") from fault
        if proxy is None:
            return await self._direct.handle_async_request(request)
        if scheme not in self._transports:
            self._transports[scheme] = _proxy_transport(proxy, scheme)
        return await self._transports[scheme].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in (self._direct, *self._transports.values()):
            await transport.aclose()


def _new_client() -> httpx.AsyncClient:
    """A client that reads nothing from the environment but proxies and certificates."""
    return httpx.AsyncClient(transport=_new_transport(), headers=DEFAULT_HEADERS, trust_env=False)


def _new_transport() -> PushTransport | ProxyRouter:
    direct = PushTransport(tls_context)
    if not may_name_proxies():
        return direct
    from flux_cli.http.machine.proxies import read_proxies

    proxies = read_proxies()
    return ProxyRouter(direct, proxies) if proxies.by_scheme else direct


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


def _content(body: Content | None) -> dict[str, Any]:
    """The arguments for httpx that make a body."""
    if isinstance(body, Form):
        return {"data": body.texts, "files": body.files}
    return {"content": body}


def _encode_headers(request: HttpRequest) -> dict[bytes, bytes]:
    """The headers as bytes. Raises UnreachableError for text that is not ASCII."""
    headers = {}
    if isinstance(request.body, JsonStream):
        headers[b"Content-Length"] = str(request.body.length).encode()
    try:
        for name, text in request.headers.items():
            headers[name.encode("ascii")] = text.encode("ascii")
    except UnicodeError as fault:
        raise invalid_address_error(request.url, fault) from fault
    return headers


def _proxy_transport(proxy: Proxy, scheme: str) -> ProxyTransport:
    """The transport through a proxy, for URLs of a scheme. Every request opens its own connection.

    Raises ConfigError for a proxy that cannot be used. httpx never sees the text of the variable,
    so that its messages cannot quote a password.
    """
    if proxy.scheme not in USABLE_SCHEMES:
        raise unusable_proxy_error(proxy.variable, f"flux cannot use a {proxy.scheme} proxy")
    _check_login(proxy)
    is_encrypted = "https" in (scheme, proxy.scheme)
    tls = tls_context() if is_encrypted else empty_context()  # reading certificates takes long
    proxy_tls = tls if proxy.scheme == "https" else None
    try:
        named = httpx.Proxy(
            proxy.origin,
            ssl_context=proxy_tls,
            auth=proxy.login,
        )
        transport = ProxyTransport(
            proxy=named,
            verify=tls,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
        )
    except ImportError as fault:
        raise missing_socks_error(proxy.variable) from fault
    except (ValueError, httpx.InvalidURL) as fault:
        raise unusable_proxy_error(proxy.variable, "its host is not valid") from fault
    transport.proxy = proxy
    return transport


def _check_login(proxy: Proxy) -> None:
    """Raise ConfigError for a user name or password that cannot be sent."""
    for text in proxy.login or ():
        try:
            size = len(text.encode())
        except UnicodeEncodeError as fault:
            reason = "its user name or password is not UTF-8"
            raise unusable_proxy_error(proxy.variable, reason) from fault
        if size > MAX_LOGIN and proxy.scheme not in SCHEMES:
            reason = f"its user name or password has more than {MAX_LOGIN} bytes"
            raise unusable_proxy_error(proxy.variable, reason)


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
