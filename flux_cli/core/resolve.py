"""Request x Model -> Resolved: what was said becomes what is meant, and every decision leaves a note."""

import math
from typing import NamedTuple

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.formats import format_named, format_of_suffix
from flux_cli.core.model import Json, Model, Param, Size, split_route
from flux_cli.core.ratio import nearest_size, parse_ratio, parse_shape, parse_tier
from flux_cli.core.request import Attachment, Note, Request, Resolved, Value
from flux_cli.core.values import check, loose, shorten, well_formed

SHAPE = ("size", "aspect_ratio", "resolution")
MAX_PICTURES = 10_000  # a typing error must not plan a million paid calls
ALWAYS_CHECKED = {  # flux itself acts on these, so they are checked for every model, known or not
    "n": Param("n", "integer", "emulated", "number of pictures", minimum=1, maximum=MAX_PICTURES),
    "output_compression": Param("output_compression", "integer", "emulated", "quality", minimum=0, maximum=100),
}
SAME = 1e-9  # two ratios are the same shape: 32:18 and 16:9


class _Chosen(NamedTuple):
    size: Size | None
    notes: tuple[Note, ...]


def resolve(request: Request, model: Model | None) -> Resolved:
    """Resolve every parameter of a request against a model of the catalogue, or against none.

    Raises UsageError for any value the model does not accept; nothing has been sent by then.
    """
    wire_model, route, model_notes = _model(request, model)
    well_formed("the model's name", wire_model)
    prompt, prompt_notes = _prompt(request, model)
    said = {
        well_formed("a parameter's name", name): well_formed(name, value) if isinstance(value, str) else value
        for name, value in request.parameters.items()
    }
    n = said.pop("n", None)
    quality = said.pop("output_compression", None)
    file_format, format_notes = _format(said.pop("output_format", None), request.output)
    shape = _shape({name: said.pop(name, None) for name in SHAPE}, model) if model else _Chosen(None, ())
    parameters, notes = _parameters(said, model, route)
    if shape.size:
        parameters = {"size": shape.size.name, **parameters}
    return Resolved(
        wire_model=wire_model,
        prompt=prompt,
        seed=parameters.pop("seed", None),
        parameters=parameters,
        notes=(
            *model_notes,
            *prompt_notes,
            *shape.notes,
            *_route_notes(shape.size, model, route),
            *notes,
            *format_notes,
        ),
        model=model,
        route=route,
        size=shape.size,
        n=1 if n is None else _whole("n", n),
        format=file_format,
        quality=None if quality is None else _whole("output_compression", quality),
    )


def _whole(name: str, value: Value) -> int:
    number = check(ALWAYS_CHECKED[name], value)
    return number if isinstance(number, int) else 0


def _model(request: Request, model: Model | None) -> tuple[str, str | None, list[Note]]:
    """The name to send, the forced route, and what there is to say about both."""
    bare, prefix = split_route(request.model) if model else (request.model, None)
    if request.route and prefix and request.route != prefix:
        message = f"model {request.model!r} already names a route, and --route says {request.route!r}"
        raise UsageError(message, hint="give one of the two")
    route = request.route or prefix
    if model is None:
        name = f"{route}/{bare}" if route else bare
        reason = "no catalogue knows this model: parameters pass unchecked and sizes unmatched"
        return name, route, [Note("model", request.model, name, "passthrough", reason, warning=True)]
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
    prompt = well_formed("the prompt", request.prompt or "")
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


def _shape(said: dict[str, Value], model: Model) -> _Chosen:
    """Size & Layout of the model's page: `size` wins, shape and scale are independent, the nearest is taken."""
    size, aspect_ratio, resolution = (None if said[name] is None else str(said[name]) for name in SHAPE)
    if size is not None:
        shape = parse_shape(size)
        if shape.is_pixels:
            ignored = _ignored("aspect_ratio", aspect_ratio, size) + _ignored("resolution", resolution, size)
            chosen = nearest_size(model.sizes, shape.ratio, shape.area)
            return _Chosen(chosen, (_pixels_note(size, shape.width, shape.height, chosen), *ignored))
        notes = _ignored("aspect_ratio", aspect_ratio, size)
        ratio, asked_by = shape.ratio, ("size", size)
    elif aspect_ratio is not None:
        notes = []
        ratio, asked_by = parse_ratio(aspect_ratio), ("aspect_ratio", aspect_ratio)
    else:
        notes = []
        ratio, asked_by = parse_ratio(model.default.aspect_ratio), None
    area = parse_tier(resolution or model.default.resolution)
    chosen = nearest_size(model.sizes, ratio, area)
    if asked_by:
        notes = [_ratio_note(*asked_by, ratio, chosen), *notes]
    if resolution is not None:
        notes.append(_tier_note(resolution, area, chosen))
    if asked_by is None or asked_by[0] != "size":
        reason = f"{chosen.aspect_ratio} at {chosen.resolution}, sent explicitly: upstream defaults differ"
        notes.append(Note("size", None, chosen.name, "default" if asked_by is None else "converted", reason))
    return _Chosen(chosen, tuple(notes))


