"""Answers requests like the gateway, with a sketch instead of a generated image."""

import base64
import io
import json

from flux_cli.catalog.find import find_model
from flux_cli.config import folders
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.ratio import nominal, parse_ratio, parse_shape
from flux_cli.http.replies import parse_object
from flux_cli.images.formats import FORMATS, QUALITY, encoder, format_named
from flux_cli.providers.offline.canvas import seeded_random
from flux_cli.providers.offline.painter import Sketch, draw

MAX_SIDE = 8192  # pixels


def answer(body: bytes) -> Reply:
    """Answer the JSON body of an `images/generations` request like the gateway, errors included.

    The same prompt, seed and size give the same sketch. Without a seed, one that depends on the
    other two is used and reported. The answer has no time, and an image has the pixels that the
    model would deliver.
    """
    try:
        return _reply(200, _images(parse_object(body)))
    except UsageError as fault:
        error: dict[str, Json] = {
            "message": fault.message,
            "type": "invalid_request_error",
            "code": "INVALID_REQUEST",
        }
        return _reply(400, {"error": error})


def _images(request: dict[str, Json]) -> dict[str, Json]:
    prompt = request.get("prompt")
    if not isinstance(prompt, str):
        raise UsageError("prompt is required")
    count = request.get("n", 1)
    if not isinstance(count, int) or not 1 <= count <= 10:
        raise UsageError("n must be 1 to 10")
    width, height = _pixels(request)
    seed = request.get("seed")
    first = seed if isinstance(seed, int) else seeded_random(prompt, width, height).randrange(2**31)
    file_format = format_named(str(request.get("output_format", "jpeg")))
    compression = request.get("output_compression")
    quality = compression if isinstance(compression, int) else QUALITY
    has_badge = request.get("badge") is not False
    is_inline = request.get("response_format") == "b64_json"
    data: list[Json] = []
    undrawn: tuple[str, ...] = ()
    for number in range(first, first + count):
        sketch = draw(prompt, number, width, height, badge=has_badge)
        undrawn = sketch.undrawn
        encoded = _encode(sketch, file_format, quality)
        if is_inline:
            data.append({"b64_json": encoded, "seed": number})
        else:
            url = f"data:{FORMATS[file_format].mime};base64,{encoded}"
            data.append({"url": url, "seed": number})
    facts: dict[str, Json] = {"provider": "offline", "cost": 0.0, "undrawn": list(undrawn)}
    return {"created": 0, "data": data, "metadata": facts}


def _encode(sketch: Sketch, file_format: str, quality: int) -> str:
    """The sketch as a file, in base64."""
    stream = io.BytesIO()
    sketch.image.save(stream, file_format, **encoder(file_format, quality, "fast"))
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _pixels(request: dict[str, Json]) -> tuple[int, int]:
    """Width and height: from `size`, else `aspect_ratio` at one megapixel, else a square.

    A size of the catalog's model becomes the pixels that its upstreams deliver.
    """
    shape = parse_shape(str(request["size"])) if "size" in request else None
    if shape and shape.is_pixels:
        width, height = _native(str(request.get("model")), int(shape.width), int(shape.height))
    elif shape:
        width, height = nominal(f"{shape.width}:{shape.height}")
    else:
        ratio = str(request.get("aspect_ratio", "1:1"))
        parse_ratio(ratio)
        width, height = nominal(ratio)
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise UsageError(f"size must have sides of 1 to {MAX_SIDE} pixels, not {width}x{height}")
    return width, height


def _native(name: str, width: int, height: int) -> tuple[int, int]:
    """The pixels that a model delivers for a nominal size; that size if it is not known."""
    model = find_model(name, folders.model_folders())
    sizes = model.sizes if model else ()
    found = (size.expected for size in sizes if (size.width, size.height) == (width, height))
    return next(found, (width, height))


def _reply(status: int, body: dict[str, Json]) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())
