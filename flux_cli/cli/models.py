"""`flux models`: what the catalogue knows, and everything about one model."""

from typing import Annotated

import typer

from flux_cli import catalogue, config, console
from flux_cli.cli.options import AsJson
from flux_cli.cli.settings import lookup
from flux_cli.core.model import Json, Model, Param


def models(
    name: Annotated[str | None, typer.Argument(metavar="[MODEL]", show_default=False, help="Show one in full")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models of the catalogue.

    Any other model of the gateway can be asked for too; its parameters then pass unchecked.
    """
    if name is not None:
        model = lookup(name)
        if as_json:
            console.out_json(_document(model))
        else:
            console.out(_full(model))
        return
    rows = catalogue.models(config.model_folders())
    if as_json:
        documents: list[Json] = [_document(model) for model in rows]
        console.out_json(documents)
        return
    heading = ("Model", "also", "USD", "sizes", "about")
    listed = [
        (model.id, ", ".join(model.aliases), _price(model), str(len(model.sizes)), model.summary) for model in rows
    ]
    console.out(console.table([heading, *listed], right=(2, 3)))


def _document(model: Model) -> dict[str, Json]:
    parameters: dict[str, Json] = {
        param.name: {
            "type": param.kind,
            "support": param.support,
            "help": param.help,
            "default": param.default,
            "minimum": param.minimum,
            "maximum": param.maximum,
            "choices": list(param.choices),
            "upstreams": list(param.upstreams),
        }
        for param in model.parameters.values()
    }
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "name": model.name,
        "vendor": model.vendor,
        "summary": model.summary,
        "page": model.page,
        "price_usd": model.price_usd,
        "sizes": [size.name for size in model.sizes],
        "aspect_ratios": list(dict.fromkeys(size.aspect_ratio for size in model.sizes)),
        "resolutions": list(dict.fromkeys(size.resolution for size in model.sizes)),
        "parameters": parameters,
        "routes": {route.name: {"model": route.model, "upstream": route.upstream} for route in model.routes},
    }


def _full(model: Model) -> str:
    heading = ("Parameter", "accepts", "default", "handling", "about")
    rows = [
        (param.name, _accepts(param), console.shown(param.default), param.support, _about(param))
        for param in model.parameters.values()
    ]
    ratios = dict.fromkeys(size.aspect_ratio for size in model.sizes)
    return "\n".join((
        f"{model.name} by {model.vendor}: {model.summary}",
        f"id       {', '.join((model.id, *model.aliases))}",
        f"price    {_price(model)} USD a picture",
        f"ratios   {' '.join(ratios)}",
        f"routes   {', '.join(f'{route.name} ({route.upstream})' for route in model.routes) or '-'}",
        f"page     {model.page or '-'}",
        "",
        console.table([heading, *rows]),
    ))  # fmt: skip


def _accepts(param: Param) -> str:
    if param.choices:
        return " ".join(param.choices)
    if param.minimum is None and param.maximum is None:
        return param.kind
    low, high = ("" if bound is None else f"{bound:g}" for bound in (param.minimum, param.maximum))
    return f"{param.kind} {low}..{high}"


def _about(param: Param) -> str:
    return f"{param.help} ({', '.join(param.upstreams)} only)" if param.upstreams else param.help


def _price(model: Model) -> str:
    return "unknown" if model.price_usd is None else f"{model.price_usd:.2f}"
