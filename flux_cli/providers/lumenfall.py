"""Reads Lumenfall's request history, which shows what happened to requests without an answer.

Only parts of this API are documented. flux reads a list under `data` with `id`, `trace_id`,
`status` and `cost`. For accounts that store answers, it also reads the answer, wherever it is in
the document of a request.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ProviderError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.core.values import MAX_USD, read_amount
from flux_cli.http.replies import parse_json, reply_error

if TYPE_CHECKING:
    from flux_cli.http.client import Http

UNFINISHED = ("pending", "processing")
MAX_PAGES = 50  # of a hundred requests each
MAX_DEPTH = 6  # levels of a page that are searched for the answer


class PastRequest(NamedTuple):
    """One request of the history. `reply` is its answer if the account stores answers."""

    request_id: str
    status: str  # completed, pending, processing, upstream_failure, rejected, cancelled
    cost_usd: float | None
    reply: Reply | None = None

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED


async def look_up(
    traces: Collection[str], since: str, base: str, auth: Auth, http: Http
) -> dict[str, PastRequest]:
    """Find requests in the history by their traces.

    `since` is a time (ISO 8601) before the first one. Raises a FluxError if the history cannot be
    read.
    """
    native = base.removesuffix("/openai/v1") + "/v1"
    url = f"{native}/requests?limit=100&created_after={quote(since)}"
    found: dict[str, PastRequest] = {}
    for _ in range(MAX_PAGES):
        reply = await http.get(url, auth)
        if reply.status != 200:
            raise reply_error(reply, auth)
        page = parse_json(reply.data)
        listed = page.get("data") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(listed, list):
            raise ProviderError("the answer is not a list of requests")
        for item in listed:
            if isinstance(item, dict) and item.get("trace_id") in traces:
                trace = str(item["trace_id"])
                request = await _with_answer(_read_request(item), native, auth, http)
                # A request that was retried is listed several times.
                found[trace] = max(found.get(trace, request), request, key=_rank)
        following = page.get("next_page_url")
        if not isinstance(following, str) or not following:
            return found
        url = urljoin(url, following)  # `http.trust` decides whether the key may go there
    raise ProviderError(f"there are more than {MAX_PAGES} pages since then")


def _rank(request: PastRequest) -> int:
    """The rank among several attempts: billed ones come before those that may still be billed."""
    if request.reply:
        return 3
    if request.status == "completed":
        return 2
    return 1 if request.is_unfinished else 0


async def _with_answer(
    request: PastRequest, native: str, auth: Auth | None, http: Http
) -> PastRequest:
    """Add the stored answer, if there is one. Raises a FluxError if it cannot be read now."""
    if request.status != "completed" or not request.request_id:
        return request
    page = await http.get(f"{native}/requests/{quote(request.request_id, safe='')}", auth)
    if page.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise reply_error(page, auth)
    answer = _find_answer(parse_json(page.data))
    if answer is None:
        return request
    headers = {"x-lumenfall-request-id": request.request_id}
    return request._replace(reply=Reply(200, headers, json.dumps(answer).encode()))


def _find_answer(value: Json, depth: int = MAX_DEPTH) -> dict[str, Json] | None:
    """The part of a page that is an answer: its `data` lists items with `url` or `b64_json`."""
    if isinstance(value, dict):
        listed = value.get("data")
        if isinstance(listed, list) and any(map(_is_image, listed)):
            return value
        value = list(value.values())
    if isinstance(value, list) and depth:
        for part in value:
            if found := _find_answer(part, depth - 1):
                return found
    return None


def _is_image(item: Json) -> bool:
    return isinstance(item, dict) and bool(item.get("url") or item.get("b64_json"))


def _read_request(item: dict[str, Json]) -> PastRequest:
    identity = item.get("id")
    return PastRequest(
        request_id=plain(identity, 100) if isinstance(identity, str) else "",
        status=plain(str(item.get("status")), 40),
        cost_usd=read_amount(item.get("cost"), MAX_USD),
    )
