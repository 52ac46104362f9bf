"""`flux providers`: who can be asked, with which key, for how much, and what each makes of every parameter."""

from __future__ import annotations

from flux_cli import catalog, config, console, folders, keys
from flux_cli.commands.prepared import wire_of
from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.model import Field, Json, Model, Wire
from flux_cli.core.provider import Row
from flux_cli.core.rendering import SCHEMA
from flux_cli.providers import ROWS


def run(*, name: str | None, model: str | None, as_json: bool) -> None:
    """Print who can be asked, or what one makes of every parameter. Raises UsageError for one nobody knows."""
    settings = config.load({"model": model}, ROWS)
    rows = settings.providers
    if name is not None and name not in rows:
        raise UsageError(f"there is no provider {name!r}", hint=did_you_mean(name, rows) or f"known: {', '.join(rows)}")
    found = catalog.find(settings.model, folders.model_folders()).model
    chosen = [rows[name]] if name else list(rows.values())
    if as_json:
        documents: list[Json] = [_document(row, found, config.address(row, settings)) for row in chosen]
        console.out_json({"schema": SCHEMA, "providers": documents})
    elif name:
        console.say(f"{_list(chosen, found, settings)}\n\n{_parameters(chosen[0], found)}")
    else:
        console.say(_list(chosen, found, settings))


def _wire(row: Row, model: Model | None) -> Wire | None:
    """What the provider makes of this model; None for the gateway's own way, and where it does not have it."""
    try:
        return wire_of(row, model)
    except UsageError:
        return None


def _list(rows: list[Row], model: Model | None, settings: config.Settings) -> str:
    heading = ("Provider", "key", "address", "a call", "USD an image")
    listed = [
        (row.name, _key(row), config.address(row, settings) or "--base-url", "1 image", _price(row, model))
        for row in rows
    ]
    return console.listing([heading, *listed])


def _parameters(row: Row, model: Model | None) -> str:
    heading = ("Parameter", "handling", "sent as", "about")
    fields = _fields(row, model)
    listed = [(name, field.handling, field.name or "-", field.reason) for name, field in fields.items()]
    return console.listing([heading, *listed])


def _fields(row: Row, model: Model | None) -> dict[str, Field]:
    """Every parameter of the model at this provider; what its table does not name passes under its own name."""
    wire = _wire(row, model)
    named = wire.fields if wire else {}
    fields = {}
    for parameter, param in (model.parameters if model else {}).items():
        own = Field(param.support if wire is None else "passthrough", parameter)
        fields[parameter] = named.get(parameter, own)
    return fields | {name: field for name, field in named.items() if name not in fields}


def _document(row: Row, model: Model | None, address: str) -> dict[str, Json]:
    fields: dict[str, Json] = {
        name: {"behavior": field.handling, "field": field.name or None, "reason": field.reason or None}
        for name, field in _fields(row, model).items()
    }
    return {
        "name": row.name,
        "protocol": row.protocol,
        "base_url": address or None,
        "key_variables": list(row.key_variables),
        "key_set": bool(_variable(row)),
        "hosted": row.hosted,
        "images_per_call": 1,
        "price_usd": _usd(row, model),
        "parameters": fields,
    }


def _usd(row: Row, model: Model | None) -> float | None:
    wire = _wire(row, model)
    if not row.hosted:
        return 0.0
    if wire is not None:
        return wire.price_usd
    return model.price_usd if model and row.estimates else None


def _price(row: Row, model: Model | None) -> str:
    price = _usd(row, model)
    return "unknown" if price is None else f"{price:.2f}"


def _variable(row: Row) -> str:
    """The variable whose key is sent; "" without any."""
    try:
        return next((name for name in row.key_variables if keys.find(name, folders.user_folder())[0]), "")
    except ConfigError:
        return ""


def _key(row: Row) -> str:
    if not row.key_variables:
        return "none needed"
    used = _variable(row)
    return f"{used} (set)" if used else f"{row.key_variables[0]} (not set)"
