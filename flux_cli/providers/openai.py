"""The OpenAI Images API, which Lumenfall and many other servers implement.

`answers` reads its answers.
"""

from __future__ import annotations

from flux_cli.core.request import FORM, Post, add_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.auth import Auth
    from flux_cli.core.outcome import Media, Reply
    from flux_cli.core.request import Call
    from flux_cli.core.uploads import Body
    from flux_cli.http.client import Http


class OpenAI:
    """`base` is the URL including `/v1`. Without `auth`, no key is sent."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        """See `Provider`."""
        path = "/images/edits" if call.uploads == FORM else "/images/generations"
        body: Body = {"model": call.model, **call.body}
        return Post(add_path(self._base, path), body, self._auth, uploads=call.uploads)

    async def images(self, reply: Reply, http: Http) -> Sequence[Media]:
        """See `Provider` and `answers.read_images`."""
        from flux_cli.providers.answers import read_images  # not needed by `flux resolve`

        return await read_images(reply, self._base, self._auth, http)


def estimate_request(post: Post) -> Post:
    """The same request as a dry run: Lumenfall only checks it and returns the price."""
    return post._replace(url=f"{post.url}?dryRun=true")
