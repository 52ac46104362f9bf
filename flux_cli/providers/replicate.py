"""Replicate's predictions: creates one, which may take a minute to answer, then polls it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError, ModerationError, ProviderError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply, Stop, media_of
from flux_cli.core.request import Call, Post, add_path
from flux_cli.core.text import plain
from flux_cli.http.replies import is_good, parse_json, parse_object, reply_error

if TYPE_CHECKING:
    from flux_cli.http.client import Http

POLL_SECONDS = 1.0
WAIT_SECONDS = 60  # the longest time Replicate waits before it answers


class Replicate:
    """`base` is the URL including `/v1`."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        """See `Provider`. A version (`owner/name:version`) has an endpoint of its own."""
        model, _, version = call.model.partition(":")
        if "/" not in model:
            version = version or model
        body: dict[str, Json] = {"input": call.body}
        path = f"/models/{model}/predictions"
        if version:
            path, body = "/predictions", {"version": version, **body}
        headers = {"Prefer": f"wait={WAIT_SECONDS}"}
        return Post(add_path(self._base, path), body, self._auth, headers)

    async def images(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """Poll until the prediction is finished, and download its output. Raises FluxError."""
        prediction = _finished(reply, self._auth)
        identity = _identity(parse_object(reply.data))
        if prediction is None:
            prediction = await self._poll(reply, identity, http)
        facts = Facts(identity, "replicate")
        urls = _output_urls(prediction)
        arrived = await http.downloads.fetch_all(urls, self._base, identity, asked=reply.asked)
        return [media_of(one, facts) for one in arrived]

    async def _poll(self, reply: Reply, identity: str, http: "Http") -> dict[str, Json]:
        """Poll the prediction that an answer describes until it is finished."""
        listed = parse_object(reply.data).get("urls")
        links = listed if isinstance(listed, dict) else {}
        url, cancel = links.get("get"), links.get("cancel")
        if not isinstance(url, str):
            message = "the answer has no prediction URL"
            raise ProviderError(message, billed=True, request_id=identity)
        stop = Stop("POST", cancel, identity) if isinstance(cancel, str) else None

        def read(answer: Reply) -> dict[str, Json] | None:
            return _finished(answer, self._auth)

        return await http.poll(url, self._auth, read, POLL_SECONDS, stop, reply.until)


def _finished(reply: Reply, auth: Auth | None) -> dict[str, Json] | None:
    """The prediction if it has output, None while it is running. Raises a FluxError if it failed.

    The status does not matter if there is output: an early answer may still say `processing`.
    """
    body = parse_json(reply.data)
    if not is_good(reply) or not isinstance(body, dict):
        raise reply_error(reply, auth)
    if _output_urls(body):
        return body
    status, identity = body.get("status"), _identity(body)
    if body.get("data_removed") is True:
        raise ProviderError("Replicate has removed the image", billed=True, request_id=identity)
    if status in ("failed", "canceled", "aborted"):
        raise _failure(plain(str(body.get("error") or status)), identity)
    if status == "succeeded":
        message = "the prediction succeeded but Replicate returned no image URL"
        raise ProviderError(message, billed=True, request_id=identity)
    return None


def _failure(words: str, identity: str) -> FluxError:
    if "E005" in words or "flagged as sensitive" in words:
        hint = "rephrase the prompt"
        return ModerationError(f"Replicate refused: {words}", hint=hint, request_id=identity)
    return ProviderError(f"Replicate failed: {words}", request_id=identity)


def _output_urls(body: dict[str, Json]) -> list[str]:
    """The URLs of the output: some models return one, others a list."""
    output = body.get("output")
    found = output if isinstance(output, list) else [output]
    return [url for url in found if isinstance(url, str) and url]


def _identity(body: dict[str, Json]) -> str:
    return plain(str(body.get("id") or ""), 100)
