"""Translates parameters into the names, types and units of a provider."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.ratio import TIER_SIDE, parse_shape
from flux_cli.core.request import Note
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Dialect, Field, Json

SIDES = ("sides", "image_size", "custom_sides")  # spellings with width and height as numbers
GRID = 16  # pixels; servers that make any size expect sides that are multiples of it


def translate(field: Field, value: Json) -> dict[str, Json]:
    """The fields and values to send for one parameter; empty if flux does the work itself.

    Raises UsageError for a value that this provider does not accept.
    """
    if not field.name:
        return {}
    if isinstance(value, str):
        value = field.values.get(value, value)
    if field.spelling == "text":
        return {field.name: str(value)}
    if field.spelling == "integer":
        return {field.name: int(str(value))}
    if field.spelling == "base64":
        return {field.name: _bare_base64(field.name, str(value))}
    if field.spelling == "size":
        width, height = _sides(str(value))
        return {field.name: f"{width}x{height}"}
    if field.spelling in SIDES:
        return _write_sides(field, *_sides(str(value)))
    if field.spelling == "inverse":
        return {field.name: not value}
    return {field.name: value}


def _write_sides(field: Field, width: int, height: int) -> dict[str, Json]:
    """A size with its sides apart."""
    sides: dict[str, Json] = {"width": width, "height": height}
    if field.spelling == "image_size":
        return {field.name: sides}
    return {field.name: "custom", **sides} if field.spelling == "custom_sides" else sides


def explain_field(dialect: Dialect, name: str, asked: Json, field: Field, value: Json) -> Note:
    """A note on what is sent for one parameter, for `flux resolve`."""
    if field.behavior == "emulated":
        return Note(name, asked, value, "emulated", field.reason or "done by flux")
    if field.spelling == "prompt_tag":
        return Note(name, asked, value, "converted", "sent inside the prompt")
    sent = translate(field, value)
    listed = ", ".join(f"{key} {shorten(str(part))}" for key, part in sent.items())
    used = shorten(next(iter(sent.values()))) if len(sent) == 1 else listed
    reasons = {
        "passthrough": "sent as given",
        "renamed": f"{dialect.provider} calls it {field.name}",
    }
    reason = field.reason or reasons.get(field.behavior) or f"sent as {listed}"
    return Note(name, asked, used, field.behavior, reason)


def _sides(text: str) -> tuple[int, int]:
    """Width and height in pixels. A ratio becomes about one megapixel, in multiples of GRID."""
    shape = parse_shape(text)
    if shape.is_pixels:
        return int(shape.width), int(shape.height)
    height = TIER_SIDE / shape.ratio**0.5
    width = height * shape.ratio
    return max(GRID, round(width / GRID) * GRID), max(GRID, round(height / GRID) * GRID)


def _bare_base64(name: str, uri: str) -> str:
    """The image as base64. `flux resolve` downloads nothing and shows a placeholder for a URL."""
    if uri.startswith(("http://", "https://")):
        return f"<the image at {uri}, as base64>"
    head, comma, data = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        message = f"{name}: this provider takes the image itself, as base64"
        raise UsageError(message, hint="give a file or a URL")
    return data
