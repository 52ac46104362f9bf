"""Replicate's predictions: create one, held open for up to a minute, and poll the rest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.errors import FluxError, ModerationError, ProviderError
from flux_cli.core.model import Json
from flux_cli.core.request import Auth, Call, Facts, Media, Post, Reply, Stop
from flux_cli.core.text import plain
from flux_cli.http.replies import is_good, parse_json, reply_error

if TYPE_CHECKING:
    from flux_cli.http.client import Http

POLL_SECONDS = 1.0
WAIT_SECONDS = 60  # the longest Replicate holds an answer open


class Replicate:
    """`base` is the API's address, up to and with `/v1`."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        url = f"{self._base}/models/{call.model}/predictions"
        return Post(url, {"input": call.body}, self._auth, {"Prefer": f"wait={WAIT_SECONDS}"})

    async def images(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """Output that is there counts, whatever the status says: a held answer may still be called processing."""
        prediction = _finished(reply, self._auth)
        body = parse_json(reply.data)
        body = body if isinstance(body, dict) else {}
        identity = _identity(body)
        if prediction is None:
            urls = body.get("urls")
            url, cancel = (urls.get(name) if isinstance(urls, dict) else None for name in ("get", "cancel"))
            if not isinstance(url, str):
                raise ProviderError("the answer names no prediction to poll", billed=True, request_id=identity)
            stop = Stop("POST", cancel, identity) if isinstance(cancel, str) else None
            prediction = await http.poll(
                url, self._auth, lambda answer: _finished(answer, self._auth), POLL_SECONDS, stop
            )
        facts = Facts(identity, "replicate")
        addresses = _outputs(prediction)
        return [Media(await http.fetch_image(address, self._base, identity), facts) for address in addresses]


def _finished(reply: Reply, auth: Auth | None) -> dict[str, Json] | None:
    """The prediction once it is over; None while it runs. Raises the FluxError that a bad end means."""
    body = parse_json(reply.data)
    if not is_good(reply) or not isinstance(body, dict):
        raise reply_error(reply, auth)
    if _outputs(body):
        return body
    status, identity = body.get("status"), _identity(body)
    if body.get("data_removed") is True:
        raise ProviderError("Replicate has removed the image", billed=True, request_id=identity)
    if status in ("failed", "canceled", "aborted"):
        raise _failed(plain(str(body.get("error") or status)), identity)
    if status == "succeeded":
        raise ProviderError("Replicate says succeeded and names no image", billed=True, request_id=identity)
    return None


def _failed(words: str, identity: str) -> FluxError:
    if "E005" in words or "flagged as sensitive" in words:
        return ModerationError(f"Replicate refused: {words}", hint="rephrase the prompt", request_id=identity)
    return ProviderError(f"Replicate failed: {words}", request_id=identity)


def _outputs(body: dict[str, Json]) -> list[str]:
    """The addresses of the output: one text for this model, a list for others."""
    output = body.get("output")
    found = output if isinstance(output, list) else [output]
    return [url for url in found if isinstance(url, str) and url]


def _identity(body: dict[str, Json]) -> str:
    return plain(str(body.get("id") or ""), 100)
