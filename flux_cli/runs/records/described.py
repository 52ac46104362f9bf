"""What the journal says of a request when it is sent, so that `flux recover` can save its image.

The first line of the journal has the facts that requests share; a request adds what differs.
`history` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flux_cli.core.model import Json
from flux_cli.runs.saving.delivery import delivery_document

if TYPE_CHECKING:
    from flux_cli.images.names import Name
    from flux_cli.runs.job import Task
    from flux_cli.runs.saving.delivery import Delivery

FROM_PROMPT = ("slug", "prompt")  # fields of names that tell the prompt
HIDDEN = "image"  # what a private journal has in their place


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
    if private:
        fields |= dict.fromkeys(FROM_PROMPT, HIDDEN)
    return {"template": name.template, "fields": fields}


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
