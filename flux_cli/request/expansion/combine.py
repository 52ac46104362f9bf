"""Combines prompts, the values of their fields, and models: each combination is one request."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import LazySequence
from flux_cli.core.options import Parameters
from flux_cli.core.request import MAX_IMAGES
from flux_cli.request.command_line import one_prompt, prompt_of
from flux_cli.request.expansion.combinations import combine_rows
from flux_cli.request.expansion.prompts import PromptRow, read_rows, with_row
from flux_cli.request.expansion.templates import Template
from flux_cli.request.expansion.variables import read_variables
from flux_cli.request.plan import choose_seed, plan
from flux_cli.request.prepare import prepare
from flux_cli.request.resolve import resolve_prompt
from flux_cli.request.styles.prompts import with_affixes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flux_cli.core.options import GenerateOptions
    from flux_cli.core.request import Call
    from flux_cli.request.prepare import Fetch, Prepared

    Draw = Callable[[], int]


def combine(
    options: GenerateOptions, fetch: Fetch | None = None, draw: Draw | None = None
) -> list[tuple[Prepared, dict[str, str]]]:
    """Every request of a command line, with the values of its fields. Calls are numbered through.

    The models of one prompt follow each other, and a drawn seed is the same for all requests.
    Raises UsageError and ConfigError, as `prepare` does.
    """
    axes = read_variables(options.input.var or ())
    _check_streams(options)
    rows, models = _rows(options), _models(options)
    if len(models) > 1 or any(row.parameters for row in rows):
        _check_shared_stream(options)
    _check_count(len(rows) * math.prod(map(len, axes.values())) * len(models))
    maker = _Maker(options, fetch, _once(draw) if draw else None)
    requests: list[tuple[Prepared, dict[str, str]]] = []
    before = 0
    for row, values, prompt in _filled(rows, axes):
        own = row.parameters.get("model")
        for model in models if own is None else [str(own)]:
            prepared = maker.prepare(row, prompt, model)
            requests.append((_numbered(prepared, before), values))
            before += prepared.resolved.n
    _check_count(before)
    _check_models(requests[: len(models)], models)
    return requests


def _rows(options: GenerateOptions) -> list[PromptRow]:
    """The prompts of a file, or the one of the argument."""
    path = options.input.prompts
    if path is None:
        return [PromptRow(prompt_of(options))]
    if one_prompt(options.input) is not None:
        message = "--prompts and a prompt contradict each other"
        raise UsageError(message, hint="use only one of them")
    from flux_cli.request.files.inputs import read_prompts

    text = read_prompts(path, sys.stdin)
    named = "standard input" if path == "-" else path
    output = options.settings.output or options.applied.settings.get("output", "")
    rows = read_rows(text, named, output)
    preset = options.applied
    return [row._replace(prompt=with_affixes(row.prompt or "", preset)) for row in rows]


def _models(options: GenerateOptions) -> Sequence[str | None]:
    models = options.settings.model
    if not models:
        return [None]
    twice = next((model for model in models if models.count(model) > 1), None)
    if twice is not None:
        raise UsageError(f"model {twice} is given twice", hint="use -n 2 for two images")
    return models


def _check_models(
    requests: Sequence[tuple[Prepared, Mapping[str, str]]], typed: Sequence[str | None]
) -> None:
    """Raise UsageError if two of the models that were typed are one."""
    names: dict[str, str | None] = {}
    for (prepared, _), model in zip(requests, typed, strict=False):
        other = names.setdefault(prepared.resolved.sent_model, model)
        if other != model:
            message = f"{other} and {model} are the same model"
            raise UsageError(message, hint="use -n 2 for two images")


def _check_count(count: int) -> None:
    if count > MAX_IMAGES:
        message = f"the run would make {count:,} images, and a run makes at most {MAX_IMAGES:,}"
        raise UsageError(message, hint="use fewer prompts, values, or models at once")


def _check_streams(options: GenerateOptions) -> None:
    """Raise UsageError if standard input would be read twice."""
    given, others = options.input, _readers(options)
    if given.prompts == "-":
        others.append("--prompts")
    if given.prompt == ["-"]:
        others.append("the prompt")
    if len(others) > 1:
        message = f"{' and '.join(others)} both read standard input"
        raise UsageError(message, hint="name a file in place of one -")


def _check_shared_stream(options: GenerateOptions) -> None:
    """Raise UsageError if several requests would read standard input, each for itself."""
    if readers := _readers(options):
        message = f"{readers[0]} - reads standard input, which several requests need"
        raise UsageError(message, hint="name a file in place of -")


def _readers(options: GenerateOptions) -> list[str]:
    """The options that read standard input for each request."""
    readers = ["--like"] if options.input.like == "-" else []
    if any(pair.endswith("=@-") for pair in options.parameters.param or ()):
        readers.append("-p")
    return readers


def _filled(
    rows: Sequence[PromptRow], axes: Mapping[str, Sequence[str]]
) -> Iterator[tuple[PromptRow, dict[str, str], str | None]]:
    """Each row with each combination of values, and the prompt they make."""
    fields = dict.fromkeys(name for row in rows for name in row.values)
    for row in rows:
        missing = [name for name in fields if name not in row.values]
        if missing:
            message = f"{row.place}: {missing[0]} is missing, and -o uses it"
            raise UsageError(message, hint="give each line all keys that -o uses")
        template = _template(row, axes) if axes else None
        for values in combine_rows([row.values], axes):
            yield row, values, template.fill(values) if template else row.prompt


def _template(row: PromptRow, axes: Mapping[str, Sequence[str]]) -> Template:
    """The prompt of a row as a template that uses every variable. Raises UsageError."""
    where = row.place or "the prompt"
    if row.prompt is None:
        raise UsageError("--var needs a prompt", hint='flux generate "a {animal}" --var animal=fox')
    for name in axes:
        if name in row.values:
            message = f"{where}: {name} is a key of the line and a --var"
            raise UsageError(message, hint="rename one of them")
    template = Template(row.prompt, where)
    template.check(axes)
    for name in axes:
        if name not in template.fields:
            hint = f"write {{{name}}} where its values belong, or drop --var {name}"
            raise UsageError(f"{where} does not use {{{name}}}", hint=hint)
    return template


def _once(draw: Draw) -> Draw:
    """A function that draws one seed, and returns it whenever it is called."""
    drawn: list[int] = []

    def seed() -> int:
        if not drawn:
            drawn.append(draw())
        return drawn[0]

    return seed


def _numbered(prepared: Prepared, before: int) -> Prepared:
    """The request with calls whose numbers follow those of the requests before it."""
    calls = prepared.plan.calls

    def call(place: int) -> Call:
        return calls[place]._replace(number=before + place + 1)

    numbered = LazySequence(len(calls), call)
    return prepared._replace(plan=prepared.plan._replace(calls=numbered))


class _Maker:
    """Prepares requests. Those that differ in their prompts alone are resolved once."""

    def __init__(self, options: GenerateOptions, fetch: Fetch | None, draw: Draw | None) -> None:
        self._options, self._fetch, self._draw = options, fetch, draw
        self._names_model = len(options.settings.model or ()) > 1
        self._prepared: dict[str, Prepared] = {}

    def prepare(self, row: PromptRow, prompt: str | None, model: str | None) -> Prepared:
        """The request of a row for a model. An error says where it belongs."""
        key = repr((model, row.parameters))
        try:
            if known := self._prepared.get(key):
                return self._with_prompt(known, prompt or "")
            own = {name: value for name, value in row.parameters.items() if name != "model"}
            parameters = with_row(self._options.parameters, own, row.place)
            settings = self._options.settings._replace(model=None if model is None else [model])
            options = self._options._replace(parameters=parameters, settings=settings)
            self._prepared[key] = prepare(options, prompt, self._fetch, self._draw)
            _check_names(own, self._prepared[key])
        except UsageError as error:
            place = row.place
            is_about_model = not isinstance(error, ConfigError) and str(model) not in error.message
            if self._names_model and is_about_model:
                place = ": ".join(filter(None, (row.place, model)))
            if place and not error.message.startswith(place):
                error.message = f"{place}: {error.message}"
            raise
        return self._prepared[key]

    def _with_prompt(self, known: Prepared, prompt: str) -> Prepared:
        """A request with another prompt."""
        before = known.resolved
        request = before.request._replace(prompt=prompt)
        _, notes_before = resolve_prompt(before.request, before.model)
        text, notes = resolve_prompt(request, before.model)
        others = (note for note in before.notes if note not in notes_before)
        resolved = before._replace(request=request, prompt=text, notes=(*notes, *others))
        row, given = known.settings.provider, self._options.input
        origin, seed = choose_seed(resolved, row, given, self._draw)
        return known._replace(resolved=resolved, plan=plan(resolved, origin, seed))


def _check_names(own: Iterable[str], prepared: Prepared) -> None:
    """Raise UsageError for a key that neither flux nor the model knows, if its catalog says so."""
    model = prepared.resolved.model
    known = [*Parameters._fields, *(model.parameters if model else own)]
    for name in own:
        if name not in known:
            hint = (
                did_you_mean(name, known) or f"drop it, or write {{{name}}} in -o to use it there"
            )
            raise UsageError(f"{prepared.resolved.model_id} has no parameter {name!r}", hint=hint)
