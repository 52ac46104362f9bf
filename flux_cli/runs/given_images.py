"""Downloads images that the user names by their URLs, before a run."""

from __future__ import annotations

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.outcome import ImageSource
from flux_cli.core.request import Attachment
from flux_cli.http.client import Http
from flux_cli.request.files import inputs
from flux_cli.runs import event_loop

FETCH_SECONDS = 60.0  # to download an image prompt


def download(address: str) -> Attachment:
    """Download an image from a URL that the user gave, without a key. Raises UsageError."""

    async def fetch() -> bytes:
        async with Http(timeout=FETCH_SECONDS, retries=1, folder=None) as http:
            path = await http.downloads.fetch(address, ImageSource(address))
            return http.spool.read(path)

    try:
        data = event_loop.run(fetch())
    except FluxError as fault:
        reason = fault.__cause__ or fault
        raise UsageError(f"cannot download image_prompt {address!r}: {reason}") from fault
    return inputs.attachment(address, data, is_public=True)
