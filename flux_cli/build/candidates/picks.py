"""Picks: which candidate a person has chosen, as a change of rows before anything is planned.

The row of the asset then has the original of the picked candidate, and files that are to be made of
it. The image that it had as candidate 1 stays in a row of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import key_of, keys_of, number_of
from flux_cli.build.lock.rows import STALE, Row
from flux_cli.build.planning.outcome import recorded
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk

FORM = "write NAME=N, such as --pick goblin=3"


def read_picks(texts: Sequence[str], names: Collection[str]) -> dict[str, int]:
    """The number of a candidate by asset. Raises UsageError."""
    found: dict[str, int] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if not name or not (number.isascii() and number.isdigit() and len(number) < 4):
            raise UsageError(f"--pick {text}: it names no candidate", hint=FORM)
        if name not in names:
            hint = did_you_mean(name, names) or "flux build --plan -v lists all assets"
            raise UsageError(f"--pick {text}: no asset has this name", hint=hint)
        if found.setdefault(name, int(number)) != int(number):
            message = f"--pick {name}={found[name]} and --pick {text} contradict each other"
            raise UsageError(message, hint="pick one candidate of an asset")
    return found


def picked(
    assets: Mapping[str, Asset],
    rows: Mapping[str, Row],
    picks: Mapping[str, int],
    disk: Disk,
    resolve: Callable[[Asset], str],
    *,
    shows_prompts: bool = True,
) -> dict[str, Row]:
    """The rows with what was picked. Raises UsageError for a candidate that cannot be picked."""
    found = dict(rows)
    for name, number in picks.items():
        asset, row = assets[name], rows.get(name)
        source = _candidate(asset, number, assets, rows)
        now = row.pick if row else 0
        if row and now == number and row.original == source.original:
            continue
        if source.original is None or not disk.has_original(source.original):
            _check_stand_in(row, name, number)
        base = row or Row(asset.request, "")
        if row and row.is_made and not now and row.request == asset.request:
            found[key_of(name, 1)] = row._replace(files={})
        is_other = base.original != source.original
        stale = {path: file._replace(output=STALE) for path, file in base.files.items()}
        found[name] = base._replace(
            request=asset.request,
            resolved=resolve(asset),
            requested=recorded(asset, shows_prompts=shows_prompts),
            generated=source.generated,
            original=source.original,
            files=stale if is_other else base.files,
            adopted=source.adopted,
            placeholder=False,
            pick=number,
        )
    return found


def _check_stand_in(row: Row | None, name: str, number: int) -> None:
    """Raise UsageError unless the files of the asset are of that candidate already."""
    if number == 1 and row and not row.pick:
        return
    message = f"{name}: the original of candidate {number} is not available"
    raise UsageError(message, hint="pick another, or put it back into .flux/originals")


def _candidate(
    asset: Asset, number: int, assets: Mapping[str, Asset], rows: Mapping[str, Row]
) -> Row:
    """The row of a candidate. Raises UsageError if there is no such image."""
    known = dict(candidate_rows(asset, assets, rows))
    if number in known:
        return known[number]
    if not known:
        hint = f"flux build --only {asset.name} requests its images"
    else:
        hint = f"{counted(len(known), 'candidate')}: {', '.join(map(str, sorted(known)))}"
    raise UsageError(f"{asset.name} has no candidate {number}", hint=hint)


def candidate_rows(
    asset: Asset, assets: Mapping[str, Asset], rows: Mapping[str, Row]
) -> Iterator[tuple[int, Row]]:
    """The candidates of an asset that are there, of the request that the manifest describes."""
    row = rows.get(asset.name)
    if row and not row.pick and _is_image(row) and row.request == asset.request:
        yield 1, row
    for key in keys_of(asset.name, rows):
        number, own = number_of(key), assets.get(key)
        if number == 1 and not (row and row.pick):
            continue
        wanted = own.request if own else ""
        is_current = rows[key].request == wanted if own else _is_current(row, asset)
        if _is_image(rows[key]) and is_current:
            yield number, rows[key]


def _is_current(row: Row | None, asset: Asset) -> bool:
    return row is not None and row.request == asset.request


def _is_image(row: Row) -> bool:
    return row.is_made and not row.placeholder
