"""What the journal says of a run before it begins: enough to fetch, finish and save its images another day."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.core.model import Json
from flux_cli.images import names as naming
from flux_cli.runs.check import CheckedRun, fields_of
from flux_cli.runs.delivery import delivery_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.request import Call
    from flux_cli.images.names import Name


def new_name() -> str:
    """A name for a run: when it began, and something no other run of that second has."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def record(ready: CheckedRun) -> tuple[dict[str, Json], Iterator[dict[str, Json]]]:
    """The facts of a run, and its calls one by one."""
    prepared = ready.prepared
    resolved, private = prepared.resolved, not prepared.settings.journal_prompts
    names = ready.names
    if prepared.destination.is_stdout:  # `flux recover` saves into files
        names = naming.names(naming.DEFAULT_UNSEEDED, fields_of(prepared))

    def row(call: Call, name: Name) -> dict[str, Json]:
        fields: dict[str, Json] = {**name.fields, **({"slug": "image", "prompt": "image"} if private else {})}
        about: dict[str, Json] = {"number": call.number, "seed": call.seed, "model": call.model}
        return {**about, "template": name.template, "fields": fields}

    todo = zip(prepared.plan.calls, names, strict=True)
    facts: dict[str, Json] = {
        "version": __version__,
        "provider": ready.row.name,
        "base_url": prepared.settings.base_url,
        "model": resolved.sent_model,
        "prompt": None if private else resolved.prompt,
        "n": resolved.n,
        "price_usd": resolved.unit_price_usd,
        "delivery": delivery_document(ready.delivery, private=private),
        "folder": _here(),
    }
    return facts, (row(call, name) for call, name in todo if call.number not in ready.skip)


def _here() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as the shell sees it
    except OSError:  # deleted under us; an absolute -o may do without
        return os.path.expanduser("~")  # noqa: PTH111
