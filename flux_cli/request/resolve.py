"""Request x Model -> Resolved: what was said becomes what is meant, and every decision leaves a note."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.model import Param, split_route
from flux_cli.core.request import Attachment, Note, Resolved
from flux_cli.core.values import check_utf8, check_value, shorten, unchecked_value
from flux_cli.images.formats import format_named, format_of_suffix
from flux_cli.request.dialect import dialect_note
from flux_cli.request.size import NAMES as SHAPE
from flux_cli.request.size import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Dialect, Json, Model, Size
    from flux_cli.core.request import Request, Value

MAX_IMAGES = 10_000  # a typing error must not plan a million paid calls
ALWAYS_CHECKED = {  # flux itself acts on these, so they are checked for every model, known or not
    "n": Param("n", "integer", "emulated", "number of images", minimum=1, maximum=MAX_IMAGES),
    "output_compression": Param("output_compression", "integer", "emulated", "quality", minimum=0, maximum=100),
}


def resolve(request: Request, model: Model | None, dialect: Dialect | None = None) -> Resolved:
    """Resolve every parameter of a request against a model of the catalog (None: no catalog knows it).

    `dialect` says what the provider makes of the parameters; None stands for the gateway, which takes them all.
    Raises UsageError for any value the model or the provider does not accept; nothing has been sent by then.
    """
    sent_model, route, model_notes = _model(request, model, dialect)
    check_utf8("the model's name", sent_model)
    prompt, prompt_notes = _prompt(request, model)
    said = {
        check_utf8("a parameter's name", name): check_utf8(name, value) if isinstance(value, str) else value
        for name, value in request.parameters.items()
    }
    _refuse_unsupported(said, dialect)
    n = said.pop("n", None)
    quality = said.pop("output_compression", None)
    file_format, format_notes = _format(said.pop("output_format", None), request.output)
    chosen = choose({name: said.pop(name, None) for name in SHAPE}, model, dialect) if model else None
    size = chosen.size if chosen else None
    parameters, notes = _parameters(said, model, route, dialect)
    if size:
        parameters = {"size": size.name, **parameters}
    return Resolved(
        request=request,
        sent_model=sent_model,
        prompt=prompt,
        seed=parameters.pop("seed", None),
        parameters=parameters,
        notes=(
            *model_notes,
            *prompt_notes,
            *(chosen.notes if chosen else ()),
            *_route_notes(size, model, route),
            *notes,
            *format_notes,
        ),
        model=model,
        dialect=dialect,
        route=route,
        size=size,
        aspect_ratio=chosen.aspect_ratio if chosen else None,
        n=1 if n is None else _whole("n", n),
        format=file_format,
        quality=None if quality is None else _whole("output_compression", quality),
    )


def _refuse_unsupported(said: dict[str, Value], dialect: Dialect | None) -> None:
    """What a provider cannot do is refused while it is free, never dropped in silence."""
    for name in said:
        field = dialect.fields.get(name) if dialect else None
        if dialect and field and field.behavior == "unsupported":
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{dialect.provider} has no {name}: {field.reason}", hint=f"drop {option}, or ask another provider"
            )


def _whole(name: str, value: Value) -> int:
    number = check_value(ALWAYS_CHECKED[name], value)
    return number if isinstance(number, int) else 0


def _model(request: Request, model: Model | None, dialect: Dialect | None) -> tuple[str, str | None, list[Note]]:
    """The name to send, the forced route, and what there is to say about both."""
    bare, prefix = split_route(request.model) if model else (request.model, None)
    if request.route and prefix and request.route != prefix:
        message = f"model {request.model!r} already names a route, and --route says {request.route!r}"
        raise UsageError(message, hint="give one of the two")
    route = request.route or prefix
    if dialect and dialect.path and route:
        message = f"route {route!r} is for the gateway, and {dialect.provider} is asked directly"
        raise UsageError(message, hint="drop the route, or the provider")
    if model is None:
        name = f"{route}/{bare}" if route and not bare.startswith(f"{route}/") else bare
        reason = "no catalog knows this model: parameters pass unchecked and sizes unmatched"
        return name, route, [Note("model", request.model, name, "passthrough", reason, warning=True)]
    if dialect and dialect.path:
        reason = f"its name at {dialect.provider}"
        return dialect.path, None, [Note("model", request.model, dialect.path, "renamed", reason)]
    if route is None:
        if bare == model.id:
            return model.id, None, []
        return model.id, None, [Note("model", bare, model.id, "renamed", "an alias")]
    routes = {row.name: row for row in model.routes}
    if route not in routes:
        message = f"route {route!r} does not lead to {model.id}"
        raise UsageError(message, hint=did_you_mean(route, routes) or f"routes: {', '.join(routes) or 'none'}")
    reason = f"forces the upstream {routes[route].upstream}; no fail-over to another"
    return routes[route].model, route, [Note("model", request.model, routes[route].model, "renamed", reason)]


def _prompt(request: Request, model: Model | None) -> tuple[str, list[Note]]:
    prompt = check_utf8("the prompt", request.prompt or "")
    if request.prompt is not None and not prompt.strip():
        message = "the prompt is empty"
        raise UsageError(message, hint='say what to draw: flux generate "a red fox in the snow"')
    limit = model.prompt_limit if model else None
    if limit is not None and len(prompt) > limit:
        reason = f"longer than {limit:,} characters: the gateway may refuse it"
        size = f"{len(prompt):,} characters"
        return prompt, [Note("prompt", size, size, "passthrough", reason, warning=True)]
    return prompt, []


def _format(said: Value, output: str | None) -> tuple[str | None, list[Note]]:
    """The format of the files, from `output_format` and the suffix of `-o`, which must not contradict."""
    by_suffix = format_of_suffix(output) if output else None
    if said is None:
        if by_suffix is None:
            return None, []
        return by_suffix, [Note("output_format", None, by_suffix, "default", f"chosen by the suffix of {output}")]
    named = format_named(str(said))
    if by_suffix and by_suffix != named:
        message = f"output_format {said} and the file name {output} contradict each other"
        raise UsageError(message, hint=f"drop --output-format, or name a .{named} file")
    return named, []


def _route_notes(size: Size | None, model: Model | None, route: str | None) -> list[Note]:
    """A forced upstream may list fewer shapes than the model; the gateway then takes its nearest."""
    if size is None or model is None or route is None:
        return []
    shapes = next(row.aspect_ratios for row in model.routes if row.name == route)
    if not shapes or size.aspect_ratio in shapes:
        return []
    reason = f"{route} does not list {size.aspect_ratio}: the gateway may send its nearest shape"
    return [Note("route", route, route, "passthrough", reason, warning=True)]


def _parameters(
    said: dict[str, Value], model: Model | None, route: str | None, dialect: Dialect | None
) -> tuple[dict[str, Json], list[Note]]:
    """Every remaining parameter: checked where the model knows it, passed on as typed where it does not."""
    known = model.parameters if model else {}
    order = {name: place for place, name in enumerate(known)}
    values: dict[str, Json] = {}
    notes = []
    for name in sorted(said, key=lambda name: order.get(name, len(order))):
        asked = said[name]
        param, field = known.get(name), dialect.fields.get(name) if dialect else None
        if param and field and field.choices:
            param = param._replace(choices=field.choices)
        values[name] = check_value(param, asked) if param else unchecked_value(asked)
        shown = shorten(asked.asked if isinstance(asked, Attachment) else asked)
        if dialect and field:
            note = dialect_note(dialect, name, shown, field, values[name])
            if param and param.needs and param.needs not in said:
                note = note._replace(reason=f"has no effect without {param.needs}", warning=True)
            notes.append(note)
        else:
            reason, warning = _remark(name, param, known, said, route)
            behavior = param.behavior if param else "passthrough"
            notes.append(Note(name, shown, shorten(values[name]), behavior, reason, warning))
    return values, notes


def _remark(
    name: str, param: Param | None, known: dict[str, Param], said: dict[str, Value], route: str | None
) -> tuple[str, bool]:
    """Why a parameter is sent the way it is, and whether the person should be told unasked."""
    if param is None:
        near = did_you_mean(name, known)
        return f"not in the catalog: passes straight through{'; ' + near if near else ''}", bool(near)
    if param.needs and param.needs not in said:
        return f"has no effect without {param.needs}", True
    if param.upstreams and route is None:
        only = " and ".join(param.upstreams)
        return f"only {only} honors it: --route {param.upstreams[0]} forces that route", True
    if param.upstreams and route not in param.upstreams:
        return f"only {' and '.join(param.upstreams)} honors it, and the route is {route}", True
    return "sent as given", False
