"""The HTTP requests of a prepared command line, and how people see them."""

from __future__ import annotations

from flux_cli.core.values import shorten
from flux_cli.providers.rows import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Json
    from flux_cli.core.request import Post
    from flux_cli.providers.rows import Provider
    from flux_cli.request.prepare import Prepared


def posts(prepared: Prepared) -> Iterator[Post]:
    """The HTTP requests that would be sent, one per call, without a key."""
    provider = provider_of(prepared, None)
    return map(provider.request, prepared.plan.calls)


def request_line(prepared: Prepared, post: Post) -> str:
    """A line for people that says where a request goes. A sketch is not sent."""
    is_sent = prepared.settings.provider.hosted
    return f"POST {post.url}" if is_sent else "sketch offline, nothing is sent:"


def short_body(post: Post) -> dict[str, Json]:
    """The body of a request for people: long values are cut, except the prompt."""
    body = {name: shorten(value) for name, value in post.shown.items()}
    if "prompt" in body:
        body["prompt"] = post.shown["prompt"]
    return body


def provider_of(prepared: Prepared, auth: Auth | None) -> Provider:
    """The provider of a prepared command line, with or without a key."""
    return connect(prepared.settings.provider, prepared.settings.base_url, auth)
