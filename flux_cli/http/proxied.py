"""Requests through a proxy, with httpx. Nothing of httpx is visible outside this module."""

from __future__ import annotations

import httpx

from flux_cli.http.carrier import (
    DEFAULT_HEADERS,
    Head,
    HttpRequest,
    Receiver,
    connection_broken_error,
    invalid_address_error,
    network_settings_error,
    unreachable_error,
)


class Proxied:
    """A carrier around one httpx client, which reads the proxy variables of the environment."""

    def __init__(self, connect: float) -> None:
        """`connect` is the connection timeout in seconds. Raises ConfigError for invalid settings."""
        self._connect = connect
        try:
            # Each request opens its own connection. A kept one may be closed just as the next POST
            # goes out, and nobody could tell whether that one was billed.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._client = httpx.AsyncClient(limits=limits, headers=DEFAULT_HEADERS, follow_redirects=False)
        except (ValueError, OSError, httpx.HTTPError, httpx.InvalidURL, ImportError) as fault:
            raise network_settings_error(fault) from fault

    async def carry(self, request: HttpRequest, receiver: Receiver) -> None:
        """See `Carrier`."""
        timeout = httpx.Timeout(request.silence, connect=self._connect, pool=None)
        try:
            built = self._client.build_request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.body,
                timeout=timeout,
            )
            response = await self._client.send(built, stream=True)
            try:
                receiver.begin(Head(response.status_code, dict(response.headers)))
                async for part in response.aiter_raw():
                    receiver.take(part)
                receiver.end()
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
            raise unreachable_error(request.url, fault) from fault
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as fault:
            raise invalid_address_error(request.url, fault) from fault
        except (httpx.HTTPError, httpx.StreamError) as fault:
            raise connection_broken_error(request.url, fault) from fault

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
