"""What the OpenAI Images API is sent; how its answers are read is in `openai`."""

from __future__ import annotations

from flux_cli.core.request import Post

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.request import Auth, Call


def images_post(base: str, call: Call, auth: Auth | None) -> Post:
    """The request of one call to the server at `base`, which ends in `/v1`."""
    return Post(f"{base}/images/generations", {"model": call.model, **call.body}, auth)
