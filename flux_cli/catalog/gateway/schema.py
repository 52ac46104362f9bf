"""A gateway's schema of one model, as far as it could be read. Nothing in it is certain.

`reading` reads it, and reads what `document_of` makes again.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json

USD = "USD"


class SchemaParam(NamedTuple):
    """One parameter. Everything but the name is optional."""

    name: str
    kind: str = ""  # the type, in the gateway's own word
    help: str = ""
    default: Json = None  # a text, a number or a boolean
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()  # as JSON, texts without quotes; empty: any
    required: bool = False
    modes: tuple[str, ...] = ()  # such as text-to-image; empty: all


class Component(NamedTuple):
    """One part of the price of a request."""

    kind: str  # "output" or "input"
    metric: str  # what is counted: "image" or "megapixel"
    unit_price: float | None  # None: it cannot be read


class GatewaySchema(NamedTuple):
    """What a gateway says about one model."""

    parameters: dict[str, SchemaParam]
    components: tuple[Component, ...] = ()
    currency: str = USD
    max_input_images: int | None = None


def document_of(schema: GatewaySchema) -> dict[str, Json]:
    """The schema as JSON, for the saved file. In a list, no name can be taken for a key."""
    parameters: list[Json] = [{**param_document(param)} for param in schema.parameters.values()]
    components: list[Json] = [
        {"type": part.kind, "metric": part.metric, "unit_price": part.unit_price}
        for part in schema.components
    ]
    return {
        "parameters": parameters,
        "price": {"currency": schema.currency, "components": components},
        "max_input_images": schema.max_input_images,
    }


def param_document(param: SchemaParam) -> dict[str, Json]:
    """One parameter as JSON."""
    return {
        "name": param.name,
        "type": param.kind,
        "help": param.help,
        "default": param.default,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "values": list(param.values),
        "required": param.required,
        "modes": list(param.modes),
    }
