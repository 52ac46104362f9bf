"""Downloads images that the user names by their URLs, before a run."""

from __future__ import annotations

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.outcome import ImageSource
from flux_cli.http.client import Http
from flux_cli.runs import event_loop

FETCH_SECONDS = 60.0  # to download an image


def download(address: str) -> bytes:
    """Download an image from a URL that the user gave, without a key. Raises UsageError."""

    async def fetch() -> bytes:
        async with Http(timeout=FETCH_SECONDS, retries=1, folder=None) as http:
            path = await http.downloads.fetch(address, ImageSource(address))
            return http.spool.read(path)

    try:
        return event_loop.run(fetch())
    except FluxError as fault:
        reason = fault.__cause__ or fault
        raise UsageError(f"cannot download the image {address!r}: {reason}") from fault
