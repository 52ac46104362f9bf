"""The row of an asset after its step: what the lock says once the step is done."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import number_of
from flux_cli.build.lock.rows import Row
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.lock.rows import Facts, File, Original
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.core.model import Json

HIDDEN = "sha256:"  # what stands before the digest of a value that is not shown


class Made(NamedTuple):
    """What a step has brought: files by path, and for a request, the image and its facts."""

    files: Mapping[str, File] = {}
    original: Original | None = None
    generated: Facts | None = None  # None: nothing was requested
    is_placeholder: bool = False


def row_after(step: Step, made: Made, *, shows_prompts: bool = True) -> Row:
    """The row once a step is done, as far as it came. The step must be of an asset."""
    asset, row = step.wanted, step.row
    if made.generated is not None:
        take = _take(step) if row else 1
        files = {**_orphaned(step), **made.files}
        new = Row(
            asset.request, step.resolved, recorded(asset, shows_prompts=shows_prompts), take=take
        )
        if step.keeps_pick:
            new = new._replace(pick=number_of(step.twin))
        return new._replace(
            generated=made.generated if shows_prompts else hide_prompts(made.generated),
            original=made.original,
            files=files,
            placeholder=made.is_placeholder,
        )
    row = row or Row(asset.request, step.resolved)
    files = _moved(step, row)
    row = row._replace(files={**files, **made.files})
    if step.is_updated or step.adopted:
        requested = recorded(asset, shows_prompts=shows_prompts)
        row = row._replace(request=asset.request, resolved=step.resolved, requested=requested)
    if step.adopted:
        original = row.original or made.original
        is_sketch = made.is_placeholder  # an offline sketch stays one, whoever accepts it
        row = row._replace(adopted=not is_sketch, placeholder=is_sketch, original=original)
        row = row._replace(refused=None, unclear=None)
    return row


def _take(step: Step) -> int:
    """Rerolls of one request are counted; a new request begins anew."""
    row, asset = step.row, step.asset
    is_again = (
        row and asset and row.is_made and row.request == asset.request and not row.placeholder
    )
    return row.take + 1 if row and is_again else 1


def _orphaned(step: Step) -> dict[str, File]:
    """The files of the row that are no longer in the manifest, but still there."""
    files = step.row.files if step.row else {}
    return {path: files[path] for path in step.orphans if path in files}


def _moved(step: Step, row: Row) -> dict[str, File]:
    """The files of a row under their new paths; those that are neither wanted nor there go."""
    asset, moves = step.asset, dict(step.moves)
    wanted = asset.files if asset else {}
    kept = {moves.get(path, path): file for path, file in row.files.items()}
    return {path: file for path, file in kept.items() if path in wanted or path in step.orphans}


def recorded(asset: Asset, *, shows_prompts: bool) -> dict[str, Json]:
    """What an asset asks for, as its row says it. Hidden prompts leave a digest."""
    facts = asset.requested
    return facts if shows_prompts else hide_prompts(facts)


def hide_prompts(facts: Mapping[str, Json]) -> dict[str, Json]:
    """The facts with a digest in place of every text that a person wrote."""
    return {key: _hidden(key, value) for key, value in facts.items()}


def _hidden(key: str, value: Json) -> Json:
    if not isinstance(value, str) or "prompt" not in key or value.startswith(HIDDEN):
        return value
    return HIDDEN + sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
