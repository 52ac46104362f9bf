"""Translates parameters into the names, types and units of a provider."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.ratio import TIER_SIDE, parse_shape
from flux_cli.core.request import ADDRESSES, Note
from flux_cli.core.values import check_text, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Dialect, Field, Json, Model
    from flux_cli.core.request import Request, Value

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


def check_parameters(
    request: Request, model: Model | None, dialect: Dialect | None
) -> dict[str, Value]:
    """A copy of the parameters.

    Raises UsageError for names and values that are not valid text, and for a parameter that the
    model or the provider does not support.
    """
    typed = request.parameters
    for name, value in typed.items():
        check_text("a parameter's name", name)
        if isinstance(value, str):
            check_text(name, value)
    for name in typed:
        is_named = name in request.named
        if message := refusal(name, model, dialect, is_named=is_named):
            option = f"-p {name}" if is_named else f"--{name.replace('_', '-')}"
            raise UsageError(message, hint=f"drop {option}, or use another {_other(dialect)}")
    return dict(typed)


def _other(dialect: Dialect | None) -> str:
    return "provider" if dialect else "model"


def refusal(name: str, model: Model | None, dialect: Dialect | None, *, is_named: bool) -> str:
    """Why a parameter cannot be sent; "" if it can. `is_named`: it was typed with -p.

    Dropping it silently would surprise the user: the image would cost as much as a correct one.
    """
    field = dialect.fields.get(name) if dialect else None
    if dialect and field:
        is_possible = field.behavior != "unsupported"
        return "" if is_possible else f"{dialect.provider} does not support {name}: {field.reason}"
    param = model.parameters.get(name) if model else None
    if model and param:
        is_possible = param.behavior != "unsupported"
        return "" if is_possible else f"{model.id} does not support {name}: {param.help}"
    if model is None or dialect is None or not dialect.path:
        return ""
    if dialect.strict:
        return f"{model.id} has no {name}, and {dialect.provider} refuses what it does not know"
    from flux_cli.core.options import Parameters  # only requests without the gateway need it

    is_option = name in Parameters._fields and not is_named
    return f"{model.id} has no {name} at {dialect.provider}" if is_option else ""


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
    if uri.startswith(ADDRESSES):
        return f"<the image at {uri}, as base64>"
    head, comma, data = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        message = f"{name}: this provider takes the image itself, as base64"
        raise UsageError(message, hint="give a file or a URL")
    return data
