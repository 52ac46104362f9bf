"""How a run reaches its provider: with which key, and what kind of server that is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flux_cli.config.credentials import find_auth, missing_key_error
from flux_cli.config.keys import check_proxy
from flux_cli.http.machine import may_name_proxies

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.core.auth import Auth
    from flux_cli.core.text import Secret


def find_access(
    settings: Settings, *, no_key: bool = False, given: Secret | None = None
) -> Auth | None:
    """The key and the headers for the provider, as `find_auth` finds them.

    Raises ConfigError also if a proxy on another machine would see them.
    """
    auth = find_auth(settings, no_key=no_key, given=given)
    is_open = auth is not None and auth.base.startswith("http://")
    if auth is None or not is_open or not may_name_proxies():
        return auth
    from flux_cli.http.machine.proxies import read_proxies

    with suppress(ValueError):  # a proxy that cannot be read is not used either
        if proxy := read_proxies().choose_for(auth.base):
            check_proxy(auth.base, proxy.origin, settings.http_hosts)
    return auth


def require_key(auth: Auth | None, settings: Settings, *, no_key: bool) -> None:
    """Raise AuthError if the provider needs a key and there is none."""
    is_needed = bool(settings.provider.key_variables) and not no_key
    if is_needed and not (auth and auth.key):
        raise missing_key_error(settings)


def is_gateway(settings: Settings) -> bool:
    """Whether the server is the gateway at its public address, which answers with estimates.

    Any other server may not know such requests, or a proxy may change them: it would make an image.
    """
    return settings.provider.estimates and settings.base_url == settings.provider.base_url


def is_remote(settings: Settings) -> bool:
    """Whether images come from another machine."""
    if not settings.provider.hosted:
        return False
    from urllib.parse import urlsplit

    from flux_cli.core.auth import is_loopback

    return not is_loopback(urlsplit(settings.base_url).hostname or "")