def _route_notes(size: Size | None, model: Model | None, route: str | None) -> list[Note]:
    """A forced upstream may list fewer shapes than the model; the gateway then takes its nearest."""
    if size is None or model is None or route is None:
        return []
    shapes = next(row.aspect_ratios for row in model.routes if row.name == route)
    if not shapes or size.aspect_ratio in shapes:
        return []
    reason = f"{route} does not list {size.aspect_ratio}: the gateway may send its nearest shape"
    return [Note("route", route, route, "passthrough", reason, warning=True)]


def _ignored(parameter: str, asked: str | None, size: str) -> list[Note]:
    if asked is None:
        return []
    return [Note(parameter, asked, None, "ignored", f"size {size} is more specific and always wins", warning=True)]


def _pixels_note(asked: str, width: float, height: float, chosen: Size) -> Note:
    where = f"{chosen.aspect_ratio} at {chosen.resolution}"
    if (width, height) == (chosen.width, chosen.height):
        return Note("size", asked, chosen.name, "passthrough", f"published: {where}")
    reason = f"not published: the nearest by shape, then area, is {where}"
    return Note("size", asked, chosen.name, "converted", reason, warning=True)


def _ratio_note(parameter: str, asked: str, ratio: float, chosen: Size) -> Note:
    exact = abs(math.log(ratio / parse_ratio(chosen.aspect_ratio))) < SAME
    used = chosen.name if parameter == "size" else chosen.aspect_ratio
    if exact:
        return Note(parameter, asked, used, "converted", f"{chosen.aspect_ratio} is {chosen.name}")
    reason = f"not supported: the nearest ratio is {chosen.aspect_ratio}"
    return Note(parameter, asked, used, "converted", reason, warning=True)


def _tier_note(asked: str, area: float, chosen: Size) -> Note:
    if abs(math.log(area / parse_tier(chosen.resolution))) < SAME:
        return Note("resolution", asked, chosen.resolution, "converted", f"part of size {chosen.name}")
    reason = f"not supported: the nearest tier is {chosen.resolution}"
    return Note("resolution", asked, chosen.resolution, "converted", reason, warning=True)


def _parameters(said: dict[str, Value], model: Model | None, route: str | None) -> tuple[dict[str, Json], list[Note]]:
    """Every remaining parameter: checked where the model knows it, passed on as typed where it does not."""
    known = model.parameters if model else {}
    values: dict[str, Json] = {}
    notes = []
    for name in sorted(said, key=lambda name: (name not in known, list(known).index(name) if name in known else 0)):
        asked = said[name]
        param = known.get(name)
        values[name] = check(param, asked) if param else loose(asked)
        shown = shorten(asked.asked if isinstance(asked, Attachment) else asked)
        reason, warning = _remark(name, param, known, said, route)
        behaviour = param.support if param else "passthrough"
        notes.append(Note(name, shown, shorten(values[name]), behaviour, reason, warning))
    return values, notes


def _remark(
    name: str, param: Param | None, known: dict[str, Param], said: dict[str, Value], route: str | None
) -> tuple[str, bool]:
    """Why a parameter is sent the way it is, and whether the person should be told unasked."""
    if param is None:
        near = did_you_mean(name, known)
        return f"not in the catalogue: passes straight through{'; ' + near if near else ''}", bool(near)
    if param.needs and param.needs not in said:
        return f"has no effect without {param.needs}", True
    if param.upstreams and route is None:
        only = " and ".join(param.upstreams)
        return f"only {only} honours it: --route {param.upstreams[0]} forces that route", True
    if param.upstreams and route not in param.upstreams:
        return f"only {' and '.join(param.upstreams)} honours it, and the route is {route}", True
    return "sent as given", False
