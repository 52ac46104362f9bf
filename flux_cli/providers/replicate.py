"""Replicate's predictions: creates one, which may take a minute to answer, then polls it.

Images that are too large for the body of a request are uploaded before.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ProviderError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply, Stop
from flux_cli.core.request import ADDRESSES, FORM, Call, Post, add_path
from flux_cli.core.text import plain
from flux_cli.http.replies import is_good, job_error, parse_object, reply_error
from flux_cli.providers.answers import fetch_images, image_source
from flux_cli.providers.missing import no_image_error
from flux_cli.providers.reading.bodies import read_body
from flux_cli.providers.reading.finder import Found, find_images

if TYPE_CHECKING:
    from flux_cli.core.uploads import Body, Upload
    from flux_cli.http.client import Http

POLL_SECONDS = 1.0
NO_ADDRESS = "the answer has no prediction URL"
NO_FILE = "the answer has no URL of the file"
NO_IMAGE = "the prediction succeeded but Replicate returned no image URL"
WAIT_SECONDS = 60  # the longest time Replicate waits before it answers
LARGEST_INSIDE = (
    256_000  # bytes of a data URI in a request; Replicate advises to upload larger ones
)


class Replicate:
    """`base` is the URL including `/v1`."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        """See `Provider`. A version (`owner/name:version`) has an endpoint of its own."""
        model, _, version = call.model.partition(":")
        if "/" not in model:
            version = version or model
        body: Body = {"input": _input(call)}
        path = f"/models/{model}/predictions"
        if version:
            path, body = "/predictions", {"version": version, **body}
        headers = {"Prefer": f"wait={WAIT_SECONDS}"}
        return Post(add_path(self._base, path), body, self._auth, headers, call.uploads)

    def upload(self, image: "Upload") -> Post:
        """See `Uploader`. Replicate deletes the file after a day."""
        url = add_path(self._base, "/files")
        return Post(url, {"content": image}, self._auth, uploads=FORM)

    def address(self, reply: Reply) -> str:
        """See `Uploader`."""
        links = parse_object(reply.data).get("urls")
        url = links.get("get") if isinstance(links, dict) else None
        if not isinstance(url, str) or not url.startswith(ADDRESSES):
            raise ProviderError(NO_FILE)
        return url

    async def images(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """Poll until the prediction is finished, and download its output. Raises FluxError."""
        source = image_source(reply, self._base, None)
        identity = _identity(parse_object(reply.data))
        done = _finished(reply, self._auth) or await self._poll(reply, identity, http)
        facts = Facts(identity, "replicate")
        return await fetch_images(_found(done), facts, source, done, http)

    async def _poll(self, reply: Reply, identity: str, http: "Http") -> Reply:
        """Poll the prediction that an answer describes until it is finished."""
        listed = parse_object(reply.data).get("urls")
        links = listed if isinstance(listed, dict) else {}
        url, cancel = links.get("get"), links.get("cancel")
        if not isinstance(url, str):
            body = read_body(reply.data)
            raise no_image_error(reply, body, self._auth, request_id=identity, problem=NO_ADDRESS)
        stop = Stop("POST", cancel, identity) if isinstance(cancel, str) else None

        def read(answer: Reply) -> Reply | None:
            return _finished(answer._replace(texts=reply.texts), self._auth)

        return await http.poll(url, self._auth, read, POLL_SECONDS, stop, reply.until)


def _input(call: Call) -> "Body":
    """The input of a prediction. Large images are marked to be uploaded."""
    if not call.uploads:
        return call.body
    from flux_cli.providers.uploading import mark_large  # most requests have no images

    return mark_large(call.body, LARGEST_INSIDE)


def _finished(reply: Reply, auth: Auth | None) -> Reply | None:
    """The answer if it has output, None while it is running. Raises a FluxError if it failed.

    The status does not matter if there is output: an early answer may still say `processing`.
    """
    if not is_good(reply):
        raise reply_error(reply, auth)
    if _found(reply):
        return reply
    body = read_body(reply.data)
    if not isinstance(body, dict):
        raise no_image_error(reply, body, auth)
    status, identity = body.get("status"), _identity(body)
    if body.get("data_removed") is True:
        raise ProviderError("Replicate has removed the image", billed=True, request_id=identity)
    if status in ("failed", "canceled", "aborted"):
        words = plain(str(body.get("error") or status))
        raise job_error("Replicate", words, identity, reply.texts)
    if status == "succeeded":
        raise no_image_error(reply, body, auth, request_id=identity, problem=NO_IMAGE)
    return None


def _found(reply: Reply) -> list[Found]:
    """The images of the output: some models return one, others a list or an object."""
    body = read_body(reply.data)
    if isinstance(body, dict) and "urls" in body:  # a prediction, which also repeats its input
        return find_images({"output": body.get("output")})
    return find_images(body)


def _identity(body: dict[str, Json]) -> str:
    return plain(str(body.get("id") or ""), 100)
