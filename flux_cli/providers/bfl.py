"""The API of Black Forest Labs: submits a task, polls its URL, and downloads the image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ModerationError, NetworkError, NotFoundError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, ImageSource, Media, Reply
from flux_cli.core.request import Call, Post, add_path
from flux_cli.core.text import plain
from flux_cli.core.values import read_amount, read_integer
from flux_cli.http.replies import job_error, parse_json, parse_object, reply_error
from flux_cli.providers.answers import fetch_images, image_source
from flux_cli.providers.missing import no_image_error
from flux_cli.providers.reading.bodies import read_body, whole_body
from flux_cli.providers.reading.finder import find_images

if TYPE_CHECKING:
    from flux_cli.http.client import Http

USD_PER_CREDIT = 0.01
MAX_CREDITS = 1e9  # larger numbers are not prices
POLL_SECONDS = 0.5
NO_ADDRESS = "the answer has no polling_url"
NO_IMAGE = "the task is ready but BFL returned no image URL"
# "Task not found" in a row: a regional store may not know a new task yet.
MAX_POLLS_WITHOUT_TASK = 5
REFUSED = {
    "Request Moderated": "the prompt or input image",
    "Content Moderated": "the finished image",
}


class BFL:
    """`base` is the URL without a path. Result URLs are signed, so no key is sent to them."""

    def __init__(self, base: str, auth: Auth | None) -> None:
        self._base, self._auth = base, auth

    def request(self, call: Call) -> Post:
        url = add_path(self._base, f"/v1/{call.model}")
        return Post(url, call.body, self._auth, uploads=call.uploads)

    async def images(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """Poll until the task is finished, and download its image. Raises FluxError."""
        body = read_body(reply.data)
        source = image_source(reply, self._base, None)
        if found := find_images(body):  # a server in front of BFL that waits for the image
            return await fetch_images(found, Facts(provider="bfl"), source, reply, http)
        submitted = body if isinstance(body, dict) else {}
        url, identity = submitted.get("polling_url"), plain(str(submitted.get("id") or ""), 100)
        if not isinstance(url, str):
            raise no_image_error(reply, body, self._auth, request_id=identity, problem=NO_ADDRESS)
        reader = _PollReader(identity, self._auth, reply.texts)
        done = await http.poll(url, self._auth, reader.read, POLL_SECONDS, until=reply.until)
        source = source._replace(until=http.downloads.deadline())
        try:
            return await self._fetch(done, submitted, identity, source, http)
        except NetworkError as fault:
            if fault.status is None:
                raise
        # The signed URL may have expired. Another poll returns a new one.
        done = await http.poll(url, self._auth, reader.read, POLL_SECONDS, until=source.until)
        return await self._fetch(done, submitted, identity, source, http)

    async def _fetch(
        self,
        done: Reply,
        submitted: dict[str, Json],
        identity: str,
        source: ImageSource,
        http: "Http",
    ) -> Sequence[Media]:
        """Fetch the image of a finished task."""
        body = read_body(done.data)
        result = body.get("result") if isinstance(body, dict) else body
        found = find_images({"result": result})
        if not found:
            raise no_image_error(done, body, self._auth, request_id=identity, problem=NO_IMAGE)
        facts = _facts(identity, submitted, parse_object(done.data))
        return await fetch_images(found, facts, source, done, http)


class _PollReader:
    """Reads poll answers until one is final. An unknown status means that the task is running."""

    def __init__(self, identity: str, auth: Auth | None, texts: Sequence[str]) -> None:
        self._identity, self._auth, self._texts = identity, auth, tuple(texts)
        self._missing = 0

    def read(self, reply: Reply) -> Reply | None:
        """The answer of a task that is ready; None before. Raises FluxError if it failed."""
        body = parse_object(reply.data)
        status = body.get("status")
        if status == "Task not found":
            self._missing += 1
            if self._missing > MAX_POLLS_WITHOUT_TASK:
                message = f"BFL no longer knows task {self._identity}"
                raise NotFoundError(message, billed=True, request_id=self._identity)
            return None
        self._missing = 0
        if reply.status == 202:
            return None
        if reply.status != 200:
            raise reply_error(reply._replace(texts=self._texts), self._auth, self._identity)
        if isinstance(status, str) and status in REFUSED:
            message = f"BFL refused {REFUSED[status]}{_reasons(body)}"
            hint = "rephrase the prompt"
            raise ModerationError(message, hint=hint, request_id=self._identity)
        if status in ("Error", "Failed"):
            details = plain(str(body.get("details") or status))
            raise job_error("BFL", details, self._identity, self._texts)
        is_image = bool(whole_body(parse_json(reply.data)))
        return reply if status == "Ready" or is_image else None


def _facts(identity: str, submitted: dict[str, Json], done: dict[str, Json]) -> Facts:
    cost = submitted.get("cost") if done.get("cost") is None else done.get("cost")
    charge = read_amount(cost, MAX_CREDITS)
    result = done.get("result")
    seed = result.get("seed") if isinstance(result, dict) else None
    return Facts(
        request_id=identity,
        provider="bfl",
        cost_usd=None if charge is None else charge * USD_PER_CREDIT,
        seed=read_integer(seed),
    )


def _reasons(body: dict[str, Json]) -> str:
    details = body.get("details")
    reasons = details.get("Moderation Reasons") if isinstance(details, dict) else None
    if not isinstance(reasons, list) or not reasons:
        return ""
    return f" ({plain(', '.join(map(str, reasons)))})"
