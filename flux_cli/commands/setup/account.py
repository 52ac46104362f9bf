"""The provider of a key that is stored or checked, and the check of the key itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.config.load import address_of
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.http.client import Http
from flux_cli.providers.account import check_key
from flux_cli.runs import event_loop

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.core.auth import Auth

MAX_SECONDS = 10.0  # that a person waits for the check of a key


def with_provider(settings: Settings, name: str | None) -> Settings:
    """The settings for another provider. The URL is "" if the user did not name one.

    Raises UsageError for an unknown provider.
    """
    if name is None:
        return settings
    row = settings.providers.get(name)
    if row is None:
        known = settings.providers
        hint = did_you_mean(name, known) or f"providers: {', '.join(known)}"
        raise UsageError(f"unknown provider {name!r}", hint=hint)
    return settings._replace(provider=row, base_url=address_of(row, settings))


def ask_account(settings: Settings, auth: Auth, seconds: float = MAX_SECONDS) -> str:
    """Check a key for free. See `providers.account.check_key`."""

    async def ask() -> str:
        async with Http(timeout=min(settings.timeout, seconds), retries=0, folder=None) as http:
            return await check_key(settings.provider, settings.base_url, auth, http)

    return event_loop.run(ask())


def without_home(text: str) -> str:
    """The text with ~ for the home folder, whose name is often that of a person."""
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and no entry in passwd
        return text
    for folder in (home, home.resolve()):
        if folder.is_absolute() and folder != folder.parent:
            text = re.sub(rf"(?<![\w.~/-]){re.escape(str(folder))}(?![\w.-])", "~", text)
    return text
