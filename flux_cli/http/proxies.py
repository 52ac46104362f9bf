"""What the environment says about the network: proxies, exceptions from them, and trusted certificates."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from ipaddress import ip_address

import certifi
import httpx

from flux_cli.http.errors import network_settings_error

SCHEMES = ("http", "https", "all")


def proxy_mounts() -> Mapping[str, httpx.AsyncBaseTransport | None]:
    """Transports by URL pattern, as httpx takes them: a proxy for each scheme, None for hosts that need none.

    Raises ConfigError for variables that cannot be used.
    """
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}  # getproxies would say the same after 10 ms
    from urllib.request import getproxies

    named = getproxies()
    proxies = {scheme: named[scheme] for scheme in SCHEMES if named.get(scheme)}
    exceptions = [host.strip() for host in named.get("no", "").split(",") if host.strip()]
    if not proxies or "*" in exceptions:
        return {}
    mounts: dict[str, httpx.AsyncBaseTransport | None] = dict.fromkeys(map(_pattern, exceptions))
    for scheme, url in proxies.items():
        mounts[f"{scheme}://"] = _proxy(url)
    return mounts


def tls_context() -> ssl.SSLContext:
    """The TLS settings, with the certificates of SSL_CERT_FILE or SSL_CERT_DIR. Reading certificates takes long.

    Raises ConfigError for certificates that cannot be read.
    """
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


def _pattern(host: str) -> str:
    """The pattern of httpx for an entry of NO_PROXY: an address, or a name and everything below it."""
    if "://" in host:
        return host
    try:
        address = ip_address(host)
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{host}]" if address.version == 6 else f"all://{host}"


def _proxy(url: str) -> httpx.AsyncHTTPTransport:
    """The transport through a proxy. Each request opens its own connection, as in `transport`."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    try:
        return httpx.AsyncHTTPTransport(
            proxy=url if "://" in url else f"http://{url}", verify=tls_context(), limits=limits, trust_env=False
        )
    except (ValueError, OSError, httpx.InvalidURL, ImportError) as fault:
        raise network_settings_error(fault) from fault
