"""`flux providers`: list image providers, and show what they do with parameters."""

from __future__ import annotations

from flux_cli.catalog.find import find_model
from flux_cli.config import folders, keys
from flux_cli.config.credentials import key_form
from flux_cli.config.load import Settings, address_of, load_settings
from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import Field, Json, Model, ProviderRow
from flux_cli.core.values import show_amount
from flux_cli.providers.rows import ROWS, dialect_of, unit_price
from flux_cli.terminal import streams

LIST_HEADING = ("Provider", "key", "address", "per request", "USD per image")
PARAMETER_HEADING = ("Parameter", "behavior", "sent as", "about")


def run(*, name: str | None, model: str | None, as_json: bool) -> None:
    """Print all providers, or one with its parameters. Raises UsageError if it is unknown."""
    settings = load_settings({"model": model}, ROWS)
    rows = settings.providers
    if name is not None and name not in rows:
        hint = did_you_mean(name, rows) or f"providers: {', '.join(rows)}"
        raise UsageError(f"unknown provider {name!r}", hint=hint)
    found = find_model(settings.model, folders.model_folders())
    chosen = [rows[name]] if name else list(rows.values())
    if as_json:
        documents: list[Json] = [_document(row, found, address_of(row, settings)) for row in chosen]
        streams.out_json({"schema": SCHEMA, "providers": documents})
    elif name:
        streams.say(f"{_list(chosen, found, settings)}\n\n{_parameters(chosen[0], found)}")
    else:
        streams.say(_list(chosen, found, settings))


def _has_model(row: ProviderRow, model: Model | None) -> bool:
    """Whether flux can use the model at the provider."""
    try:
        dialect_of(row, model)
    except UsageError:
        return False
    return True


def _list(rows: list[ProviderRow], model: Model | None, settings: Settings) -> str:
    listed = []
    for row in rows:
        address = address_of(row, settings) or "--base-url"
        listed.append((row.name, _key(row), address, "1 image", _price(row, model)))
    return streams.listing([LIST_HEADING, *listed])


def _parameters(row: ProviderRow, model: Model | None) -> str:
    if model and not _has_model(row, model):
        return f"flux does not support {model.id} at {row.name}"
    listed = [
        (name, field.behavior, _sent_as(field), field.reason)
        for name, field in _fields(row, model).items()
    ]
    return streams.listing([PARAMETER_HEADING, *listed])


def _sent_as(field: Field) -> str:
    """The names of the fields in which a parameter is sent."""
    if field.spelling == "sides":
        return "width, height"
    return f"{field.name}, width, height" if field.spelling == "custom_sides" else field.name or "-"


def _fields(row: ProviderRow, model: Model | None) -> dict[str, Field]:
    """Every parameter of the model and of the provider, and what the provider does with it.

    A parameter that is not in the provider's dialect is sent under its own name.
    """
    if not _has_model(row, model):
        return {}
    dialect = dialect_of(row, model)
    parameters = model.parameters if model else {}
    fields = {}
    for name, param in parameters.items():
        fields[name] = Field("passthrough" if dialect else param.behavior, name)
    return fields | dialect.fields if dialect else fields


PROVIDER: dict[str, object] = {
    "name": "text",
    "protocol": "text",
    "base_url": "text?",
    "key_variables": ["text"],
    "key_set": "boolean",
    "hosted": "boolean",
    "images_per_request": "integer",
    "price_usd": "number?",
    "parameters": {"...": {"behavior": "text", "field": "text?", "reason": "text?"}},
}
PROVIDER_LIST: dict[str, object] = {"schema": (SCHEMA,), "providers": ["#provider"]}


def _document(row: ProviderRow, model: Model | None, address: str) -> dict[str, Json]:
    return {
        "name": row.name,
        "protocol": row.protocol,
        "base_url": address or None,
        "key_variables": list(row.key_variables),
        "key_set": bool(_variable(row)),
        "hosted": row.hosted,
        "images_per_request": 1,
        "price_usd": _usd(row, model),
        "parameters": {name: _field(field) for name, field in _fields(row, model).items()},
    }


def _field(field: Field) -> dict[str, Json]:
    return {
        "behavior": field.behavior,
        "field": field.name or None,
        "reason": field.reason or None,
    }


def _usd(row: ProviderRow, model: Model | None) -> float | None:
    """The price of an image of the default size; None if it is unknown."""
    if not _has_model(row, model):
        return None
    size = model.default if model else None
    return unit_price(row, model, dialect_of(row, model), None, size)


def _price(row: ProviderRow, model: Model | None) -> str:
    if not _has_model(row, model):
        return "no such model"
    price = _usd(row, model)
    return "unknown" if price is None else show_amount(price)


def _variable(row: ProviderRow) -> str:
    """The environment variable of the key that is sent; "" if no key is set or it is unusable."""
    try:
        for name in row.key_variables:
            secret, _ = keys.find(name, folders.user_folder(), form=key_form(row))
            if secret:
                return name
    except ConfigError:
        pass
    return ""


def _key(row: ProviderRow) -> str:
    if not row.key_variables:
        return "none needed"
    used = _variable(row)
    return f"{used} (set)" if used else f"{row.key_variables[0]} (not set)"
