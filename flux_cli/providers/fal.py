"""fal's queue: submits a request, then polls, reads or cancels it at the URLs that fal returns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ModerationError, ProviderError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply, Stop, media_of
from flux_cli.core.request import Call, Post, add_path
from flux_cli.core.text import plain
from flux_cli.core.values import read_integer
from flux_cli.http.replies import parse_object, reply_error

if TYPE_CHECKING:
    from flux_cli.http.client import Http

POLL_SECONDS = 0.5


class Fal:
    """`base` is the URL of the queue."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        return Post(add_path(self._base, f"/{call.model}"), call.body, self._auth)

    async def images(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """Poll until the status is COMPLETED, which includes failures, and read the result.

        Raises a FluxError if the request failed.
        """
        job = parse_object(reply.data)
        identity = plain(str(job.get("request_id") or ""), 100)
        status, response = job.get("status_url"), job.get("response_url")
        if not isinstance(status, str) or not isinstance(response, str):
            message = "the answer has no status_url and response_url"
            raise ProviderError(message, billed=True, request_id=identity)
        cancel = job.get("cancel_url")
        stop = Stop("PUT", cancel, identity) if isinstance(cancel, str) else None

        def read(answer: Reply) -> bool | None:
            return _completed(answer, self._auth, identity)

        await http.poll(status, self._auth, read, POLL_SECONDS, stop, reply.until)
        until = http.downloads.deadline()
        result = await http.get(response, self._auth, until)
        if result.status != 200:
            raise reply_error(result, self._auth, identity)
        body = parse_object(result.data)
        urls = _image_urls(body, identity)
        arrived = await http.downloads.fetch_all(
            urls, self._base, identity, asked=reply.asked, until=until
        )
        facts = Facts(identity, "fal", seed=read_integer(body.get("seed")))
        return [media_of(one, facts) for one in arrived]


def _completed(reply: Reply, auth: Auth | None, identity: str) -> bool | None:
    """True if the request has finished, None before. Raises a FluxError if it failed."""
    body = parse_object(reply.data)
    if reply.status not in (200, 202):
        raise reply_error(reply, auth, identity)
    if body.get("status") != "COMPLETED":
        return None
    if body.get("error"):
        raise reply_error(reply, auth, identity)
    return True


def _image_urls(body: dict[str, Json], identity: str) -> list[str]:
    """The URLs of the images in a result. Raises a FluxError if there is none."""
    listed, flags = body.get("images"), body.get("has_nsfw_concepts")
    images = listed if isinstance(listed, list) else []
    flagged = flags if isinstance(flags, list) else []
    urls = []
    for place, image in enumerate(images):
        if place < len(flagged) and flagged[place] is True:  # flagged images are blank
            continue
        url = image.get("url") if isinstance(image, dict) else None
        if isinstance(url, str):
            urls.append(url)
    if urls:
        return urls
    if any(flag is True for flag in flagged):
        message, hint = "fal flagged the image", "rephrase the prompt"
        raise ModerationError(message, hint=hint, billed=True, request_id=identity)
    raise ProviderError("the result has no image", billed=True, request_id=identity)
