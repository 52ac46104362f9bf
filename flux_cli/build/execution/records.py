"""How an image was made: between the facts of a row and the record in its files.

A file that is made again from its original gets the same record, so its bytes are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.build.planning.outcome import HIDDEN
from flux_cli.build.references import sources
from flux_cli.core.outcome import Facts
from flux_cli.core.request import seed_of
from flux_cli.core.values import read_amount, read_integer
from flux_cli.images.metadata.record import (
    BY_ALGORITHM,
    BY_MODEL,
    NOT_RECORDED,
    Record,
    without_prompt,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.core.model import Json
    from flux_cli.core.request import Call

OWN_FIELDS = ("model", "prompt")


def generated(
    call: Call, facts: Facts, *, provider: str, run: str, created: str, digest: str
) -> dict[str, Json]:
    """What the lock says of how an image was generated. A placeholder has no run.

    `digest` is that of the request, as the files record it.
    """
    found: dict[str, Json] = {"provider": provider}
    seed, asked = read_integer(seed_of(call, facts)), read_integer(call.seed)
    if run:
        found["run"] = run
    more: dict[str, Json] = {
        "time": created,
        "cost_usd": facts.cost_usd,
        "request_id": facts.request_id,
        "upstream": "" if facts.provider == provider else facts.provider,
        "seed": seed,
        "digest": digest,
        "revised_prompt": facts.revised_prompt,
    }
    if asked != seed:
        more["requested_seed"] = asked
    return found | {name: value for name, value in more.items() if value not in (None, "")}


def facts_of(row: Mapping[str, Json]) -> Facts:
    """What the reply said of an image, from the `generated` facts of its row."""
    return Facts(
        request_id=str(row.get("request_id", "")),
        provider=str(row.get("upstream", row.get("provider", ""))),
        cost_usd=read_amount(row.get("cost_usd")),
        seed=read_integer(row.get("seed")),
        revised_prompt=_shown(row.get("revised_prompt")),
    )


def _shown(value: Json) -> str:
    """A text of a row; "" if the row hides it."""
    is_shown = isinstance(value, str) and not value.startswith(HIDDEN)
    return str(value) if is_shown else ""


def _recorded(asset: Asset, name: str, value: Json) -> Json:
    """A parameter as files record it: images by name and digest, other files by their path."""
    if name in sources.SENT:
        return sources.recorded(value)
    return asset.settings.references.get(name, value)


def record_of(
    asset: Asset,
    requested: Mapping[str, Json],
    *,
    digest: str,
    provider: str,
    created: str,
    hosted: bool,
) -> Record:
    """The record that all files of an asset share. What the reply says is added to it."""
    prompt = str(requested.get("prompt", ""))
    if not prompt or prompt.startswith(HIDDEN):
        prompt = asset.prompt
    others = {
        name: _recorded(asset, name, value)
        for name, value in requested.items()
        if name not in NOT_RECORDED and name not in OWN_FIELDS
    }
    record = Record(
        provider=provider,
        prompt=prompt,
        size=str(requested.get("size", "")),
        parameters=others,
        request_digest=digest,
        created=created,
        tool=f"flux {__version__}",
        source_type=BY_ALGORITHM,
    )
    if hosted:
        record = record._replace(model=str(requested["model"]), source_type=BY_MODEL)
    is_private = asset.settings.values.get("no_prompt_metadata", False)
    return without_prompt(record) if is_private else record
