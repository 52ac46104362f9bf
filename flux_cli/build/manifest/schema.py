"""The JSON Schema of a manifest, for editors. Made from the table that the reader uses.

The vocabulary is that of draft 4, because Taplo, which completes TOML in editors, knows no newer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from flux_cli.request.styles import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json
    from flux_cli.request.styles.keys import Key

    class Spelling(Protocol):
        """How an option is spelled on the command line."""

        @property
        def metavar(self) -> str:
            """The placeholder of its value."""

        @property
        def help(self) -> str:
            """What it does."""


WHOLE_NUMBERS = ("SEED", "COUNT", "PIXELS")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
CHOICES = re.compile(r"[a-z]+(\|[a-z]+)+")
CELL: dict[str, Json] = {"type": ["string", "number", "boolean"]}


def manifest_schema(spellings: Mapping[str, Spelling]) -> dict[str, Json]:
    """The schema. `spellings` explain the keys that are options, by field."""
    tables: dict[str, Json] = {
        "asset": _table(keys.ASSET_KEYS, spellings),
        "style": _table(keys.STYLE_KEYS, spellings),
        "defaults": _table(keys.DEFAULTS_KEYS, spellings),
    }
    top = _table(keys.TOP, spellings)
    properties: dict[str, Json] = {
        "$schema": {"type": "string"},
        **{name: _explained(name, key, spellings) for name, key in keys.TOP.items()},
    }
    more: dict[str, dict[str, Json]] = {
        "max_cost": {"type": "number", "minimum": 0},
        "vars": {"type": "object", "additionalProperties": CELL},
        "defaults": {"$ref": "#/definitions/defaults"},
        "styles": {"type": "object", "additionalProperties": {"$ref": "#/definitions/style"}},
        "assets": {"type": "object", "additionalProperties": {"$ref": "#/definitions/asset"}},
    }
    for name, node in more.items():
        properties[name] = {"description": keys.TOP[name].help, **node}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "flux-build.toml",
        **top,
        "properties": properties,
        "required": ["assets"],
        "definitions": tables,
    }


def _table(known: Mapping[str, Key], spellings: Mapping[str, Spelling]) -> dict[str, Json]:
    properties: dict[str, Json] = {
        name: _explained(name, key, spellings) for name, key in known.items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _explained(name: str, key: Key, spellings: Mapping[str, Spelling]) -> dict[str, Json]:
    """The schema of one key, with its help."""
    spelling = spellings.get(name)
    metavar = spelling.metavar if spelling else ""
    return {"description": help_of(name, key, spellings), **_value(key.kind, metavar)}


def help_of(name: str, key: Key, spellings: Mapping[str, Spelling]) -> str:
    """What a key does: its own words, or those of the option of its name."""
    spelling = spellings.get(name)
    text = spelling.help if spelling and not key.help else key.help
    text = re.sub(r"; repeatable|\s*\[(default|env)[^]]*\]", "", text)
    return re.sub(r"--(\w+)", lambda found: _key_text(found[1]) or found[0], text)


def _key_text(option: str) -> str:
    """The key that an option is, as help texts write it; "" if it is none."""
    return f"`{option}`" if option in keys.OPTIONS else ""


def _value(kind: str, metavar: str) -> dict[str, Json]:
    """What a key may be. An option's placeholder says more than its kind."""
    one = _scalar(metavar)
    kinds: dict[str, dict[str, Json]] = {
        "text": {"type": "string"},
        "texts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "switch": {"type": "boolean"},
        "scalar": one,
        "list": {"anyOf": [one, {"type": "array", "items": one}]},
        "table": {"type": "object"},
        "section": {"type": "object"},
        "axes": {"type": "object", "additionalProperties": {"type": "array", "items": CELL}},
        "tables": {"type": "array", "items": {"type": "object", "additionalProperties": CELL}},
    }
    return kinds[kind]


def _scalar(metavar: str) -> dict[str, Json]:
    if metavar in WHOLE_NUMBERS:
        return {"type": "integer"}
    if found := RANGE.fullmatch(metavar):
        low, high = int(found[1]), int(found[2])
        kind = "number" if high == 1 else "integer"
        return {"type": kind, "minimum": low, "maximum": high}
    if CHOICES.fullmatch(metavar):
        return {"enum": [*metavar.split("|")]}
    return {"type": ["string", "number"]}
