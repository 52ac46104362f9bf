"""How a provider spells a value: the same idea under other names, types and units."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.ratio import TIER_SIDE, parse_shape
from flux_cli.core.request import Note
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Dialect, Field, Json

GRID = 16  # pixels; servers that draw any size want sides in steps of it


def spell(field: Field, value: Json) -> dict[str, Json]:
    """The fields and values a provider gets for one parameter; none where flux does the work itself.

    Raises UsageError for a value this provider cannot be given.
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
    if field.spelling in ("size", "sides"):
        width, height = _sides(str(value))
        return {field.name: f"{width}x{height}"} if field.spelling == "size" else {"width": width, "height": height}
    return {field.name: value}


def dialect_note(dialect: Dialect, name: str, asked: Json, field: Field, value: Json) -> Note:
    """What becomes of one parameter at a provider, for `flux resolve`."""
    if field.behavior == "emulated":
        return Note(name, asked, value, "emulated", field.reason or "done here")
    if field.spelling == "prompt_tag":
        return Note(name, asked, value, "converted", "sent inside the prompt")
    sent = spell(field, value)
    spelled = ", ".join(f"{key} {shorten(str(part))}" for key, part in sent.items())
    used = shorten(next(iter(sent.values()))) if len(sent) == 1 else spelled
    reason = {"passthrough": "sent as given", "renamed": f"{dialect.provider} calls it {field.name}"}.get(
        field.behavior, ""
    )
    return Note(name, asked, used, field.behavior, field.reason or reason or f"sent as {spelled}")


def _sides(text: str) -> tuple[int, int]:
    """Pixels as they are, or a shape at one megapixel in steps of the grid."""
    shape = parse_shape(text)
    if shape.is_pixels:
        return int(shape.width), int(shape.height)
    height = TIER_SIDE / shape.ratio**0.5
    return max(GRID, round(height * shape.ratio / GRID) * GRID), max(GRID, round(height / GRID) * GRID)


def _bare_base64(name: str, uri: str) -> str:
    """The image itself. An address stands for it until somebody who may use the network has fetched it."""
    if uri.startswith(("http://", "https://")):
        return f"<the image at {uri}, as base64>"
    head, comma, data = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise UsageError(f"{name}: this provider takes the image itself, as base64", hint="give a file or an address")
    return data
