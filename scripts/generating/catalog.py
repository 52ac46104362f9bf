"""flux's own models and servers as Python: read strictly once, here, so that no lookup has to read TOML."""

from collections.abc import Iterable
from typing import Any

from flux_cli.catalog.reading import BUILT_IN, read, read_servers

HEAD = (
    '"""Made by scripts/generate from {source}: change that, not this."""\n\nfrom flux_cli.core.model import {names}\n'
)


def own_models() -> str:
    """The module with every model of flux's own, by id."""
    models = [read(path) for path in sorted(BUILT_IN.glob("*.toml"))]
    head = HEAD.format(source="models/*.toml", names="Dialect, Field, Model, Param, Route, Size")
    return f"{head}\nMODELS = {{\n{_rows((model.id, model) for model in models)}}}\n"


def own_servers() -> str:
    """The module with every kind of OpenAI-shaped server, by name."""
    head = HEAD.format(source="servers.toml", names="Dialect, Field")
    return f"{head}\nSERVERS = {{\n{_rows(read_servers().items())}}}\n"


def _rows(rows: Iterable[tuple[str, object]]) -> str:
    return "".join(f"    {name!r}: {source(value, 1)},\n" for name, value in rows)


def source(value: Any, depth: int = 0) -> str:
    """A value of the catalog as an expression: nouns by position, then by name what differs from the default."""
    if isinstance(value, dict) and value:
        pad = "    " * (depth + 1)
        rows = "".join(f"{pad}{key!r}: {source(item, depth + 1)},\n" for key, item in value.items())
        return f"{{\n{rows}{'    ' * depth}}}"
    if hasattr(value, "_fields"):
        defaults = value._field_defaults
        words = []
        for name, item in value._asdict().items():
            if name not in defaults:
                words.append(source(item, depth))
            elif item != defaults[name]:
                words.append(f"{name}={source(item, depth)}")
        return f"{type(value).__name__}({', '.join(words)})"
    if isinstance(value, tuple) and value and hasattr(value[0], "_fields"):
        pad = "    " * (depth + 1)
        return "(\n" + "".join(f"{pad}{source(item, depth + 1)},\n" for item in value) + "    " * depth + ")"
    return repr(value)
