"""The price of an image by a gateway's schema, where the schema leaves no doubt about it."""

from __future__ import annotations

from flux_cli.catalog.gateway.schema import USD
from flux_cli.core.errors import UsageError
from flux_cli.core.model import MEGAPIXEL, Price, Size
from flux_cli.core.ratio import parse_shape, parse_tier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.catalog.gateway.schema import Component, GatewaySchema
    from flux_cli.core.model import Json

OUTPUT, INPUT = "output", "input"
IMAGE, MEGAPIXELS = "image", "megapixel"
SHAPE = ("size", "aspect_ratio", "resolution")
# Parts of the names of other parameters that may decide how large an image is.
SIZE_WORDS = ("width", "height", "size", "megapixel", "scale", "resolution")


def unit_price(
    schema: GatewaySchema, given: Mapping[str, Json], *, has_inputs: bool = False
) -> float | None:
    """USD per image of a request with these parameters; None if that is not clear.

    An image without a size has one megapixel. Zero is no price: it would lift every limit.
    """
    outputs = [part for part in schema.components if part.kind == OUTPUT]
    others = [part for part in schema.components if part.kind != OUTPUT]
    if schema.currency != USD or len(outputs) != 1 or not outputs[0].unit_price:
        return None
    if not all(_is_free(part, has_inputs=has_inputs) for part in others):
        return None
    price, metric = outputs[0].unit_price, outputs[0].metric
    if metric == IMAGE:
        return price
    size = _size(schema, given) if metric == MEGAPIXELS else None
    return Price(first_mp=price, further_mp=price).usd(size)


def _is_free(part: Component, *, has_inputs: bool) -> bool:
    """Whether a component costs nothing in this request."""
    is_of_inputs = part.kind == INPUT and part.metric in (IMAGE, MEGAPIXELS)
    return part.unit_price == 0 or (is_of_inputs and not has_inputs)


def _size(schema: GatewaySchema, given: Mapping[str, Json]) -> Size | None:
    """The size of the image that is requested; None if that is not clear."""
    others = [name for name in given if name not in SHAPE]
    if any(word in name for word in SIZE_WORDS for name in others):
        return None
    size, tier = _value(schema, given, "size"), _value(schema, given, "resolution")
    try:
        shape = parse_shape(size) if size else None
        if shape and shape.is_pixels:
            return Size(int(shape.width), int(shape.height), "", "", None)
        if tier and parse_tier(tier) != MEGAPIXEL:
            return None
    except UsageError:
        return None
    return Size(1024, 1024, "", "", None)


def _value(schema: GatewaySchema, given: Mapping[str, Json], name: str) -> str:
    """The value of a parameter, else its default; "" for a default that leaves it open."""
    if name in given:
        return str(given[name])
    param = schema.parameters.get(name)
    default = str(param.default) if param and param.default is not None else ""
    return "" if default.lower() == "auto" else default
