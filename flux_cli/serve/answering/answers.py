"""The bodies of answers: images, models, prices. The images are read while they are sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from flux_cli.core.text import plain, redact
from flux_cli.core.uploads import BASE64, Upload
from flux_cli.http.wire.body import JsonStream, stream_json
from flux_cli.serve.answering.refusals import LONGEST
from flux_cli.serve.asking.asked import DATA, URL
from flux_cli.serve.pictures import StoredImage, mime_of

if TYPE_CHECKING:
    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json, Model
    from flux_cli.core.outcome import SavedImage
    from flux_cli.core.uploads import Part
    from flux_cli.runs.report import Report
    from flux_cli.serve.asking.asked import Asked
    from flux_cli.serve.making import Price

MICROS = 1_000_000  # of a USD
NO_USAGE: dict[str, Json] = {
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
}


def images_body(asked: Asked, report: Report, origin: str, created: int) -> JsonStream:
    """The images of a request. If some failed, `errors` says why."""
    saved = list(report.saved)
    data: list[Part] = [_item(one, asked.keys, origin) for one in saved]
    body: dict[str, Part] = {"created": created, "data": data, "usage": NO_USAGE}
    body["output_format"] = saved[0].format
    if cost := report.known_cost_usd:
        body["metadata"] = {"cost_usd": cost, "provider": report.provider}
    errors: list[Part] = [_error(error) for error in report.errors]
    if errors:
        body["errors"] = errors
    return stream_json(body)


def _error(error: FluxError) -> dict[str, Part]:
    return {"code": error.code, "message": plain(redact(error.message), LONGEST)}


async def events(
    asked: Asked, report: Report, created: int, *, is_edit: bool
) -> AsyncIterator[bytes]:
    """The images of a request as server-sent events, one for each image."""
    kind = "image_edit.completed" if is_edit else "image_generation.completed"
    for saved in report.saved:
        body: dict[str, Part] = {
            "type": kind,
            "b64_json": _data(saved),
            "created_at": created,
            "size": saved.pixels,
            "output_format": saved.format,
            "quality": str(asked.values.get("quality", "auto")),
            "background": str(asked.values.get("background", "auto")),
            "usage": NO_USAGE,
        }
        yield f"event: {kind}\ndata: ".encode()
        async for piece in stream_json(body):
            yield piece
        yield b"\n\n"


def image_url(origin: str, path: str) -> str:
    """The URL of an image that the server made."""
    return f"{origin}/images/{PurePath(path).name}"


def _item(saved: SavedImage, keys: Sequence[str], origin: str) -> dict[str, Part]:
    """One image, with the keys that the client reads."""
    item: dict[str, Part] = {}
    if URL in keys:
        item[URL] = image_url(origin, saved.path)
    if DATA in keys:
        item[DATA] = _data(saved)
    if saved.facts.revised_prompt:
        item["revised_prompt"] = saved.facts.revised_prompt
    if saved.facts.seed is not None:
        item["seed"] = saved.facts.seed
    return item


def _data(saved: SavedImage) -> Upload:
    content = StoredImage(saved.path, saved.size)
    return Upload(content, saved.path, "", mime_of(saved.path), BASE64)


def price_document(price: Price) -> dict[str, Json]:
    """The answer to `?dryRun=true`, as the gateway gives it."""
    micros = None if price.usd is None else round(price.usd * MICROS)
    return {
        "estimated": True,
        "model": price.model,
        "provider": price.provider,
        "total_cost_micros": micros,
        "currency": "USD",
        "components": [
            {
                "type": "output",
                "metric": "image",
                "quantity": price.images,
                "billable_quantity": price.images,
                "unit_price": None if price.usd is None else price.usd / price.images,
                "total_cost": micros,
            }
        ],
    }


def model_document(model: Model) -> dict[str, Json]:
    """A model, as OpenAI's clients read it, and its sizes."""
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.vendor,
        "sizes": [f"{size.width}x{size.height}" for size in model.sizes],
    }


def json_bytes(document: Json) -> bytes:
    """A document as UTF-8."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
