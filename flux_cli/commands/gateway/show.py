"""Shows a gateway's schema of a model, as text and as JSON, beside the catalog's entry if any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.catalog.gateway.price import unit_price
from flux_cli.catalog.gateway.saved import DAY, time_text
from flux_cli.catalog.gateway.schema import document_of, param_document
from flux_cli.core.values import counted, show_amount
from flux_cli.runs.spending.budget import ROUNDING
from flux_cli.terminal.streams import listing
from flux_cli.terminal.table import cell_text

if TYPE_CHECKING:
    from flux_cli.catalog.gateway.saved import Saved
    from flux_cli.catalog.gateway.schema import Component, GatewaySchema, SchemaParam
    from flux_cli.core.model import Json, Model

HEADING = ("Parameter", "accepts", "default", "about")
NOT_PARAMETERS = ("model",)  # which the catalog does not list
PARAMETER: dict[str, object] = {
    "name": "text",
    "type": "text",
    "help": "text",
    "default": "any",
    "minimum": "number?",
    "maximum": "number?",
    "values": ["text"],
    "required": "boolean",
    "modes": ["text"],
}
SCHEMA: dict[str, object] = {
    "model": "text",
    "source": "text",
    "fetched": "text",
    "price_usd": "number?",
    "price": {
        "currency": "text",
        "components": [{"type": "text", "metric": "text", "unit_price": "number?"}],
    },
    "max_input_images": "integer?",
    "parameters": {"...": "#schema_parameter"},
    "not_in_catalog": ["text"],
    "catalog_price_usd": "number?",
}


def schema_document(saved: Saved, model: Model | None) -> dict[str, Json]:
    """The schema as JSON. `model` is the catalog's entry; None if the catalog lacks the model."""
    missing: list[Json] = [*_missing(saved.schema, model)]
    parameters: dict[str, Json] = {}
    for param in saved.schema.parameters.values():
        parameters[param.name] = param_document(param)
    return {
        "model": saved.model,
        "source": saved.source,
        "fetched": time_text(saved.fetched),
        "price_usd": _price(saved.schema, model),
        **document_of(saved.schema),
        "parameters": parameters,
        "not_in_catalog": missing,
        "catalog_price_usd": model.price.usd(model.default) if model else None,
    }


def schema_text(saved: Saved, model: Model | None) -> str:
    """The schema for people: facts, then a table of parameters."""
    when = saved.fetched.strftime("%Y-%m-%d %H:%M UTC")
    title = f"{saved.model}: what the gateway says, which flux does not check"
    facts = [
        ("source", saved.source),
        ("fetched", f"{when}{_age(saved)}"),
        ("price", _price_text(saved.schema, model)),
        ("inputs", _inputs_text(saved.schema)),
        ("catalog", _difference(saved.schema, model)),
    ]
    lines = [f"{name:<10} {text}" for name, text in facts if text]
    rows = [_row(param) for param in saved.schema.parameters.values()]
    table = ["", listing([HEADING, *rows])] if rows else []
    return "\n".join((title, *lines, *table))


def _age(saved: Saved) -> str:
    if not saved.is_old:
        return ""
    days = counted(int(saved.age // DAY), "day")
    return f", {days} ago; renew it with: flux models {saved.model} --refresh"


def _price(schema: GatewaySchema, model: Model | None) -> float | None:
    """USD per image of the default size; None if it is not clear."""
    return unit_price(schema, {"size": model.default.name} if model else {})


def _price_text(schema: GatewaySchema, model: Model | None) -> str:
    """The components of the price, and what they mean for an image if that is clear."""
    if not schema.components:
        return "unknown"
    parts = ", ".join(_component_text(part, schema.currency) for part in schema.components)
    usd = _price(schema, model)
    return parts if usd is None else f"{parts}: {show_amount(usd)} USD per image"


def _component_text(part: Component, currency: str) -> str:
    price = "?" if part.unit_price is None else show_amount(part.unit_price)
    return f"{price} {currency} per {part.kind} {part.metric}"


def _inputs_text(schema: GatewaySchema) -> str:
    if schema.max_input_images is None:
        return ""
    return f"at most {counted(schema.max_input_images, 'image')}"


def _missing(schema: GatewaySchema, model: Model | None) -> tuple[str, ...]:
    """The parameters that the gateway names and the catalog lacks."""
    known = {*model.parameters, *NOT_PARAMETERS} if model else schema.parameters
    return tuple(name for name in schema.parameters if name not in known)


def _difference(schema: GatewaySchema, model: Model | None) -> str:
    """What the schema says otherwise than the catalog, which flux obeys; "" without an entry."""
    if model is None:
        return ""
    missing = ", ".join(_missing(schema, model))
    differences = [f"lacks {missing}"] if missing else []
    usd, own = _price(schema, model), model.price.usd(model.default)
    if usd is not None and own is None:
        differences.append("has no price")
    elif usd is not None and own is not None and abs(usd - own) > ROUNDING:
        differences.append(f"has {show_amount(own)} USD per image")
    return f"{'; '.join(differences) or 'differs in nothing'}; flux goes by the catalog"


def _row(param: SchemaParam) -> tuple[str, ...]:
    return (param.name, _accepts(param), cell_text(param.default), _about(param))


def _accepts(param: SchemaParam) -> str:
    if param.values:
        return " ".join(param.values)
    if param.minimum is None and param.maximum is None:
        return param.kind or "-"
    low = "" if param.minimum is None else f"{param.minimum:g}"
    high = "" if param.maximum is None else f"{param.maximum:g}"
    return f"{param.kind} {low}..{high}".strip()


def _about(param: SchemaParam) -> str:
    marks = ["required"] if param.required else []
    marks += [f"{', '.join(param.modes)} only"] if param.modes else []
    return f"{param.help} ({'; '.join(marks)})".strip() if marks else param.help
