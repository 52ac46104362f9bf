"""`flux models`: list the models of the catalog, or show one in full.

`gateway` has what a gateway says about a model.
"""

from __future__ import annotations

from flux_cli.catalog.find import find_model, list_models
from flux_cli.config import folders
from flux_cli.config.load import load_settings
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import SCHEMA
from flux_cli.core.values import show_amount
from flux_cli.providers.rows import ROWS
from flux_cli.request.lookup import unknown_model
from flux_cli.terminal.streams import document_text, listing, say
from flux_cli.terminal.table import cell_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.catalog.gateway.saved import Saved
    from flux_cli.config.load import Settings
    from flux_cli.core.model import Json, Model, Param, Price, References

LIST_HEADING = ("Model", "also", "USD", "sizes", "about")
PARAMETER_HEADING = ("Parameter", "accepts", "default", "behavior", "about")


def run(
    *,
    name: str | None,
    refresh: bool,
    provider: str | None,
    base_url: str | None,
    no_key: bool,
    as_json: bool,
) -> None:
    """Print one model in full, or all models, one per line.

    With `refresh`, ask the gateway about the model, and print what it says. Raises UsageError if
    the model is unknown, and the FluxError of a request that fails.
    """
    flags: dict[str, Json] = {"model": name, "provider": provider, "base_url": base_url}
    if name is not None:
        say(_one(load_settings(flags, ROWS), refresh=refresh, no_key=no_key, as_json=as_json))
        return
    if refresh or provider or base_url or no_key:
        message = "--refresh, --provider, --base-url and --no-key need the name of a model"
        raise UsageError(message, hint="flux models NAME --refresh")
    models = list_models(folders.model_folders())
    if as_json:
        say(_list_document(models))
        return
    say(listing([LIST_HEADING, *map(_row, models)], right=(2, 3)))


def _one(settings: Settings, *, refresh: bool, no_key: bool, as_json: bool) -> str:
    """One model: the catalog's entry, or else what the gateway said about it."""
    if no_key and not refresh:
        raise UsageError("--no-key needs --refresh", hint="drop --no-key: nothing is sent")
    model = find_model(settings.model, folders.model_folders())
    if model and not refresh:
        return _list_document((model,)) if as_json else _full(model)
    saved = _from_gateway(settings, model, no_key=no_key) if refresh else _saved(settings)
    from flux_cli.commands.gateway.show import schema_document, schema_text

    if as_json:
        models = (model,) if model else ()
        return _list_document(models, {"gateway_schema": schema_document(saved, model)})
    return schema_text(saved, model)


def _from_gateway(settings: Settings, model: Model | None, *, no_key: bool) -> Saved:
    from flux_cli.commands.gateway.refresh import refresh

    return refresh(settings, model.id if model else settings.model, no_key=no_key)


def _saved(settings: Settings) -> Saved:
    """What the gateway said about a model that the catalog lacks.

    Raises UsageError if nothing is saved, or if it is too old.
    """
    name = settings.model
    path = folders.saved_schema(settings.base_url, name)
    saved = None
    if path:
        from flux_cli.catalog.gateway.saved import read_saved

        saved = read_saved(path, settings.base_url, name)
    if saved and saved.is_usable:
        return saved
    from shlex import quote  # only failures come here

    command = f"flux models {quote(name)} --refresh"
    if saved is None:
        raise unknown_model(name, f"ask the gateway: {command}")
    message = f"what the gateway said about model {name!r} on {saved.day} is too old"
    raise UsageError(message, hint=f"ask it again: {command}")


def _list_document(models: Iterable[Model], more: dict[str, Json] | None = None) -> str:
    documents: list[Json] = [_document(model) for model in models]
    return document_text({"schema": SCHEMA, "models": documents, **(more or {})})


