"""Reads what providers and kinds of servers do with parameters: model files and servers.toml.

As strict as `reading`, for the same reason.
"""

import math
from collections.abc import Collection, Iterable
from pathlib import Path

from flux_cli.catalog.prices import read_price
from flux_cli.catalog.references import read_references
from flux_cli.catalog.shared import fill_dialect
from flux_cli.catalog.toml_table import Table, load
from flux_cli.core.errors import UsageError
from flux_cli.core.model import BEHAVIORS, SPELLINGS, AnySize, Dialect, Field
from flux_cli.core.ratio import parse_ratio
from flux_cli.images.formats import FORMATS

SERVERS = Path(__file__).parent / "servers.toml"


def read_dialects(
    tables: Iterable[tuple[str, Table]], parameters: Collection[str]
) -> dict[str, Dialect]:
    """How providers take a model with these parameters, by the name of the provider."""
    dialects = {}
    for name, row in tables:
        fill_dialect(row, name, parameters)
        dialects[name] = _dialect(name, row, parameters)
    return dialects


def read_servers() -> dict[str, Dialect]:
    """What each kind of OpenAI-compatible server does with parameters, by the name of the kind."""
    table = load(SERVERS)
    dialects = {name: _dialect(name, row, ()) for name, row in table.tables("servers")}
    table.end()
    return dialects


def _dialect(name: str, row: Table, order: Iterable[str]) -> Dialect:
    dialect = Dialect(
        provider=name,
        path=row.take_or("path", str, "") or "",
        price=read_price(row),
        formats=row.take_texts("formats"),
        aspect_ratios=row.take_texts("aspect_ratios"),
        any_ratio=_span(row),
        fields=_fields(row, order),
        any_size=read_any_size(row),
        strict=row.take_or("strict", bool, default=False) or False,
        in_flight=row.take_or("in_flight", int, None),
        references=read_references(row),
    )
    row.end()
    if dialect.in_flight is not None and dialect.in_flight < 1:
        raise row.wrong("in_flight", "must be at least 1")
    for file_format in dialect.formats:
        if file_format not in FORMATS:
            raise row.wrong("formats", f"{file_format!r} is not one of {', '.join(FORMATS)}")
    return dialect


def read_any_size(row: Table) -> AnySize | None:
    """The free sizes of a model or a provider; None if it has none."""
    table = row.table("any_size")
    if table is None:
        return None
    step = table.take("step", int)
    free = AnySize(
        step=step,
        min_side=table.take_or("min_side", int, step) or 0,
        max_side=table.take_or("max_side", int, None),
        max_pixels=table.take("max_pixels", int),
    )
    table.end()
    if step < 1:
        raise table.wrong("step", "must be at least 1")
    if free.min_side < 1:
        raise table.wrong("min_side", "must be at least 1")
    least = step * math.ceil(free.min_side / step)
    if free.max_side is not None and free.max_side < least:
        raise table.wrong("max_side", f"must be at least {least}")
    if free.max_pixels < least**2:
        raise table.wrong("max_pixels", f"must be at least {least**2}")
    return free


def _span(row: Table) -> tuple[str, str] | None:
    texts = row.take_texts("any_ratio")
    if not texts:
        return None
    try:
        ratios = [parse_ratio(text) for text in texts]
    except UsageError as fault:
        raise row.wrong("any_ratio", fault.message) from fault
    if len(ratios) != 2 or ratios[0] >= ratios[1]:
        raise row.wrong("any_ratio", "must be the narrowest and the widest ratio, in this order")
    return texts[0], texts[1]


def _fields(row: Table, order: Iterable[str]) -> dict[str, Field]:
    """What happens to each parameter: those that `order` names first."""
    found = {parameter: _field(parameter, cell) for parameter, cell in row.tables("parameters")}
    first = {parameter: found[parameter] for parameter in order if parameter in found}
    return first | found


def _field(parameter: str, cell: Table) -> Field:
    behavior, spelling = cell.take("behavior", str), cell.take_or("spelling", str, "") or ""
    for key, value, known in (("behavior", behavior, BEHAVIORS), ("spelling", spelling, SPELLINGS)):
        if value not in known:
            allowed = ", ".join(filter(None, known))
            raise cell.wrong(key, f"must be one of {allowed}, not {value!r}")
    is_sent = behavior in ("passthrough", "renamed", "converted")
    values = cell.take_or("values", dict, {}) or {}
    default_name = parameter if is_sent else ""
    field = Field(
        behavior=behavior,
        name=cell.take_or("name", str, default_name) or "",
        spelling=spelling,
        choices=cell.take_texts("choices"),
        values={str(ours): str(theirs) for ours, theirs in values.items()},
        reason=cell.take_or("reason", str, "") or "",
        required=cell.take_or("required", bool, default=False) or False,
        by_name=cell.take_or("by_name", bool, default=False) or False,
    )
    if behavior == "unsupported" and not field.reason:
        raise cell.wrong("reason", "is missing; flux shows it to the user")
    if field.required and not (field.name and field.reason):
        raise cell.wrong("required", "needs a field to send, and a reason that flux shows")
    cell.end()
    return field
