"""Merges rows that several shards or machines wrote: per name, one of them is the best.

Rows have a total order, and the greatest one wins. So neither the order of the sources matters, nor
what is merged first, nor whether anything is merged twice. What holds the rows, a lock or anything
else, does not matter either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.following import drop_stand_in
from flux_cli.build.candidates.naming import owner_of
from flux_cli.build.lock.text import lock_text
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import read_amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk

    Rows: TypeAlias = Mapping[str, Row]
    Identity: TypeAlias = tuple[str, ...]

# What tells one request from all others.
REQUESTED = ("run", "request_id", "time", "seed")


class Paid(NamedTuple):
    """An image that was generated, and what the provider said it cost."""

    name: str
    cost_usd: float | None


def merge_rows(sources: Sequence[Rows], assets: Mapping[str, Asset], disk: Disk) -> dict[str, Row]:
    """The best row of each name: see `_rank`."""
    merged: dict[str, Row] = {}
    for source in sources:
        for name, row in source.items():
            best = merged.get(name, row)
            merged[name] = best if best == row else _best(name, best, row, assets.get(name), disk)
    return merged


def _best(name: str, one: Row, other: Row, asset: Asset | None, disk: Disk) -> Row:
    return max(one, other, key=lambda row: (_rank(row, asset, disk), lock_text({name: row})))


def _rank(row: Row, asset: Asset | None, disk: Disk) -> tuple[bool | int | str, ...]:
    """How good a row is: it matches the manifest, its files are there, it is the newest.

    A pick is newer than the images it was made from. A request that must not be repeated is never
    forgotten for a row that is the same without it.
    """
    wanted = asset.files if asset else {}
    matching = sum(wanted.get(path) == file.output for path, file in row.files.items())
    present = sum(disk.equals(path, file) for path, file in row.files.items())
    is_wanted = asset is not None and row.request == asset.request
    is_marked = bool(row.refused or row.unclear)
    time = str(row.generated.get("time", ""))
    decided = row.take, bool(row.pick)
    return is_wanted, not row.placeholder, matching, present, *decided, time, is_marked


def without_renamed(rows: Rows, assets: Mapping[str, Asset], disk: Disk) -> dict[str, Row]:
    """The rows without those whose image has another name by now, and that have no file left.

    So is the row of candidate 1 if none is picked: the asset has that image itself.
    """
    moved = {_image_of(row) for name, row in rows.items() if name in assets} - {None}

    def is_left(name: str) -> bool:
        is_known = name in assets or owner_of(name) in assets
        is_moved = not is_known and _image_of(rows[name]) in moved
        return not is_moved or any(map(disk.exists, rows[name].files))

    left = {name: rows[name] for name in filter(is_left, rows)}
    for owner in set(map(owner_of, left)) & left.keys():
        drop_stand_in(left, owner)
    return left


def _image_of(row: Row) -> str | None:
    return row.original.sha256 if row.original else None


def new_images(parts: Sequence[Rows], common: Rows) -> dict[Identity, Paid]:
    """The images that parts have and the common lock has not, each once.

    Assets of one request and seed share an image, a picked candidate has that of the asset, and the
    row of one of them has its cost.
    """
    known = _identities(common)
    found: dict[Identity, Paid] = {}
    for name, row in _rows_of(parts):
        identity = _identity(name, row)
        if not identity or identity in known:
            continue
        before = found.get(identity)
        if before is None or before.cost_usd is None:
            found[identity] = Paid(name, read_amount(row.generated.get("cost_usd")))
    return found


def duplicates(sources: Sequence[Rows], merged: Rows) -> list[Paid]:
    """The images that were paid for although another one of the same request is kept."""
    found = {}
    known = _identities(merged)  # a pick has given some images another name
    for name, row in _rows_of(sources):
        kept, identity = merged.get(name), _identity(name, row)
        if kept is None or not identity or not _identity(name, kept) or identity in known:
            continue
        if (row.request, row.take) == (kept.request, kept.take):
            found[name, identity] = Paid(name, read_amount(row.generated.get("cost_usd")))
    return [found[key] for key in sorted(found)]


def _rows_of(sources: Sequence[Rows]) -> Iterator[tuple[str, Row]]:
    for source in sources:
        yield from source.items()


def _identities(rows: Rows) -> set[Identity]:
    return {_identity(name, row) for name, row in rows.items()}


def _identity(name: str, row: Row) -> Identity:
    """What tells the image of a row from all others; empty if it was not requested."""
    if not row.generated.get("run"):
        return ()
    facts = (str(row.generated.get(key, "")) for key in REQUESTED)
    return (*facts, row.original.sha256 if row.original else name)


def total(paid: Sequence[Paid]) -> float | None:
    """What images cost together, in USD; None if that of one is unknown."""
    known = [one.cost_usd for one in paid if one.cost_usd is not None]
    return sum(known) if len(known) == len(paid) else None
