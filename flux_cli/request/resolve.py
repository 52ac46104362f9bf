"""Resolves a request against a model: checks and completes every parameter, with a note on each decision."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Param, split_route
from flux_cli.core.request import Attachment, Note, Resolved
from flux_cli.core.values import check_utf8, check_value, shorten, unchecked_value
from flux_cli.images.formats import format_named, format_of_suffix
from flux_cli.request.dialect import explain_field
from flux_cli.request.size import NAMES as SHAPE
from flux_cli.request.size import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Dialect, Json, Model, Size
    from flux_cli.core.request import Request, Value

MAX_IMAGES = 10_000  # a typing error must not plan a million paid requests
# flux itself uses these, so they are checked for every model, in the catalog or not.
ALWAYS_CHECKED = {
    "n": Param("n", "integer", "emulated", "number of images", minimum=1, maximum=MAX_IMAGES),
    "output_compression": Param(
        "output_compression", "integer", "emulated", "quality", minimum=0, maximum=100
    ),
}


class _Model(NamedTuple):
    """The model name to send, the forced upstream (None: not forced), and notes on both."""

    name: str
    route: str | None = None
    notes: tuple[Note, ...] = ()


def resolve(request: Request, model: Model | None, dialect: Dialect | None = None) -> Resolved:
    """Resolve every parameter of a request against a model of the catalog (None: the catalog does not have it).

    `dialect` says how the provider takes the parameters; None stands for the gateway, which takes them all.
    Raises UsageError for any value that the model or the provider does not accept.
    """
    target = _resolve_model(request, model, dialect)
    check_utf8("the model's name", target.name)
    prompt, prompt_notes = _resolve_prompt(request, model)
    given = _well_formed(request.parameters)
    _refuse_unsupported(given, dialect)
    n = given.pop("n", None)
    quality = given.pop("output_compression", None)
    file_format, format_notes = _resolve_format(given.pop("output_format", None), request.output)
    chosen = (
        choose({name: given.pop(name, None) for name in SHAPE}, model, dialect) if model else None
    )
    size = chosen.size if chosen else None
    parameters, notes = _resolve_parameters(given, model, target.route, dialect)
    if size:
        parameters = {"size": size.name, **parameters}
    return Resolved(
        request=request,
        sent_model=target.name,
        prompt=prompt,
        seed=parameters.pop("seed", None),
        parameters=parameters,
        notes=(
            *target.notes,
            *prompt_notes,
            *(chosen.notes if chosen else ()),
            *_route_notes(size, model, target.route),
            *notes,
            *format_notes,
        ),
        model=model,
        dialect=dialect,
        route=target.route,
        size=size,
        aspect_ratio=chosen.aspect_ratio if chosen else None,
        n=1 if n is None else _whole_number("n", n),
        format=file_format,
        quality=None if quality is None else _whole_number("output_compression", quality),
    )


def _well_formed(parameters: dict[str, Value]) -> dict[str, Value]:
    """The parameters as they are. Raises UsageError for names and values that are not valid text."""
    for name, value in parameters.items():
        check_utf8("a parameter's name", name)
        if isinstance(value, str):
            check_utf8(name, value)
    return dict(parameters)


def _refuse_unsupported(given: dict[str, Value], dialect: Dialect | None) -> None:
    """Raise UsageError for a parameter that the provider does not support, instead of dropping it silently."""
    for name in given:
        field = dialect.fields.get(name) if dialect else None
        if dialect and field and field.behavior == "unsupported":
            option = f"--{name.replace('_', '-')}"
            message = f"{dialect.provider} does not support {name}: {field.reason}"
            raise UsageError(message, hint=f"drop {option}, or use another provider")


def _whole_number(name: str, value: Value) -> int:
    number = check_value(ALWAYS_CHECKED[name], value)
    return number if isinstance(number, int) else 0


def _resolve_model(request: Request, model: Model | None, dialect: Dialect | None) -> _Model:
    bare, prefix = split_route(request.model) if model else (request.model, None)
    if request.route and prefix and request.route != prefix:
        message = f"model {request.model!r} already names a route, and --route is {request.route!r}"
        raise UsageError(message, hint="use only one of them")
    route = request.route or prefix
    if dialect and dialect.path and route:
        message = (
            f"route {route!r} is for the gateway, but requests go to {dialect.provider} directly"
        )
        raise UsageError(message, hint="drop the route, or the provider")
    if model is None:
        return _unknown_model(request.model, bare, route)
    if dialect and dialect.path:
        reason = f"its name at {dialect.provider}"
        return _Model(
            dialect.path, None, (Note("model", request.model, dialect.path, "renamed", reason),)
        )
    if route is not None:
        return _routed_model(request.model, model, route)
    if bare == model.id:
        return _Model(model.id)
    return _Model(model.id, None, (Note("model", bare, model.id, "renamed", "an alias"),))


def _unknown_model(asked: str, bare: str, route: str | None) -> _Model:
    name = f"{route}/{bare}" if route and not bare.startswith(f"{route}/") else bare
    reason = "not in the catalog: parameters are sent unchecked, and sizes as given"
    return _Model(name, route, (Note("model", asked, name, "passthrough", reason, warning=True),))


def _routed_model(asked: str, model: Model, route: str) -> _Model:
    """The name that forces one upstream. Raises UsageError for a route that the model does not have."""
    routes = {row.name: row for row in model.routes}
    if route not in routes:
        hint = did_you_mean(route, routes) or f"routes: {', '.join(routes) or 'none'}"
        raise UsageError(f"{model.id} has no route {route!r}", hint=hint)
    found = routes[route]
    reason = f"forces the upstream {found.upstream}; no failover to another"
    return _Model(found.model, route, (Note("model", asked, found.model, "renamed", reason),))


def _resolve_prompt(request: Request, model: Model | None) -> tuple[str, list[Note]]:
    prompt = check_utf8("the prompt", request.prompt or "")
    if request.prompt is not None and not prompt.strip():
        hint = 'describe the image: flux generate "a red fox in the snow"'
        raise UsageError("the prompt is empty", hint=hint)
    limit = model.prompt_limit if model else None
    if limit is not None and len(prompt) > limit:
        reason = f"longer than {limit:,} characters: the gateway may refuse it"
        length = f"{len(prompt):,} characters"
        return prompt, [Note("prompt", length, length, "passthrough", reason, warning=True)]
    return prompt, []


def _resolve_format(given: Value, output: str | None) -> tuple[str | None, list[Note]]:
    """The format of the files, from `output_format` or else from the suffix of `-o`."""
    if given is not None:
        return format_named(str(given)), []
    by_suffix = format_of_suffix(output) if output else None
    if by_suffix is None:
        return None, []
    return by_suffix, [
        Note("output_format", None, by_suffix, "default", f"selected by the suffix of {output}")
    ]


def _route_notes(size: Size | None, model: Model | None, route: str | None) -> list[Note]:
    """A forced upstream may list fewer ratios than the model; the gateway then uses its closest one."""
    if size is None or model is None or route is None:
        return []
    ratios = next(row.aspect_ratios for row in model.routes if row.name == route)
    if not ratios or size.aspect_ratio in ratios:
        return []
    reason = f"{route} does not list {size.aspect_ratio}: the gateway may send its closest ratio"
    return [Note("route", route, route, "passthrough", reason, warning=True)]


def _resolve_parameters(
    given: dict[str, Value], model: Model | None, route: str | None, dialect: Dialect | None
) -> tuple[dict[str, Json], list[Note]]:
    """The other parameters in catalog order: checked if the model has them, else passed through as typed."""
    known = model.parameters if model else {}
    order = list(known)
    names = sorted(given, key=lambda name: order.index(name) if name in known else len(order))
    values: dict[str, Json] = {}
    notes = []
    for name in names:
        asked = given[name]
        param = known.get(name)
        field = dialect.fields.get(name) if dialect else None
        if param and field and field.choices:
            param = param._replace(choices=field.choices)
        values[name] = check_value(param, asked) if param else unchecked_value(asked)
        shown = shorten(asked.asked if isinstance(asked, Attachment) else asked)
        if dialect and field:
            note = explain_field(dialect, name, shown, field, values[name])
            if _lacks_needed(param, given):
                note = note._replace(
                    reason=f"has no effect without {param.needs if param else ''}", warning=True
                )
        else:
            reason, warning = _gateway_reason(name, param, known, given, route)
            behavior = param.behavior if param else "passthrough"
            note = Note(name, shown, shorten(values[name]), behavior, reason, warning)
        notes.append(note)
    return values, notes


def _lacks_needed(param: Param | None, given: dict[str, Value]) -> bool:
    """Whether a parameter depends on another one that was not given."""
    return bool(param and param.needs and param.needs not in given)


def _gateway_reason(
    name: str,
    param: Param | None,
    known: dict[str, Param],
    given: dict[str, Value],
    route: str | None,
) -> tuple[str, bool]:
    """Why a parameter is sent as it is, and whether that is a warning."""
    if param is None:
        near = did_you_mean(name, known)
        hint = f"; {near}" if near else ""
        return f"not in the catalog: sent unchecked{hint}", bool(near)
    if _lacks_needed(param, given):
        return f"has no effect without {param.needs}", True
    if not param.upstreams or route in param.upstreams:
        return "sent as given", False
    only = f"only {' and '.join(param.upstreams)} honors it"
    if route is None:
        return f"{only}: --route {param.upstreams[0]} forces that route", True
    return f"{only}, and the route is {route}", True
