"""Reads answers of the OpenAI Images API, with the variations of Lumenfall and other servers."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ProviderError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, Media, Reply, media_of
from flux_cli.core.text import plain
from flux_cli.core.values import read_amount, read_integer
from flux_cli.http.replies import BILLED_HINT, MARK, parse_json, reply_error, request_id_of

MAX_PROMPT_LENGTH = 10_000  # characters of a revised prompt, which is written into files

if TYPE_CHECKING:
    from flux_cli.http.client import Http


async def read_images(reply: Reply, base: str, auth: Auth | None, http: "Http") -> Sequence[Media]:
    """Read the items of `data` or `images`, each with a `url` or `b64_json`.

    Raises ProviderError (billed) if the answer has no image, the error of an `error` object under
    status 200, and the first error if no image can be fetched.
    """
    body = parse_json(reply.data)
    if not isinstance(body, dict):
        start = plain(reply.data[:200].decode("utf-8", "replace"), 60)
        if not start:
            raise _no_image_error("the answer is empty", reply)
        raise _no_image_error(f"the answer is not JSON: it begins with {start!r}", reply)
    if body.get("error"):
        raise reply_error(reply, auth)
    listed = body.get("data") or body.get("images")
    found = [item for item in _read_list(listed) if isinstance(item, dict)]
    if not found:
        raise _no_image_error("the answer has no image", reply, body)
    items = list(filter(_source, found)) or found[:1]  # an item without an image is none
    facts = _facts(reply, body)
    sources = [_source(item) for item in items]
    arrived = await http.downloads.fetch_all(sources, base, facts.request_id, asked=reply.asked)
    pairs = zip(items, arrived, strict=False)  # of too many images, the rest was not fetched
    return [media_of(one, _item_facts(item, facts)) for item, one in pairs]


def _source(item: dict[str, Json]) -> str:
    """Where the image of an item is: a URL, a data URI or a mark; "" if the item has none."""
    inline, url = item.get("b64_json"), item.get("url")
    if isinstance(inline, str) and inline:
        return inline if inline.startswith(("data:", MARK)) else f"data:;base64,{inline}"
    return url if isinstance(url, str) else ""


def _no_image_error(message: str, reply: Reply, body: Json = None) -> ProviderError:
    return ProviderError(
        message,
        hint=BILLED_HINT,
        billed=True,
        status=reply.status,
        request_id=request_id_of(reply, body),
    )


def read_estimate(reply: Reply) -> float:
    """The price in USD of one image, from the reply to a dry run.

    Raises ProviderError if it has none.
    """
    body = parse_json(reply.data)
    if isinstance(body, dict) and not (body.get("data") or body.get("images")):
        metadata = body.get("metadata")
        cost = metadata.get("cost") if isinstance(metadata, dict) else None
        micros = body.get("total_cost_micros")
        for number, usd in ((micros, 1e-6), (cost, 1.0)):
            if not isinstance(number, int | float) or isinstance(number, bool):
                continue
            if math.isfinite(number * usd):
                return number * usd
    may_be_billed = isinstance(body, dict) and "data" in body
    raise ProviderError("the answer to the dry run has no price", billed=may_be_billed)


def _facts(reply: Reply, body: dict[str, Json]) -> Facts:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    seed = read_integer(body.get("seed"))
    if seed is None:
        seed = read_integer(metadata.get("seed"))
    provider = metadata.get("provider") or reply.headers.get("x-lumenfall-provider")
    provider_name = plain(provider, 60) if isinstance(provider, str) else ""
    undrawn = [word for word in _read_list(metadata.get("undrawn")) if isinstance(word, str)]
    return Facts(
        request_id=request_id_of(reply, body),
        provider=provider_name,
        cost_usd=read_amount(metadata.get("cost")),
        seed=seed,
        undrawn=tuple(plain(word, 60) for word in undrawn),
    )


def _item_facts(item: dict[str, Json], facts: Facts) -> Facts:
    revised = item.get("revised_prompt")
    if isinstance(revised, str) and not revised.startswith(MARK):
        facts = facts._replace(revised_prompt=revised[:MAX_PROMPT_LENGTH])
    seed = read_integer(item.get("seed"))
    return facts if seed is None else facts._replace(seed=seed)


def _read_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
