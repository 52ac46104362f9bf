"""Reads model files, built-in ones and those of users. `dialects` reads what providers do.

Files are read strictly, with file, key and reason in every error: a misread size or price would
cost money. docs/models.md describes every key.
"""

from datetime import date
from pathlib import Path

from flux_cli.catalog.dialects import read_any_size, read_dialects
from flux_cli.catalog.prices import read_price
from flux_cli.catalog.references import read_references
from flux_cli.catalog.shared import shared_parameters
from flux_cli.catalog.sizes import read_sizes
from flux_cli.catalog.toml_table import Table, load
from flux_cli.core.model import (
    BEHAVIORS,
    KINDS,
    Model,
    Param,
    Route,
)
from flux_cli.images.formats import FORMATS

BUILT_IN = Path(__file__).parent / "models"


def read(path: Path) -> Model:
    """Read one model file. Raises CatalogError with file, key and reason."""
    return _model(load(path))


def _model(table: Table) -> Model:
    name = table.take("id", str)
    parameters = _params(table)
    model = Model(
        id=name,
        name=table.take("name", str),
        vendor=table.take("vendor", str),
        summary=table.take("summary", str),
        page=table.take_or("page", str, "") or "",
        price=read_price(table),
        prompt_limit=table.take_or("prompt_limit", int, None),
        aliases=table.take_texts("aliases"),
        native_formats=table.take_texts("native_formats"),
        default_size=table.take("default_size", str),
        sizes=read_sizes(table),
        parameters=parameters,
        routes=_routes(table),
        dialects=read_dialects(table.tables("providers", required=False), parameters),
        any_size=read_any_size(table),
        auto_size=table.take_or("auto_size", bool, default=False) or False,
        references=read_references(table),
        on_gateway=table.take_or("gateway", bool, default=True) is not False,
        legacy=table.take_or("legacy", str, "") or "",
        retires=str(table.take_or("retires", date, None) or ""),
    )
    table.end()
    _check(model, table)
    return model


def _params(table: Table) -> dict[str, Param]:
    """The parameters of the shared set, if any, with what the file says of them, then its own."""
    shared = shared_parameters(table)
    if shared:
        table.fill({"parameters": shared})
    parameters = {}
    for name, row in table.tables("parameters"):
        row.fill(shared.get(name, {}))
        parameters[name] = _param(name, row)
    return parameters


def _routes(table: Table) -> tuple[Route, ...]:
    return tuple(_route(name, row) for name, row in table.tables("routes"))


def _check(model: Model, table: Table) -> None:
    """Check values that depend on each other, and the ranges of numbers."""
    stem = table.path.stem
    if model.id != stem:
        raise table.wrong("id", f"must be the name of the file, {stem!r}, not {model.id!r}")
    if not model.sizes:
        raise table.wrong("sizes", "is empty")
    shapes = {(size.aspect_ratio, size.resolution) for size in model.sizes}
    if len(shapes) < len(model.sizes):
        raise table.wrong("sizes", "has two rows with the same aspect_ratio and resolution")
    if model.default_size not in {size.name for size in model.sizes}:
        raise table.wrong("default_size", f"{model.default_size!r} is not among the sizes")
    for name in model.native_formats:
        if name not in FORMATS:
            raise table.wrong("native_formats", f"{name!r} is not one of {', '.join(FORMATS)}")
    _check_links(model, table)


def _check_links(model: Model, table: Table) -> None:
    """Check that providers list every parameter, and that all ratios and routes exist."""
    ratios = {size.aspect_ratio for size in model.sizes}
    for dialect in model.dialects.values():
        if missing := model.parameters.keys() - dialect.fields.keys():
            reason = f"lacks {', '.join(sorted(missing))}"
            raise table.wrong(f"providers.{dialect.provider}.parameters", reason)
        for ratio in dialect.aspect_ratios:
            if ratio not in ratios:
                key = f"providers.{dialect.provider}.aspect_ratios"
                raise table.wrong(key, f"{ratio!r} is not a ratio of the model")
    routes = {route.name for route in model.routes}
    for param in model.parameters.values():
        for upstream in param.upstreams:
            if upstream not in routes:
                key = f"parameters.{param.name}.upstreams"
                raise table.wrong(key, f"{upstream!r} is not a route")


def _param(name: str, row: Table) -> Param:
    kind, behavior = row.take("type", str), row.take("behavior", str)
    for key, value, known in (("type", kind, KINDS), ("behavior", behavior, BEHAVIORS)):
        if value not in known:
            raise row.wrong(key, f"must be one of {', '.join(known)}, not {value!r}")
    choices = row.take_texts("choices")
    if name == "output_format" and not choices:
        choices = tuple(FORMATS)  # flux converts to every format itself
    param = Param(
        name=name,
        kind=kind,
        behavior=behavior,
        help=row.take("help", str),
        default=row.take_json("default"),
        minimum=row.take_or("minimum", float, None),
        maximum=row.take_or("maximum", float, None),
        choices=choices,
        upstreams=row.take_texts("upstreams"),
        needs=row.take_or("needs", str, "") or "",
    )
    row.end()
    return param


def _route(name: str, row: Table) -> Route:
    route = Route(
        name=name,
        model=row.take("model", str),
        upstream=row.take("upstream", str),
        aspect_ratios=row.take_texts("aspect_ratios"),
        price=read_price(row),
    )
    row.end()
    return route
