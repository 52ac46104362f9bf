"""Reads one parameter of a gateway's schema with tolerance: see `reading`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.catalog.gateway.schema import SchemaParam
from flux_cli.core.lite import json_text
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.model import Json

# Keys are compared in lower case and without marks: see `folded`.
ALTERNATIVES = ("anyof", "oneof")
INNER_SCHEMAS = ("schema", "items", "allof", *ALTERNATIVES)
VALUE_KEYS = ("values", "enum", "choices", "options", "allowedvalues", "allowed")
MINIMUM_KEYS, MAXIMUM_KEYS = ("minimum", "min", "ge"), ("maximum", "max", "le")
MODE_KEYS = ("modes", "mode")
HELP_KEYS = ("description", "help", "about")
MAX_VALUES = 100  # a longer list is left out: it would say that other values are wrong
MAX_NUMBER = 2.0**63
NAME_LENGTH, WORD_LENGTH, HELP_LENGTH = 80, 60, 200  # characters


def members(value: Json) -> Iterator[tuple[str, Json]]:
    """The members of a map with their folded keys, and the items of a list with "" as keys."""
    if isinstance(value, dict):
        yield from ((folded(name), item) for name, item in value.items())
    elif isinstance(value, list):
        yield from (("", item) for item in value)


def folded(name: str) -> str:
    """A key without its case and marks: `maxInputImages` and `max_input_images` are the same."""
    return "".join(filter(str.isalnum, name[:NAME_LENGTH].lower()))


def read_param(name: str, spec: Json) -> SchemaParam:
    """One parameter. A text in place of a table is its type, and a list its values."""
    if isinstance(spec, str):
        return SchemaParam(name, kind=plain(spec, WORD_LENGTH))
    if isinstance(spec, list):
        return SchemaParam(name, values=_read_words(spec))
    if not isinstance(spec, dict):
        return SchemaParam(name)
    table = _flat(spec)
    return SchemaParam(
        name=name,
        kind=_read_kind(table),
        help=_first_text(table, HELP_KEYS),
        default=_read_scalar(table.get("default")),
        minimum=_first_number(table, MINIMUM_KEYS),
        maximum=_first_number(table, MAXIMUM_KEYS),
        values=_first_words(table, VALUE_KEYS),
        required=table.get("required") is True,
        modes=_first_words(table, MODE_KEYS),
    )


def _flat(spec: dict[str, Json]) -> dict[str, Json]:
    """The keys of a parameter, and of the schemas inside it, of which the first counts.

    Of several alternatives, only the types are known: each may allow other values.
    """
    table = dict(reversed([*members(spec)]))
    for key in INNER_SCHEMAS:
        inner = table.get(key)
        listed = inner if isinstance(inner, list) else [inner]
        schemas = [one for one in listed if isinstance(one, dict) and one.get("type") != "null"]
        if key in ALTERNATIVES and len(schemas) > 1:
            words = dict.fromkeys(_read_kind(dict(members(one))) for one in schemas)
            table = {"type": " or ".join(filter(None, words)), **table}
            continue
        for schema in schemas:
            table = {**dict(members(schema)), **table}
    return table


def _read_kind(table: dict[str, Json]) -> str:
    kind = table.get("type", table.get("kind"))
    words = kind if isinstance(kind, list) else [kind]
    named = [word for word in words if isinstance(word, str) and word != "null"]
    return plain(named[0], WORD_LENGTH) if named else ""


def _first_text(table: dict[str, Json], keys: tuple[str, ...]) -> str:
    found = (table.get(key) for key in keys)
    return next((plain(text, HELP_LENGTH) for text in found if isinstance(text, str)), "")


def _first_number(table: dict[str, Json], keys: tuple[str, ...]) -> float | None:
    found = (_read_number(table.get(key)) for key in keys)
    return next((number for number in found if number is not None), None)


def _first_words(table: dict[str, Json], keys: tuple[str, ...]) -> tuple[str, ...]:
    found = (_read_words(table.get(key)) for key in keys)
    return next((words for words in found if words), ())


def _read_words(value: Json) -> tuple[str, ...]:
    """Values as texts: of a list, also of tables with a `value`, or the names of a map.

    A name whose value is false is left out: `{"image-edit": false}`.
    """
    listed = value if isinstance(value, list) else []
    if isinstance(value, dict):
        listed = [name for name, item in value.items() if item is not False]
    if len(listed) > MAX_VALUES:
        return ()
    words: dict[str, None] = {}
    for item in listed:
        value = item.get("value", item.get("name")) if isinstance(item, dict) else item
        scalar = _read_scalar(value)
        if isinstance(value, str) and scalar != value:  # it is cut, so nothing can be equal to it
            return ()
        if scalar is not None:
            words[scalar if isinstance(scalar, str) else json_text(scalar)] = None
    return tuple(words)


def _read_scalar(value: Json) -> Json:
    """A text, a number or a boolean; None for anything else, and for numbers that are too large."""
    if isinstance(value, str):
        return plain(value, WORD_LENGTH)
    if isinstance(value, bool):
        return value
    return value if _read_number(value) is not None else None


def _read_number(value: Json) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if -MAX_NUMBER < value < MAX_NUMBER else None
