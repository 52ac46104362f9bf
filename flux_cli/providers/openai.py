"""The OpenAI Images API, which Lumenfall and many other servers speak. How its answers are read is in `answers`."""

from __future__ import annotations

from flux_cli.core.request import Post

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.request import Auth, Call, Media, Reply
    from flux_cli.http.client import Http


class OpenAI:
    """`base` is the address up to and with `/v1`. Without a key no Authorization header is sent."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        """The request of one call."""
        return Post(f"{self._base}/images/generations", {"model": call.model, **call.body}, self._auth)

    async def images(self, reply: Reply, http: Http) -> Sequence[Media]:
        """The images of a good reply. Raises what `answers.read_images` raises."""
        from flux_cli.providers.answers import read_images  # `flux resolve` shows requests and reads no answer

        return await read_images(reply, self._base, self._auth, http)


def estimate_request(post: Post) -> Post:
    """The same request as a dry run: Lumenfall checks it and names the price, and makes nothing."""
    return post._replace(url=f"{post.url}?dryRun=true")
