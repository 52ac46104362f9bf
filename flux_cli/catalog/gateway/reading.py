"""Reads a gateway's schema of a model with tolerance: the shape of such replies is not published.

Parameters may be a map or a list, in groups or not, at any of a few depths. What cannot be read is
left out, and nothing here raises an error.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from flux_cli.catalog.gateway.parameters import (
    INNER_SCHEMAS,
    MODE_KEYS,
    NAME_LENGTH,
    VALUE_KEYS,
    WORD_LENGTH,
    folded,
    members,
    read_param,
)
from flux_cli.catalog.gateway.schema import USD, Component, GatewaySchema, SchemaParam
from flux_cli.core.text import plain
from flux_cli.core.values import MAX_USD, read_amount, read_integer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.model import Json

    Members = list[tuple[str, Json]]

# Keys are compared in lower case and without marks: see `folded`.
PARAMETER_KEYS = ("parameters", "params", "arguments", "fields")
# Where parameters may be if no other key has any; all of them must be tables there.
SCHEMA_KEYS = ("schema", "parameterschema", "inputschema", "compiledschema", "inputs", "input")
GROUP_KEYS = ("parameters", "params", "fields")  # in an item of a list that is a group
NAME_KEYS = ("name", "id", "key", "parameter", "field")
INPUT_KEYS = (
    *("maxinputimages", "maxinputs", "maximages", "maxreferenceimages", "inputimagesmax"),
    "maximuminputimages",
)
MAX_DEPTH = 8  # levels of a reply that are searched
MAX_PARTS = 20_000  # of a reply that are looked at, and as many on each level
MAX_GROUPS = 3  # levels of groups
MAX_PARAMETERS = 200
MAX_INPUTS = 1000  # images


def read_schema(document: Json) -> GatewaySchema | None:
    """What a reply says about a model; None if it has neither parameters nor prices."""
    levels = list(_levels(document))
    parameters = _read_parameters(levels)
    components, currency = _read_price(levels)
    if not parameters and not components:
        return None
    return GatewaySchema(parameters, components, currency, _read_max_inputs(levels))


def _levels(document: Json) -> Iterator[Members]:
    """The members of the reply by their depth, the outermost first, with their keys."""
    level: Members = [("", document)]
    for _ in range(MAX_DEPTH):
        yield level
        inner = (member for _, value in level for member in members(value))
        level = list(islice(inner, MAX_PARTS))


def _read_parameters(levels: list[Members]) -> dict[str, SchemaParam]:
    """The parameters of the outermost level that has any. The first of a name counts."""
    for places_of in (_places, _schema_places):
        for level in levels:
            found = _collected([place for _, value in level for place in places_of(value)])
            if found:
                return found
    return {}


def _places(value: Json) -> Iterator[Json]:
    """Where parameters are in a part of the reply: a JSON Schema, a list, or below their keys."""
    if _is_list_of_parameters(value) or _is_json_schema(value):
        yield value
    yield from (item for key, item in members(value) if key in PARAMETER_KEYS)


def _schema_places(value: Json) -> Iterator[Json]:
    """Where they may be as well."""
    for key, item in members(value):
        if key in SCHEMA_KEYS and _is_table_of_tables(item):
            yield item


def _is_json_schema(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("properties"), dict)


def _collected(places: list[Json]) -> dict[str, SchemaParam]:
    found: dict[str, SchemaParam] = {}
    pairs = (pair for place in places for pair in _named(place, MAX_GROUPS))
    for name, spec in islice(pairs, MAX_PARTS):
        is_usable = bool(name) and plain(name, NAME_LENGTH) == name
        if is_usable and name not in found and len(found) < MAX_PARAMETERS:
            found[name] = read_param(name, spec)
    return found


def _is_list_of_parameters(value: Json) -> bool:
    """Whether a list without a name is one of parameters, not of models."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, dict) and "name" in item and "type" in item for item in value)


def _is_table_of_tables(value: Json) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(isinstance(item, dict) for item in value.values())


def _named(value: Json, groups: int) -> Iterator[tuple[str, Json]]:
    """The parameters of a map or a list, and of at most so many levels of groups in it."""
    if isinstance(value, list):
        for item in value:
            yield from _named_item(item, groups)
        return
    if not isinstance(value, dict):
        return
    inner = value.get("properties")
    if isinstance(inner, dict):  # JSON Schema
        yield from _with_required(inner, value.get("required"))
        return
    for name, spec in value.items():
        if groups and _is_group(spec):
            yield from _named(spec, groups - 1)
        else:
            yield name, spec


def _named_item(item: Json, groups: int) -> Iterator[tuple[str, Json]]:
    """The parameter that an item of a list is, or those of the group that it is."""
    if isinstance(item, str):
        yield item, None
    if not isinstance(item, dict):
        return
    inner = [item[key] for key in GROUP_KEYS if isinstance(item.get(key), list | dict)]
    names = [item[key] for key in NAME_KEYS if isinstance(item.get(key), str)]
    if inner and groups:
        yield from _named(inner[0], groups - 1)
    elif names:
        yield str(names[0]), item
    elif groups and _is_table_of_tables(item):  # {"seed": {…}}
        yield from item.items()


def _with_required(table: dict[str, Json], required: Json) -> Iterator[tuple[str, Json]]:
    """The parameters of a JSON Schema, which lists those that are required beside them."""
    listed = required if isinstance(required, list) else []
    for name, spec in table.items():
        is_listed = name in listed and isinstance(spec, dict)
        yield name, {**spec, "required": True} if is_listed and isinstance(spec, dict) else spec


def _is_group(spec: Json) -> bool:
    """Whether a member of a map of parameters is a group of them."""
    if isinstance(spec, list):
        return bool(spec) and all(isinstance(item, dict) for item in spec)
    if not isinstance(spec, dict) or not spec:
        return False
    keys = {folded(key) for key in spec}
    are_tables = all(isinstance(item, dict | list) for item in spec.values())
    return are_tables and keys.isdisjoint((*INNER_SCHEMAS, *VALUE_KEYS, *MODE_KEYS))


def _read_price(levels: list[Members]) -> tuple[tuple[Component, ...], str]:
    """The components of the outermost level that has any, of all prices there, and the currency."""
    for level in levels:
        found: list[Component] = []
        currencies: dict[str, None] = {}
        for _, value in level:
            listed = value.get("components") if isinstance(value, dict) else None
            parts = _read_components(listed)
            found += parts
            if parts and isinstance(value, dict):
                currency = value.get("currency")
                currencies[plain(currency, 20) if isinstance(currency, str) else USD] = None
        if found:
            return tuple(found[:MAX_PARAMETERS]), " ".join(currencies)
    return (), USD


def _read_components(listed: Json) -> list[Component]:
    items = listed if isinstance(listed, list) else []
    return [_read_component(item) for item in items if isinstance(item, dict) and _has_price(item)]


def _has_price(item: dict[str, Json]) -> bool:
    return "unit_price" in item or "unitPrice" in item


def _read_component(item: dict[str, Json]) -> Component:
    table = dict(members(item))
    price = read_amount(table.get("unitprice"), MAX_USD)
    return Component(_word(table.get("type")), _word(table.get("metric")), price)


def _word(value: Json) -> str:
    return plain(value, WORD_LENGTH).lower() if isinstance(value, str) else ""


def _read_max_inputs(levels: list[Members]) -> int | None:
    """The most input images, on the outermost level that says so."""
    for level in levels:
        for key, value in level:
            number = read_integer(value) if key in INPUT_KEYS else None
            if number is not None and 0 <= number <= MAX_INPUTS:
                return number
    return None
