"""Resolves a request against a model: checks and completes parameters, and notes decisions."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.model import Param, split_route
from flux_cli.core.request import MAX_IMAGES, Attachment, Note, Resolved
from flux_cli.core.values import check_text, check_value, shorten, unchecked_value
from flux_cli.images.formats import foreign_format, format_named, format_of_suffix
from flux_cli.request.dialect import check_parameters, explain_field
from flux_cli.request.size import NAMES as SHAPE
from flux_cli.request.size import choose
from flux_cli.request.unknown_model import option_types, size_to_ratio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from flux_cli.core.model import Dialect, Field, Json, Model, Route, Size
    from flux_cli.core.request import Request, Value

    # The model name to send, the forced upstream (None: not forced), and notes on both.
    Target: TypeAlias = tuple[str, str | None, tuple[Note, ...]]
    # The size and ratio to send (None: those of an unknown model), and notes on both.
    Choice: TypeAlias = tuple[Size | None, str | None, tuple[Note, ...]]

# flux itself uses these, so they are checked for every model, in the catalog or not.
ALWAYS_CHECKED = {
    "n": Param("n", "integer", "emulated", "number of images", minimum=1, maximum=MAX_IMAGES),
    "output_compression": Param(
        "output_compression", "integer", "emulated", "quality", minimum=0, maximum=100
    ),
}


def resolve(request: Request, model: Model | None, dialect: Dialect | None = None) -> Resolved:
    """Resolve every parameter of a request against a model of the catalog.

    `model` is None if the catalog does not have it, and `dialect` if the provider is the gateway,
    which takes all parameters. Raises UsageError for any value that is not accepted.
    """
    prompt, prompt_notes = resolve_prompt(request, model)
    given = check_parameters(request, model, dialect)
    size, ratio, size_notes = _choose_size(request, given, model, dialect)
    name, route, model_notes = _resolve_model(request, model, dialect, size)
    ratio_notes = size_to_ratio(given, request.named) if model is None else ()
    n, seeds = _resolve_count(given)
    quality, typed_format = given.pop("output_compression", None), given.pop("output_format", None)
    file_format, format_notes = _resolve_format(typed_format, request.output, model)
    types = model.parameters if model else option_types(request)
    parameters, notes = _resolve_parameters(given, types, model, route, dialect)
    if parameters.pop("seed", None) is not None:
        from flux_cli.request.seeds import name_in_notes

        notes = name_in_notes(notes, _asked(request.parameters["seed"]), seeds)
    first_notes = (*request.notes, *model_notes, *prompt_notes)
    if size is not None and ratio is not None:
        parameters = {"size": size.name, **parameters}
    return Resolved(
        request=request,
        sent_model=name,
        prompt=prompt,
        seeds=seeds,
        parameters=parameters,
        notes=(*first_notes, *size_notes, *ratio_notes, *notes, *format_notes),
        model=model,
        dialect=dialect,
        route=route,
        size=size,
        aspect_ratio=ratio,
        n=n,
        format=file_format,
        quality=_whole_number("output_compression", quality),
    )


def _resolve_count(given: dict[str, Value]) -> tuple[int, tuple[int, ...]]:
    """The number of images and the seeds that the user named. `given` keeps the first seed."""
    n = _whole_number("n", given.pop("n", None))
    if "seed" not in given:
        return n or 1, ()
    from flux_cli.request.seeds import count_images, read_seeds

    seeds = read_seeds(given.pop("seed"))
    if seeds:
        given["seed"] = seeds[0]
    return count_images(n, seeds), seeds


def _whole_number(name: str, value: Value) -> int | None:
    """The checked number; None if it was not given."""
    if value is None:
        return None
    number = check_value(ALWAYS_CHECKED[name], value)
    return number if isinstance(number, int) else 0


def _choose_size(
    request: Request, given: dict[str, Value], model: Model | None, dialect: Dialect | None
) -> Choice:
    """Take size, ratio and scale from `given` and find the closest size of the model.

    The sizes of an unknown model are unknown: its parameters stay in `given`, to be sent as typed.
    """
    if model is None:
        return None, None, ()
    typed = {name: given.pop(name, None) for name in SHAPE}
    if request.references:
        from flux_cli.request.references.shape import choose_beside  # most requests have none

        return choose_beside(request, typed, model, dialect)
    size, ratio, notes = choose(typed, model, dialect)
    return size, ratio, tuple(notes)


def _resolve_model(
    request: Request, model: Model | None, dialect: Dialect | None, size: Size | None
) -> Target:
    """The model name to send and the upstream, with a note if the model is a legacy one."""
    name, route, notes = _choose_target(request, model, dialect, size)
    check_text("the model's name", name)
    if model and model.legacy:
        reason = f"a legacy model: {model.legacy}"
        notes = (Note("model", model.id, name, "passthrough", reason, warning=True), *notes)
    return name, route, notes


def _choose_target(
    request: Request, model: Model | None, dialect: Dialect | None, size: Size | None
) -> Target:
    """The model name to send, and the upstream that honors the size and all parameters.

    A route before the name has the same effect as `--route`.
    """
    bare, prefix = split_route(request.model) if model else (request.model, None)
    if request.route and prefix and request.route != prefix:
        message = f"model {request.model!r} already names a route, and --route is {request.route!r}"
        raise UsageError(message, hint="use only one of them")
    route = request.route or prefix
    own_name = dialect.path if dialect else ""
    if own_name and request.taken and request.taken.path:
        own_name = request.taken.path
    if dialect and own_name and route:
        target = f"requests go to {dialect.provider} directly"
        message = f"route {route!r} is for the gateway, but {target}"
        raise UsageError(message, hint="drop the route, or the provider")
    if model is None:
        return _unknown_model(request.model, route)
    if dialect and own_name:
        return _renamed_model(request.model, own_name, f"its name at {dialect.provider}")
    ratio = size.aspect_ratio if size else ""
    has_route = route is not None or _is_choosy(request, model, dialect, ratio)
    if has_route and (routed := _routed_model(request, model, route, ratio)):
        return routed
    if bare == model.id:
        return model.id, None, ()
    return _renamed_model(bare, model.id, "an alias")


def _renamed_model(asked: str, name: str, reason: str, route: str | None = None) -> Target:
    return name, route, (Note("model", asked, name, "renamed", reason),)


def _unknown_model(asked: str, route: str | None) -> Target:
    name = asked if not route or asked.startswith(f"{route}/") else f"{route}/{asked}"
    reason = "not in the catalog: parameters are sent unchecked, and sizes as given"
    return name, route, (Note("model", asked, name, "passthrough", reason, warning=True),)


def _is_choosy(request: Request, model: Model, dialect: Dialect | None, ratio: str) -> bool:
    """Whether only some upstreams of the gateway honor a parameter of the request."""
    if dialect is not None:  # another server: nobody knows its upstreams
        return False
    lists = [route.aspect_ratios for route in model.routes]
    if ratio and any(listed and ratio not in listed for listed in lists):
        return True
    known = model.parameters
    return any(name in known and known[name].upstreams for name in request.parameters)


def _routed_model(request: Request, model: Model, forced: str | None, ratio: str) -> Target | None:
    """The name that selects one upstream: the `forced` one, or one that honors all parameters.

    None if every upstream does. Raises UsageError for a route that the model lacks, and for a
    parameter that is ignored there.
    """
    from flux_cli.request import route as routes

    notes: tuple[Note, ...] = ()
    route: Route | None
    if forced is None:
        route, notes = routes.honoring_route(request, model, ratio)
    else:
        route = routes.forced_route(request, model, forced, ratio)
    if route is None:
        return None
    reason = f"forces the upstream {route.upstream}; no failover to another"
    name, chosen, renamed = _renamed_model(request.model, route.model, reason, route.name)
    return name, chosen, (*renamed, *notes, *routes.shape_notes(route, ratio))


def resolve_prompt(request: Request, model: Model | None) -> tuple[str, list[Note]]:
    """The checked prompt, and a note if it is longer than the model's limit. Raises UsageError."""
    prompt = check_text("the prompt", request.prompt or "")
    if request.prompt is not None and not prompt.strip() and not request.is_served:
        hint = 'describe the image: flux generate "a lighthouse by the sea"'
        raise UsageError("the prompt is empty", hint=hint)
    limit = model.prompt_limit if model else None
    if limit is not None and len(prompt) > limit:
        reason = f"longer than {limit:,} characters: the gateway may refuse it"
        length = f"{len(prompt):,} characters"
        return prompt, [Note("prompt", length, length, "passthrough", reason, warning=True)]
    return prompt, []


