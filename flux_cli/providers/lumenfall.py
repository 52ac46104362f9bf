"""Lumenfall's own API beside OpenAI's: its history of requests, which tells what became of a call without an answer.

Only parts of it are documented. What is read: a list under `data` with `id`, `trace_id`, `status` and `cost`, and, for
accounts that keep what was answered, the answer itself, wherever in one request's page it stands.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from flux_cli.core.errors import ProviderError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import Auth, Reply
from flux_cli.core.text import plain
from flux_cli.core.values import read_amount
from flux_cli.http.replies import parse_json, reply_error

if TYPE_CHECKING:
    from flux_cli.http.client import Http

UNDER_WAY = ("pending", "processing")  # what it says of requests it is not done with
PAGES = 50  # of a hundred requests
MOST_USD = 1e9  # more is no price
DEPTH = 6  # of the place in a page where the answer may stand


class Known(NamedTuple):
    """What the history says of one request. `reply` is the answer where the account keeps it."""

    request_id: str
    status: str  # completed, pending, processing, upstream_failure, rejected, cancelled
    cost_usd: float | None
    reply: Reply | None = None

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY


async def look_up(traces: Collection[str], since: str, base: str, auth: Auth, http: Http) -> dict[str, Known]:
    """What became of requests, by their trace. `since` is a time (ISO 8601) before the first of them.

    Raises the FluxError of a history that cannot be read.
    """
    native = base.removesuffix("/openai/v1") + "/v1"
    url = f"{native}/requests?limit=100&created_after={quote(since)}"
    found: dict[str, Known] = {}
    for _ in range(PAGES):
        reply = await http.get(url, auth)
        if reply.status != 200:
            raise reply_error(reply, auth)
        page = parse_json(reply.data)
        listed = page.get("data") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(listed, list):
            raise ProviderError("it is no list of requests")
        for item in listed:
            if isinstance(item, dict) and item.get("trace_id") in traces:
                name = str(item["trace_id"])
                known = await _with_answer(_known(item), native, auth, http)
                found[name] = max(found.get(name, known), known, key=_worth)  # a call that was repeated is there twice
        following = page.get("next_page_url")
        if not isinstance(following, str) or not following:
            return found
        url = urljoin(url, following)  # the key goes there only if it is the configured address, see `core.trust`
    raise ProviderError(f"it has more than {PAGES} pages since then")


def _worth(known: Known) -> int:
    """Which of several tries of one call counts: the one that was paid for, then one that may still be."""
    return 3 if known.reply else 2 if known.status == "completed" else 1 if known.is_under_way else 0


async def _with_answer(known: Known, native: str, auth: Auth | None, http: Http) -> Known:
    """Raises the FluxError of a page that cannot be read now: it may be there the next time."""
    if known.status != "completed" or not known.request_id:
        return known
    page = await http.get(f"{native}/requests/{quote(known.request_id, safe='')}", auth)
    if page.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise reply_error(page, auth)
    answer = _find_answer(parse_json(page.data))
    if answer is None:
        return known
    headers = {"x-lumenfall-request-id": known.request_id}
    return known._replace(reply=Reply(200, headers, json.dumps(answer).encode()))


def _find_answer(value: Json, depth: int = DEPTH) -> dict[str, Json] | None:
    """The part of a page that is an answer with images: `data`, a list of items with `url` or `b64_json`."""
    if isinstance(value, dict):
        listed = value.get("data")
        items = listed if isinstance(listed, list) else []
        if any(isinstance(item, dict) and (item.get("url") or item.get("b64_json")) for item in items):
            return value
        value = list(value.values())
    if isinstance(value, list) and depth:
        return next((found for part in value if (found := _find_answer(part, depth - 1))), None)
    return None


def _known(item: dict[str, Json]) -> Known:
    identity = item.get("id")
    return Known(
        request_id=plain(identity, 100) if isinstance(identity, str) else "",
        status=plain(str(item.get("status")), 40),
        cost_usd=read_amount(item.get("cost"), MOST_USD),
    )
