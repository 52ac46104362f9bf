"""`flux models`: list the models of the catalog, or show one in full."""

from __future__ import annotations

from flux_cli.catalog.find import list_models
from flux_cli.config import folders
from flux_cli.core.lite import SCHEMA
from flux_cli.core.table import cell_text
from flux_cli.core.values import show_amount
from flux_cli.request.lookup import lookup
from flux_cli.terminal.streams import document_text, listing, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json, Model, Param

LIST_HEADING = ("Model", "also", "USD", "sizes", "about")
PARAMETER_HEADING = ("Parameter", "accepts", "default", "behavior", "about")


def run(*, name: str | None, as_json: bool) -> None:
    """Print one model in full, or all models, one per line. Raises UsageError if it is unknown."""
    say(_answer(name, as_json=as_json))


def _answer(name: str | None, *, as_json: bool) -> str:
    models = list_models(folders.model_folders()) if name is None else (lookup(name),)
    if as_json:
        documents: list[Json] = [_document(model) for model in models]
        return document_text({"schema": SCHEMA, "models": documents})
    if name is not None:
        return _full(models[0])
    return listing([LIST_HEADING, *map(_row, models)], right=(2, 3))


def _row(model: Model) -> tuple[str, ...]:
    aliases = ", ".join(model.aliases)
    return (model.id, aliases, _price(model), str(len(model.sizes)), model.summary)


PARAMETER: dict[str, object] = {
    "type": "text",
    "behavior": "text",
    "help": "text",
    "default": "any",
    "minimum": "number?",
    "maximum": "number?",
    "choices": ["text"],
    "upstreams": ["text"],
}
MODEL: dict[str, object] = {
    "id": "text",
    "aliases": ["text"],
    "name": "text",
    "vendor": "text",
    "summary": "text",
    "page": "text",
    "price_usd": "number?",
    "sizes": ["text"],
    "aspect_ratios": ["text"],
    "resolutions": ["text"],
    "parameters": {"...": "#parameter"},
    "routes": {"...": {"model": "text", "upstream": "text"}},
}
MODEL_LIST: dict[str, object] = {"schema": (SCHEMA,), "models": ["#model"]}


def _document(model: Model) -> dict[str, Json]:
    ratios = dict.fromkeys(size.aspect_ratio for size in model.sizes)
    tiers = dict.fromkeys(size.resolution for size in model.sizes)
    sizes: list[Json] = [size.name for size in model.sizes]
    parameters: dict[str, Json] = {}
    for param in model.parameters.values():
        parameters[param.name] = _parameter(param)
    routes: dict[str, Json] = {}
    for route in model.routes:
        routes[route.name] = {"model": route.model, "upstream": route.upstream}
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "name": model.name,
        "vendor": model.vendor,
        "summary": model.summary,
        "page": model.page,
        "price_usd": model.price.usd(model.default),
        "sizes": sizes,
        "aspect_ratios": list(ratios),
        "resolutions": list(tiers),
        "parameters": parameters,
        "routes": routes,
    }


def _parameter(param: Param) -> dict[str, Json]:
    return {
        "type": param.kind,
        "behavior": param.behavior,
        "help": param.help,
        "default": param.default,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "choices": list(param.choices),
        "upstreams": list(param.upstreams),
    }


def _full(model: Model) -> str:
    rows = [
        (param.name, _accepts(param), cell_text(param.default), param.behavior, _about(param))
        for param in model.parameters.values()
    ]
    ratios = dict.fromkeys(size.aspect_ratio for size in model.sizes)
    routes = ", ".join(f"{route.name} ({route.upstream})" for route in model.routes)
    return "\n".join((
        f"{model.name} by {model.vendor}: {model.summary}",
        f"id       {', '.join((model.id, *model.aliases))}",
        f"price    {_price(model)} USD per image",
        f"ratios   {' '.join(ratios)}",
        f"routes   {routes or '-'}",
        f"page     {model.page or '-'}",
        "",
        listing([PARAMETER_HEADING, *rows]),
    ))  # fmt: skip


def _accepts(param: Param) -> str:
    if param.choices:
        return " ".join(param.choices)
    if param.minimum is None and param.maximum is None:
        return param.kind
    low = "" if param.minimum is None else f"{param.minimum:g}"
    high = "" if param.maximum is None else f"{param.maximum:g}"
    return f"{param.kind} {low}..{high}"


def _about(param: Param) -> str:
    return f"{param.help} ({', '.join(param.upstreams)} only)" if param.upstreams else param.help


def _price(model: Model) -> str:
    usd = model.price.usd(model.default)
    return "unknown" if usd is None else show_amount(usd)