def _resolve_format(
    given: Value, output: str | None, model: Model | None
) -> tuple[str | None, list[Note]]:
    """The format of the files, from `output_format` or else from the suffix of `-o`.

    None if the images stay as received. Raises UsageError for a format that nobody makes: neither
    flux nor the model, if its formats are known.
    """
    if given is not None:
        return format_named(str(given)), []
    foreign = foreign_format(output) if output else None
    if foreign and not (model and model.native_formats):
        reason = f"selected by the suffix of {output}; flux saves such images as received"
        return None, [Note("output_format", None, foreign, "default", reason)]
    by_suffix = format_of_suffix(output) if output else None
    if by_suffix is None:
        return None, []
    reason = f"selected by the suffix of {output}"
    return by_suffix, [Note("output_format", None, by_suffix, "default", reason)]


def _resolve_parameters(
    given: dict[str, Value],
    types: dict[str, Param],
    model: Model | None,
    route: str | None,
    dialect: Dialect | None,
) -> tuple[dict[str, Json], list[Note]]:
    """The other parameters: checked, in catalog order, then those that are not in the catalog.

    `types` are the model's parameters, or what options are where the model is unknown.
    """
    known = model.parameters if model else {}
    listed = [name for name in known if name in given]
    others = [name for name in given if name not in known]
    values: dict[str, Json] = {}
    notes = []
    for name in (*listed, *others):
        param = known.get(name)
        field = dialect.fields.get(name) if dialect else None
        values[name] = value = _check(types.get(name), given[name], field)
        missing = "" if param is None or param.needs in given else param.needs
        asked = _asked(given[name])
        if dialect and field:
            note = explain_field(dialect, name, asked, field, value)
            if missing:
                note = note._replace(reason=f"has no effect without {missing}", warning=True)
        else:
            behavior = param.behavior if param else "passthrough"
            reason, warning = _gateway_reason(name, known, missing, route)
            note = Note(name, asked, shorten(value), behavior, reason, warning)
        notes.append(note)
    return values, notes


def _check(param: Param | None, typed: Value, field: Field | None) -> Json:
    """The value to send. Raises UsageError for one that is not accepted."""
    if param is None:
        return unchecked_value(typed)
    if field and field.choices:
        param = param._replace(choices=field.choices)
    return check_value(param, typed)


def _asked(typed: Value) -> Json:
    """A value as typed, shortened for display."""
    return shorten(typed.asked if isinstance(typed, Attachment) else typed)


def _gateway_reason(
    name: str, known: dict[str, Param], missing: str, route: str | None
) -> tuple[str, bool]:
    """Why a parameter is sent as it is, and whether that is a warning.

    `missing` is another parameter without which this one has no effect.
    """
    if name not in known:
        hint = f"; {near}" if (near := did_you_mean(name, known)) else ""
        return f"not in the catalog: sent unchecked{hint}", bool(near)
    if missing:
        return f"has no effect without {missing}", True
    upstreams = known[name].upstreams
    if route is None or not upstreams or route in upstreams:
        return "sent as given", False
    return f"only {' and '.join(upstreams)} honors it, and the route is {route}", True
