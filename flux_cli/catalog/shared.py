"""Sets of parameters, and dialects of providers, that several model files share: shared.toml.

A file names what it shares, and lists only what differs.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from flux_cli.catalog.toml_table import Table, load
from flux_cli.core.errors import did_you_mean

SHARED = Path(__file__).parent / "shared.toml"
T = TypeVar("T")


def shared_parameters(table: Table) -> dict[str, dict[str, object]]:
    """The tables of the set that a model file names, by parameter; empty if it names none."""
    name = table.take_or("parameter_set", str, None)
    if name is None:
        return {}
    return _choose(table, "parameter_set", name, load(SHARED).take("parameter_sets", dict))


def fill_dialect(row: Table, provider: str, parameters: Collection[str]) -> None:
    """Fill a table of a provider from the dialect that it names, if any.

    Of its fields, those of the model's `parameters`.
    """
    name = row.take_or("dialect", str, None)
    if name is None:
        return
    listed = load(SHARED).take("dialects", dict).get(provider, {})
    dialect = _choose(row, "dialect", name, listed)
    fields = {key: field for key, field in dialect["parameters"].items() if key in parameters}
    row.fill({**dialect, "parameters": fields})


def _choose(table: Table, key: str, name: str, listed: dict[str, T]) -> T:
    if name not in listed:
        near = did_you_mean(name, listed) or f"shared.toml has {', '.join(listed) or 'none'}"
        raise table.wrong(key, f"{name!r} is not known; {near}")
    return listed[name]