def _row(model: Model) -> tuple[str, ...]:
    aliases = ", ".join(model.aliases)
    about = f"{model.summary} (legacy)" if model.legacy else model.summary
    return (model.id, aliases, _price(model), str(len(model.sizes)), about)


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
    "gateway": "boolean",
    "seed": "boolean",
    "images": {"...": "integer"},
    "legacy": "text?",
    "retires": "text?",
    "providers": {"...": {"path": "text", "price_usd": "number?"}},
    "sizes": ["text"],
    "aspect_ratios": ["text"],
    "resolutions": ["text"],
    "parameters": {"...": "#parameter"},
    "routes": {"...": {"model": "text", "upstream": "text"}},
}
MODEL_LIST: dict[str, object] = {
    "schema": (SCHEMA,),
    "models": ["#model"],
    "gateway_schema?": "#gateway_schema",
}


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
    providers: dict[str, Json] = {}
    for name, row in model.dialects.items():
        providers[name] = {"path": row.path, "price_usd": row.price.usd(model.default)}
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "name": model.name,
        "vendor": model.vendor,
        "summary": model.summary,
        "page": model.page,
        "price_usd": model.price.usd(model.default),
        "gateway": model.on_gateway,
        "seed": _has_seed(model),
        "images": {**_most_images(model)},
        "legacy": model.legacy or None,
        "retires": model.retires or None,
        "providers": providers,
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
    facts = [f"{name:<10} {text}" for name, text in _facts(model)]
    title = f"{model.name} by {model.vendor}: {model.summary}"
    return "\n".join((title, *facts, "", listing([PARAMETER_HEADING, *rows])))


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
    """The price of an image of the default size: at the gateway, else where it is lowest."""
    usd = model.price.usd(model.default)
    if usd is not None:
        return show_amount(usd)
    prices = {name: row.price.usd(model.default) for name, row in model.dialects.items()}
    known = [(price, name) for name, price in prices.items() if price is not None]
    if not known:
        return "unknown"
    lowest, name = min(known)
    return f"{show_amount(lowest)} at {name}"


def _price_text(price: Price) -> str:
    """A price in words; "unknown" without one."""
    if price.per_image is not None:
        return f"{show_amount(price.per_image)} USD per image"
    if price.first_mp is not None:
        first, further = show_amount(price.first_mp), show_amount(price.further_mp)
        text = f"{first} USD for the first megapixel, {further} USD for each further one"
        if price.input_mp is None:
            return text
        return f"{text}, {show_amount(price.input_mp)} USD for each of input images"
    tiers = [f"{show_amount(usd)} USD at {tier}" for tier, usd in price.tiers.items()]
    return ", ".join(tiers) or "price unknown"


def _most_images(model: Model) -> dict[str, int]:
    """The most images as input, by provider; 0 where none are taken."""
    taken = {name: row.references for name, row in model.dialects.items()}
    if model.on_gateway:
        taken = {"gateway": model.references, **taken}
    return {name: _most(one) for name, one in taken.items()}


def _most(references: References | None) -> int:
    return references.most if references else 0


def _images_text(model: Model) -> str:
    most = {name: count for name, count in _most_images(model).items() if count}
    if not most:
        return "none as input"
    listed = ", ".join(f"{count} at {name}" for name, count in most.items())
    return f"as input, at most {listed}"


def _has_seed(model: Model) -> bool:
    seed = model.parameters.get("seed")
    return seed is not None and seed.behavior != "unsupported"


def _facts(model: Model) -> list[tuple[str, str]]:
    """What is said of a model before its parameters."""
    ratios = dict.fromkeys(size.aspect_ratio for size in model.sizes)
    tiers = dict.fromkeys(size.resolution for size in model.sizes)
    routes = ", ".join(f"{route.name} ({route.upstream})" for route in model.routes)
    at_gateway = _price_text(model.price) if model.on_gateway else "does not have it"
    seed = "an image can be made again" if _has_seed(model) else "none: no image can be made again"
    facts = [
        ("id", ", ".join((model.id, *model.aliases))),
        ("gateway", at_gateway),
        *((name, _price_text(row.price)) for name, row in model.dialects.items()),
        ("ratios", " ".join(ratios)),
        ("scales", " ".join(tiers)),
        ("images", _images_text(model)),
        ("seed", seed),
        ("routes", routes or "-"),
        ("page", model.page or "-"),
        ("legacy", model.legacy),
        ("retires", model.retires),
    ]
    return [(name, text) for name, text in facts if text]
