"""fal's queue: submits a request, then polls, reads or cancels it at the URLs that fal returns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError, ModerationError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply, Stop
from flux_cli.core.request import Call, Post, add_path
from flux_cli.core.text import plain
from flux_cli.core.values import read_integer
from flux_cli.http.replies import parse_object, reply_error
from flux_cli.providers.answers import fetch_images, image_source
from flux_cli.providers.missing import no_image_error
from flux_cli.providers.reading.bodies import read_body
from flux_cli.providers.reading.finder import find_images

if TYPE_CHECKING:
    from flux_cli.http.client import Http

POLL_SECONDS = 0.5
NO_ADDRESS = "the answer has no status_url and response_url"


class Fal:
    """`base` is the URL of the queue."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        url = add_path(self._base, f"/{call.model}")
        return Post(url, call.body, self._auth, uploads=call.uploads)

    async def images(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """Poll until the status is COMPLETED, which includes failures, and read the result.

        Raises a FluxError if the request failed.
        """
        answer = read_body(reply.data)
        source = image_source(reply, self._base, None)
        if found := find_images(_without_flagged(answer)):  # of a server that waits for the image
            return await fetch_images(found, _facts("", answer), source, reply, http)
        job = answer if isinstance(answer, dict) else {}
        identity = plain(str(job.get("request_id") or ""), 100)
        status, response = job.get("status_url"), job.get("response_url")
        if not isinstance(status, str) or not isinstance(response, str):
            raise no_image_error(reply, answer, self._auth, request_id=identity, problem=NO_ADDRESS)
        cancel = job.get("cancel_url")
        stop = Stop("PUT", cancel, identity) if isinstance(cancel, str) else None

        def read(answer: Reply) -> bool | None:
            return _completed(answer._replace(texts=reply.texts), self._auth, identity)

        await http.poll(status, self._auth, read, POLL_SECONDS, stop, reply.until)
        source = source._replace(until=http.downloads.deadline())
        result = await http.get(response, self._auth, source.until)
        result = result._replace(texts=reply.texts)
        if result.status != 200:
            raise reply_error(result, self._auth, identity)
        body = read_body(result.data)
        found = find_images(_without_flagged(body))
        if not found:
            raise _no_image(result, body, self._auth, identity)
        return await fetch_images(found, _facts(identity, body), source, result, http)


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


def _facts(identity: str, body: Json) -> Facts:
    seed = body.get("seed") if isinstance(body, dict) else None
    return Facts(identity, "fal", seed=read_integer(seed))


def _flags(body: Json) -> list[Json]:
    """For each image whether its content was refused. Such images are blank."""
    flags = body.get("has_nsfw_concepts") if isinstance(body, dict) else None
    return flags if isinstance(flags, list) else []


def _without_flagged(body: Json) -> Json:
    """A result without the images that are blank."""
    images = body.get("images") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(images, list):
        return body
    refused = {place for place, flag in enumerate(_flags(body)) if flag is True}
    kept = [image for place, image in enumerate(images) if place not in refused]
    return {**body, "images": kept}


def _no_image(result: Reply, body: Json, auth: Auth | None, identity: str) -> FluxError:
    """The error for a result without an image, or with blank ones only."""
    if any(flag is True for flag in _flags(body)):
        message, hint = "fal flagged the image", "rephrase the prompt"
        return ModerationError(message, hint=hint, billed=True, request_id=identity)
    error = no_image_error(
        result, body, auth, request_id=identity, problem="the result has no image"
    )
    error.billed = True
    return error
