"""What the journal says of a run and of its requests, so that `flux recover` can save their images.

The first line of the journal has the facts that requests share; a request adds what differs.
`history` reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.config.load import PROJECT
from flux_cli.core.model import Json
from flux_cli.images.names import FIELDS
from flux_cli.runs.saving.delivery import delivery_document

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.images.names import Name
    from flux_cli.runs.check import CheckedRun, Part
    from flux_cli.runs.job import Task
    from flux_cli.runs.saving.delivery import Delivery

FROM_PROMPT = ("slug", "prompt")  # fields of names that tell the prompt
HIDDEN = "image"  # what a private journal has in their place


def describe_run(run: CheckedRun) -> dict[str, Json]:
    """The facts that all requests of a run share, as far as `flux recover` needs them."""
    from flux_cli.http.spool import temporary_folder

    rules = privacy_facts(run.settings)
    private = rules["private"] is True
    first, *others = run.parts
    shared = _facts_of_part(first, private=private)
    for part in others:
        shared = dict(_shared(shared, _facts_of_part(part, private=private)))
    return {
        "version": __version__,
        "provider": run.row.name,
        "base_url": run.settings.base_url,
        "model": shared.pop("model", None),
        "prompt": shared.pop("prompt", None),
        **rules,
        "n": run.total,
        "skipped": list(run.existing.complete),
        **shared,
        "folder": _working_folder(),
        "temporary": temporary_folder(),
    }


def privacy_facts(settings: Settings) -> dict[str, Json]:
    """Whether a journal has no prompts, and how long prompts are kept: in this run, or in all."""
    rule = settings.keep_prompts
    facts: dict[str, Json] = {"private": not settings.journal_prompts or rule == "never"}
    if rule != "forever":
        is_of_project = settings.values["keep_prompts"].rank == PROJECT
        facts |= {"keep_prompts": rule, "keep_prompts_of": "run" if is_of_project else "all"}
    return facts


def _facts_of_part(part: Part, *, private: bool) -> dict[str, Json]:
    from flux_cli.runs.planned_files import file_names

    names = file_names(part)
    first, last = names[0], names[-1]
    fields = {field: value for field, value in first.fields.items() if last.fields[field] == value}
    return {
        "model": part.resolved.sent_model,
        "prompt": None if private else part.resolved.prompt,
        "price_usd": part.resolved.unit_price_usd,
        **name_document(first._replace(fields=fields), private=private),
        "delivery": delivery_document(part.delivery, private=private),
    }


def _shared(one: Mapping[str, Json], other: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The values that are the same in both; of objects, their keys."""
    for name, value in one.items():
        same = other.get(name)
        if isinstance(value, dict) and isinstance(same, dict):
            yield name, {key: part for key, part in value.items() if (key, part) in same.items()}
        elif name in other and value == same:
            yield name, value


def _working_folder() -> str:
    from pathlib import Path

    try:
        return str(Path.cwd())
    except OSError:  # deleted meanwhile; an absolute -o works without it
        return os.path.expanduser("~")


class Describer:
    """Describes the requests of one run, whose `facts` are in the first line of its journal."""

    def __init__(self, facts: Mapping[str, Json], *, private: bool) -> None:
        self._facts, self._private = facts, private
        self._delivery: tuple[Delivery, Json] | None = None  # the last one, which many share

    def describe(self, task: Task) -> dict[str, Json]:
        """What the journal says of a request beyond the facts of its run."""
        own: dict[str, Json] = {
            "seed": task.call.seed,
            "model": task.call.model,
            "price_usd": task.price_usd,
            **name_document(task.name, private=self._private),
            "delivery": self._delivery_document(task.delivery),
        }
        described = dict(_differences(own, self._facts))
        if task.key:
            described["key"] = task.key
        if task.about:
            described["about"] = dict(task.about)
        return described

    def _delivery_document(self, delivery: Delivery) -> Json:
        if self._delivery is None or self._delivery[0] is not delivery:
            document = delivery_document(delivery, private=self._private)
            self._delivery = delivery, document
        return self._delivery[1]


def name_document(name: Name, *, private: bool) -> dict[str, Json]:
    """The name of a request as the journal keeps it. A `private` one does not tell the prompt."""
    fields: dict[str, Json] = dict(name.fields)
    return {"template": name.template, "fields": hidden_fields(fields) if private else fields}


def hidden_fields(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields of a name, without what they tell of the prompt."""
    told = filter(_may_tell_prompt, fields)
    return {**fields, **dict.fromkeys(told, HIDDEN)}


def _may_tell_prompt(field: str) -> bool:
    """Whether a field is made from the prompt, or from values that fill it."""
    return field in FROM_PROMPT or field not in (*FIELDS, "name")  # `images/names.py: fixed`


def _differences(own: dict[str, Json], shared: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The values that are not among the shared ones; of objects, only the keys that differ."""
    for name, value in own.items():
        known = shared.get(name)
        if value == known:
            continue
        if isinstance(value, dict) and isinstance(known, dict):
            yield name, {key: part for key, part in value.items() if known.get(key) != part}
        else:
            yield name, value
