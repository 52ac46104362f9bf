"""Checks values of a manifest against the kind of their key, and writes equal values alike.

Options are text on the command line, so `seed = "7"`, a cell with `7` and `seed = 7` are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError
from flux_cli.request.expansion.cells import is_cell, is_json, scalar

if TYPE_CHECKING:
    from typing import Any

    from flux_cli.core.model import Json
    from flux_cli.request.styles.keys import Key

EXPECTED = {
    "text": "text",
    "texts": "text or a list of texts",
    "scalar": "text or a number",
    "switch": "true or false",
    "list": "a string, a number, or a list of them",
    "table": "a table of JSON values",
    "section": "a table",
    "axes": "a table of lists",
    "tables": "a list of tables",
}


def checked(name: str, key: Key, value: Any, where: str) -> Any:  # noqa: ANN401 - from TOML
    """The value of a key in its one form. Raises ManifestError, which names the place."""
    reader = READERS[key.kind]
    result = reader(value)
    if result is None:
        message = f"{where}: {name} must be {EXPECTED[key.kind]}, not {shown(value)}"
        raise ManifestError(message, hint=f"see flux help build for the key {name}")
    return result


def shown(value: object) -> str:
    """A value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def text_of(value: Json) -> str:
    """A scalar as it would be typed on the command line, and as fields show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_option(value: Any) -> Any:  # noqa: ANN401 - of any key
    """The value of a key as an option has it: switches stay switches, all else is text."""
    if isinstance(value, bool) or value is None:
        return value
    return list(map(text_of, value)) if isinstance(value, list) else text_of(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str] | None:
    """Texts as they are: unlike those of lists, they may have commas."""
    items: list[object] = value if isinstance(value, list) else [value]
    found = [item for item in items if isinstance(item, str)]
    return found if len(found) == len(items) else None


def _switch(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value)
    return value if isinstance(value, bool) else None


def _list(value: object) -> list[str | int | float] | None:
    """Scalars. A string with commas is several, as on the command line."""
    items: list[object] = value if isinstance(value, list) else [value]
    found: list[str | int | float] = []
    for item in items:
        parts: list[object] = [item]
        if isinstance(item, str):
            parts = [part.strip() for part in item.split(",")]
        for part in parts:
            one = scalar(part)
            if one is None:
                return None
            found.append(one)
    return found


def _table(value: object) -> dict[str, Json] | None:
    """Any JSON by name. Dates and infinite numbers are not JSON."""
    return value if isinstance(value, dict) and is_json(value) else None


def _section(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _axes(value: object) -> dict[str, list[Json]] | None:
    """Lists of strings, numbers and switches, none empty, by name."""
    if not isinstance(value, dict) or not value:
        return None
    for items in value.values():
        if not isinstance(items, list) or not items or not all(map(is_cell, items)):
            return None
    return value


def _tables(value: object) -> list[dict[str, Json]] | None:
    if not isinstance(value, list):
        return None
    for table in value:
        if not isinstance(table, dict) or not table or not all(map(is_cell, table.values())):
            return None
    return value


READERS = {
    "text": _text,
    "texts": _texts,
    "scalar": scalar,
    "switch": _switch,
    "list": _list,
    "table": _table,
    "section": _section,
    "axes": _axes,
    "tables": _tables,
}
