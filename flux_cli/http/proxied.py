"""Through a proxy: httpx knows every kind of them. Nothing of it is seen outside of this module."""

from __future__ import annotations

import httpx

from flux_cli.http.carrier import (
    SENT_ALWAYS,
    Head,
    HttpRequest,
    Receiver,
    broken,
    no_address,
    unreachable,
    wrong_settings,
)


class Proxied:
    """One client, which reads the variables of the environment."""

    def __init__(self, connect: float) -> None:
        """`connect` is in seconds. Raises ConfigError for settings that make no sense."""
        self._connect = connect
        try:
            # A kept connection may be closed just as the next POST goes out, and nobody could say whether that one was
            # paid for: every call opens its own.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._client = httpx.AsyncClient(limits=limits, headers=SENT_ALWAYS, follow_redirects=False)
        except (ValueError, OSError, httpx.HTTPError, httpx.InvalidURL, ImportError) as fault:
            raise wrong_settings(fault) from fault

    async def carry(self, ask: HttpRequest, receiver: Receiver) -> None:
        """See `Carrier`."""
        timeout = httpx.Timeout(ask.silence, connect=self._connect, pool=None)
        try:
            request = self._client.build_request(
                ask.method, ask.url, headers=ask.headers, content=ask.body, timeout=timeout
            )
            response = await self._client.send(request, stream=True)
            try:
                receiver.begin(Head(response.status_code, dict(response.headers)))
                async for part in response.aiter_raw():
                    receiver.take(part)
                receiver.end()
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
            raise unreachable(ask.url, fault) from fault
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as fault:
            raise no_address(ask.url, fault) from fault
        except (httpx.HTTPError, httpx.StreamError) as fault:
            raise broken(ask.url, fault) from fault

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
