"""Reads the images of an answer, whatever shape it has, and what it says about them.

`reading` finds them. `read_images` is all that an OpenAI-compatible server needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError, ImageError, NetworkError, ProviderError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts, ImageSource, Media, Reply, media_of
from flux_cli.core.text import plain
from flux_cli.core.values import MAX_USD, read_amount, read_integer
from flux_cli.http.replies import MARK, base_hint, parse_json, request_id_of
from flux_cli.http.replies.page import is_page
from flux_cli.images.containers.registry import sniff
from flux_cli.images.digests import EchoError, digest_of
from flux_cli.providers.following import follow_task
from flux_cli.providers.missing import UnreadableError, no_image_error
from flux_cli.providers.reading.bodies import has_end, read_body, whole_body
from flux_cli.providers.reading.finder import Found, find_images
from flux_cli.providers.reading.tasks import own_state

MAX_PROMPT_LENGTH = 10_000  # characters of a revised prompt, which is written into files
MOST_PLACES = 64  # of images that are tried, and those of the request, in one answer
COSTS = ("metadata", "usage")  # objects with the cost in USD: of Lumenfall, of OpenRouter
CURRENCIES = ("currency", "cost_currency")  # keys that name the currency of a price
COST_HEADER = "x-litellm-response-cost"
INLINE_ADVICE = "get images without a download with --response-format b64_json"

if TYPE_CHECKING:
    from flux_cli.http.client import Http


async def read_images(reply: Reply, base: str, auth: Auth | None, http: Http) -> Sequence[Media]:
    """The images of the answer of an OpenAI-compatible server, which may be a task to follow.

    Raises UnreadableError if the answer has no image, the error that it describes under a good
    status, and the first error if no image can be fetched.
    """
    source = image_source(reply, base, auth)
    source = source._replace(advice=INLINE_ADVICE, base_hint=base_hint(base, auth))
    body = read_body(reply.data)
    if reply.broken and not has_end(reply.data):
        raise no_image_error(reply, body, auth)
    is_over = own_state(body) not in ("failed", "running")
    if is_over and (media := await _fetch_any(body, _facts(reply, body), source, reply, http)):
        return media
    end = await follow_task(reply, body, source, http)
    if end is None:
        raise no_image_error(reply, body, auth)
    body = read_body(end.reply.data)
    facts = _facts(end.reply, body)._replace(request_id=end.identity)
    done = end.reply._replace(asked=reply.asked)
    if media := await _fetch_any(body, facts, source, done, http):
        return media
    problem = f"task {end.identity} has no image"
    raise no_image_error(done, body, auth, request_id=end.identity, problem=problem)


async def _fetch_any(
    body: Json, facts: Facts, source: ImageSource, reply: Reply, http: Http
) -> list[Media]:
    """The images from the first places of an answer that lead to any; [] if it has none.

    Images of the request are none. Raises the first error if there are places and none works.
    """
    source = source._replace(until=source.until or http.downloads.deadline())
    left_out = source.sent
    fault: FluxError | None = None
    while found := find_images(body, left_out):
        places = {place for image in found for place in image.sources}
        try:
            media = await fetch_images(found, facts, source, reply, http)
        except (ImageError, NetworkError, ProviderError) as error:
            lost: FluxError | None = error
        else:
            if any(one.file for one in media):
                return media
            lost = media[0].lost
        if not isinstance(lost, EchoError):
            fault = fault or lost
        tried = left_out | set(map(digest_of, places))
        if len(tried) == len(left_out) or len(tried) > MOST_PLACES:
            break
        left_out = tried
    if fault:
        raise fault
    return []


def image_source(reply: Reply, base: str, auth: Auth | None) -> ImageSource:
    """What fetching the images of an answer needs to know of it."""
    is_fresh = reply.until is not None  # an answer that `flux recover` reads again is not
    return ImageSource(base, auth, asked=reply.asked, is_fresh=is_fresh, sent=reply.sent)


async def fetch_images(
    found: Sequence[Found], facts: Facts, source: ImageSource, reply: Reply, http: Http
) -> list[Media]:
    """Fetch the images that were found in an answer. Raises the error if none has arrived."""
    places = [image.sources for image in found]
    source = source._replace(request_id=facts.request_id)
    arrived = await http.downloads.fetch_all(places, source)
    if whole_body(parse_json(reply.data)):
        _check_whole_body(arrived[0], reply, source, http)
        await _check_end(arrived[0], reply, http)
    pairs = zip(found, arrived, strict=False)  # of too many images, the rest was not fetched
    media = [media_of(one, _item_facts(image.fields, facts)) for image, one in pairs]
    whole = [one for one in media if one.file]
    if not whole:
        return media
    # What repeats the request is no loss beside results. Any other image was paid for.
    return [one for one in media if one.file or not isinstance(one.lost, EchoError)]


def _check_whole_body(
    arrived: str | FluxError, reply: Reply, source: ImageSource, http: Http
) -> None:
    """Raise UnreadableError if a body that should be the image itself begins as none."""
    beginning = http.downloads.beginning(arrived) if isinstance(arrived, str) else b""
    if not beginning or sniff(beginning):
        return
    text = beginning.decode("utf-8", "replace")
    error = UnreadableError("the answer is a web page, and has no image", reply)
    if not is_page(text):
        start = plain(text, 60)
        error.message = f"the answer is neither JSON nor an image: it begins with {start!r}"
        if encoding := reply.headers.get("content-encoding"):
            error.message += f", in the content encoding {plain(encoding, 40)!r}"
    else:  # some servers answer every path that they do not know with a page
        error.hint = source.base_hint
    raise error


async def _check_end(arrived: str | FluxError, reply: Reply, http: Http) -> None:
    """Raise UnreadableError if the end of a body that is the image itself is missing."""
    if not reply.broken or not isinstance(arrived, str):
        return
    try:
        await http.downloads.check(arrived)
    except ImageError as fault:
        raise UnreadableError(reply.broken, reply) from fault


def read_estimate(reply: Reply) -> float:
    """The price in USD of one image, from the reply to a dry run.

    Raises ProviderError if it has none.
    """
    body = parse_json(reply.data)
    found = find_images(body)
    if isinstance(body, dict) and not found:
        metadata = body.get("metadata")
        cost = metadata.get("cost") if isinstance(metadata, dict) else None
        micros = body.get("total_cost_micros")
        for number, usd in ((micros, 1e-6), (cost, 1.0)):
            amount = read_amount(number, MAX_USD / usd)
            if amount is not None and _is_in_usd(body, metadata):
                return amount * usd
    may_be_billed = bool(found) or (isinstance(body, dict) and "data" in body)
    message = reply.broken or "the response to the price estimate has no price"
    hint = "leave out --estimate to see the price of the catalog"
    raise ProviderError(message, billed=may_be_billed, hint=hint)


def _is_in_usd(*answers: Json) -> bool:
    """Whether no part of an answer names another currency."""
    parts = [answer for answer in answers if isinstance(answer, dict)]
    named = [part.get(key) for part in parts for key in CURRENCIES]
    return all(currency in (None, "USD", "usd") for currency in named)


def _facts(reply: Reply, answer: Json) -> Facts:
    body = answer if isinstance(answer, dict) else {}
    listed = body.get("metadata")
    metadata = listed if isinstance(listed, dict) else {}
    seed = read_integer(body.get("seed"))
    if seed is None:
        seed = read_integer(metadata.get("seed"))
    provider = metadata.get("provider") or reply.headers.get("x-lumenfall-provider")
    provider_name = plain(provider, 60) if isinstance(provider, str) else ""
    undrawn = [word for word in _read_list(metadata.get("undrawn")) if isinstance(word, str)]
    return Facts(
        request_id=request_id_of(reply, body),
        provider=provider_name,
        cost_usd=_cost(reply, body),
        seed=seed,
        undrawn=tuple(plain(word, 60) for word in undrawn),
    )


def _cost(reply: Reply, body: dict[str, Json]) -> float | None:
    """What the answer says it cost in USD; None if it does not say."""
    for name in COSTS:
        listed = body.get(name)
        if not isinstance(listed, dict) or not _is_in_usd(body, listed):
            continue
        cost = read_amount(listed.get("cost"), MAX_USD)
        if cost is not None:
            return cost
    return read_amount(reply.headers.get(COST_HEADER), MAX_USD)


def _item_facts(item: dict[str, Json], facts: Facts) -> Facts:
    revised = item.get("revised_prompt")
    if isinstance(revised, str) and not revised.startswith(MARK):
        facts = facts._replace(revised_prompt=revised[:MAX_PROMPT_LENGTH])
    seed = read_integer(item.get("seed"))
    return facts if seed is None else facts._replace(seed=seed)


def _read_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
