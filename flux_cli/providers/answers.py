"""Reading the answers of the OpenAI Images API, as Lumenfall and its many relatives give them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.errors import FluxError, ProviderError
from flux_cli.core.model import Json
from flux_cli.core.request import Auth, Facts, Media, Reply
from flux_cli.core.text import plain
from flux_cli.core.values import read_amount, read_integer
from flux_cli.http.replies import BILLED_HINT, MARK, parse_json, reply_error, request_id_of

LONGEST = 10_000  # characters of a revised prompt: it is written into files, and servers may be hostile

if TYPE_CHECKING:
    from flux_cli.http.client import Http


async def read_images(reply: Reply, base: str, auth: Auth | None, http: "Http") -> Sequence[Media]:
    """Read `data[]` or `images[]` of items with `url` or `b64_json`, whichever was asked.

    Raises ProviderError (billed) for answers without an image, and what an `error` body under status 200 means.
    """
    body = parse_json(reply.data)
    if not isinstance(body, dict):
        said = plain(reply.data[:200].decode("utf-8", "replace"), 60)
        message = f"the answer is no JSON: it begins with {said!r}" if said else "the answer is empty"
        raise _unclear(message, reply)
    if body.get("error"):
        raise reply_error(reply, auth)
    listed = body.get("data") or body.get("images")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    if not items:
        raise _unclear("the answer holds no image", reply, body)
    facts = _facts(reply, body)
    media: list[Media] = []
    first: FluxError | None = None
    for item in items:
        try:
            file = await _file(item, base, http)
        except FluxError as fault:
            fault.request_id = fault.request_id or facts.request_id
            first = first or fault
        else:
            media.append(Media(file, _item_facts(item, facts)))
    if first and not media:
        raise first
    return media


async def _file(item: dict[str, Json], base: str, http: "Http") -> str:
    inline, url = item.get("b64_json"), item.get("url")
    if isinstance(inline, str) and inline:
        inline = inline if inline.startswith(("data:", MARK)) else f"data:;base64,{inline}"
        return await http.fetch_image(inline, base)
    if isinstance(url, str) and url:
        return await http.fetch_image(url, base)
    raise ProviderError("the answer names an image without an address or data", billed=True)


def _unclear(message: str, reply: Reply, body: Json = None) -> ProviderError:
    name = request_id_of(reply, body)
    return ProviderError(message, hint=BILLED_HINT, billed=True, status=reply.status, request_id=name)


def read_estimate(reply: Reply) -> float:
    """USD of one image from a dry run's reply. Raises ProviderError for anything that is no estimate."""
    body = parse_json(reply.data)
    if isinstance(body, dict) and not (body.get("data") or body.get("images")):
        metadata = body.get("metadata")
        nested = metadata.get("cost") if isinstance(metadata, dict) else None
        micros = body.get("total_cost_micros")
        for named, unit in ((micros, 1e-6), (nested, 1.0)):
            if isinstance(named, int | float) and not isinstance(named, bool) and math.isfinite(named * unit):
                return named * unit
    raise ProviderError(
        "the dry run was not answered with an estimate", billed=isinstance(body, dict) and "data" in body
    )


def _facts(reply: Reply, body: dict[str, Json]) -> Facts:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    seed = read_integer(body.get("seed"))
    provider = metadata.get("provider") or reply.headers.get("x-lumenfall-provider")
    undrawn = metadata.get("undrawn")
    return Facts(
        request_id=request_id_of(reply, body),
        provider=plain(provider, 60) if isinstance(provider, str) else "",
        cost_usd=read_amount(metadata.get("cost")),
        seed=read_integer(metadata.get("seed")) if seed is None else seed,
        undrawn=tuple(plain(word, 60) for word in undrawn if isinstance(word, str))
        if isinstance(undrawn, list)
        else (),
    )


def _item_facts(item: dict[str, Json], facts: Facts) -> Facts:
    revised = item.get("revised_prompt")
    seed = read_integer(item.get("seed"))
    return facts._replace(
        revised_prompt=revised[:LONGEST] if isinstance(revised, str) and not revised.startswith(MARK) else "",
        seed=facts.seed if seed is None else seed,
    )
