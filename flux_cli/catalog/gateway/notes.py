"""What a gateway's schema says about a request for a model that the catalog does not have.

Only notes and a price: nothing is refused or changed.
"""

from __future__ import annotations

from flux_cli.catalog.gateway.price import unit_price
from flux_cli.core.errors import did_you_mean
from flux_cli.core.lite import json_text
from flux_cli.core.request import Attachment, Note
from flux_cli.core.values import show_amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.catalog.gateway.schema import GatewaySchema, SchemaParam
    from flux_cli.core.model import Json
    from flux_cli.core.request import Resolved

SENT = "passthrough"
FILES = ("file", "image")  # types of input images
MOST_VALUES = 8  # that are all named in a note
KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("integer", "int"), (int,)),
    **dict.fromkeys(("number", "float", "double"), (int, float)),
    **dict.fromkeys(("boolean", "bool"), (bool,)),
    **dict.fromkeys(("string", "text"), (str,)),
}


def explain(resolved: Resolved, schema: GatewaySchema, day: str, *, is_old: bool) -> Resolved:
    """The request with notes on what the schema of that `day` says, and the price by it.

    `is_old`: the note on the model says how to renew it.
    """
    notes = [_compared(note, resolved, schema, day) for note in resolved.notes]
    if is_old:
        name = resolved.model_id
        notes = [_renewable(note, name) for note in notes]
    price = _price(resolved, schema)
    if price is None:
        return resolved._replace(notes=tuple(notes))
    amount = f"{show_amount(price)} USD per image"
    reason = f"by the gateway's schema of {day}, which flux does not check"
    notes.append(Note("price", None, amount, "default", reason))
    return resolved._replace(notes=tuple(notes), unit_price_usd=price, price_day=day)


def _price(resolved: Resolved, schema: GatewaySchema) -> float | None:
    """The price per image. Another one may be that of a route, which the schema does not name."""
    if resolved.unit_price_usd is not None or resolved.route:
        return None
    given = resolved.request.parameters
    inputs = [name for name, param in schema.parameters.items() if param.kind.lower() in FILES]
    has_inputs = bool(resolved.request.references)
    has_inputs = has_inputs or any(isinstance(value, Attachment) for value in given.values())
    has_inputs = has_inputs or any("image" in name or name in inputs for name in given)
    return unit_price(schema, resolved.parameters, has_inputs=has_inputs)


def _compared(note: Note, resolved: Resolved, schema: GatewaySchema, day: str) -> Note:
    """A note on the model or on a parameter that is sent as it is, with what the schema says."""
    if note.behavior != SENT:
        return note
    if note.parameter == "model":
        return note._replace(reason=f"{note.reason}; compared with the gateway's schema of {day}")
    if note.parameter not in resolved.parameters or not schema.parameters:
        return note
    source = f"the gateway's schema of {day}"
    param = schema.parameters.get(note.parameter)
    if param is None:
        hint = did_you_mean(note.parameter, schema.parameters)
        reason = f"not in {source}: sent unchecked"
        return note._replace(reason=f"{reason}; {hint}" if hint else reason, warning=True)
    objection = _objection(param, resolved.parameters[note.parameter])
    if objection:
        return note._replace(reason=f"{source} has {objection}: sent unchecked", warning=True)
    return note._replace(reason=f"as in {source}: sent unchecked")


def _objection(param: SchemaParam, value: Json) -> str:
    """What the schema has instead of a value, in words; "" if it allows the value."""
    if isinstance(value, list | dict) or value is None:
        return ""
    text = _text(value)
    if param.values:
        is_listed = text.lower() in (known.lower() for known in param.values)
        return "" if is_listed else _some_of(param.values)
    kind = KINDS.get(param.kind.lower())
    is_truth = isinstance(value, bool)
    if kind and not (isinstance(value, kind) and is_truth == (kind == (bool,))):
        return f"the type {param.kind}"
    if is_truth or not isinstance(value, int | float):
        return ""
    if param.minimum is not None and value < param.minimum:
        return f"{param.minimum:g} as the smallest value"
    if param.maximum is not None and value > param.maximum:
        return f"{param.maximum:g} as the largest value"
    return ""


def _text(value: str | float) -> str:
    """A value as the schema lists it: `1.0` as `1`."""
    if isinstance(value, str):
        return value
    is_whole = isinstance(value, float) and value.is_integer()
    return json_text(int(value) if is_whole else value)


def _some_of(values: tuple[str, ...]) -> str:
    named = ", ".join(values[:MOST_VALUES])
    more = len(values) - MOST_VALUES
    return f"only {named}" if more <= 0 else f"only {named} and {more} more"


def _renewable(note: Note, name: str) -> Note:
    if note.parameter != "model":
        return note
    return note._replace(reason=f"{note.reason} (renew it: flux models {name} --refresh)")
