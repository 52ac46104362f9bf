"""The file names of a run of several parts: they tell the parts apart."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from flux_cli.core.errors import OutputError
from flux_cli.images import names as naming
from flux_cli.images.names import FIELDS, Name, fold, safe, with_tail
from flux_cli.runs.combined.notes import name_models
from flux_cli.runs.planned_files import fields_of, is_seeded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.request.prepare import Prepared

    Requests = Sequence[tuple[Prepared, Mapping[str, str]]]
    Row = dict[str, str | int]  # the values of fields


def name_together(requests: Requests) -> Sequence[Sequence[Name]]:
    """A name for every call of each request, all of one template.

    Several models are named in any case. Raises OutputError for a template that gives two requests
    one name because it leaves out a field that tells them apart.
    """
    prepared = [one for one, _ in requests]
    destination = prepared[0].destination
    models = name_models(one.resolved for one in prepared)
    names_model = len(models) > 1
    last = "seed" if any(map(is_seeded, prepared)) else "id"
    default = f"{{slug}}-{{{last}}}.{{ext}}"
    if names_model:
        default = f"{{slug}}-{{model}}-{{{last}}}.{{ext}}"
    known = (*FIELDS, *requests[0][1])
    given, is_folder = destination.template, destination.is_folder
    template = naming.completed(given, default, known, is_folder=is_folder)
    if names_model and "{model" not in template:
        template = with_tail(template, "-{model}")
    rows = [_rows_of(one, values, models) for one, values in requests]
    if given and not is_folder:
        _check_fields(template, requests, rows)
    named = iter(naming.names(template, list(chain.from_iterable(rows))))
    return [list(islice(named, len(own))) for own in rows]


def _rows_of(prepared: Prepared, values: Mapping[str, str], models: Mapping[str, str]) -> list[Row]:
    """The values of all fields for every call of a request."""
    own = {name: safe(value) or "value" for name, value in values.items()}
    model = models[prepared.resolved.sent_model]
    if model != prepared.resolved.model_id:
        own["model"] = safe(model)
    return [{**fields, **own} for fields in fields_of(prepared)]


def _check_fields(template: str, requests: Requests, rows: Sequence[Sequence[Row]]) -> None:
    """Raise OutputError for two requests with one name that a missing field would tell apart.

    Requests that no field tells apart are numbered.
    """
    seen: dict[str, tuple[Prepared, Mapping[str, str]]] = {}
    for request, own in zip(requests, rows, strict=True):
        path = Name(template, own[0]).path("ext")
        other = seen.setdefault(fold(path), request)
        if other is request:
            continue
        missing = _missing_field(template, request, other)
        if missing:
            output = request[0].settings.output or template
            hint = f"add {{{missing}}} to -o"
            if len(request[0].destination.suffixes) < 2:
                hint += f", for example -o '{with_tail(output, f'-{{{missing}}}')}'"
            message = f"output {output!r} gives several requests one name"
            raise OutputError(message, hint=hint)


def _missing_field(
    template: str,
    one: tuple[Prepared, Mapping[str, str]],
    other: tuple[Prepared, Mapping[str, str]],
) -> str:
    """The field that tells two requests apart, and is not in the template; "" if none does."""
    (first, values), (second, others) = one, other
    for name, value in values.items():
        if value != others.get(name) and f"{{{name}" not in template:
            return name
    is_prompt_named = "{slug" in template or "{prompt" in template
    if values or is_prompt_named or first.resolved.prompt == second.resolved.prompt:
        return ""
    return "slug"
