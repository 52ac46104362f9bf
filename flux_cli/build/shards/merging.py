"""Merges rows that several shards or machines wrote: per name, one of them is the best.

Rows have a total order, and the greatest one wins. So neither the order of the sources matters, nor
what is merged first, nor whether anything is merged twice. What holds the rows, a lock or anything
else, does not matter either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def _rank(row: Row, asset: Asset | None, disk: Disk) -> tuple[bool, bool, int, int, str, bool]:
    """How good a row is: it matches the manifest, its files are there, it is the newest.

    A request that must not be repeated is never forgotten for a row that is the same without it.
    """
    wanted = asset.files if asset else {}
    matching = sum(wanted.get(path) == file.output for path, file in row.files.items())
    present = sum(disk.equals(path, file) for path, file in row.files.items())
    is_wanted = asset is not None and row.request == asset.request
    is_marked = bool(row.refused or row.unclear)
    time = str(row.generated.get("time", ""))
    return is_wanted, not row.placeholder, matching, present, time, is_marked


def without_renamed(rows: Rows, assets: Mapping[str, Asset], disk: Disk) -> dict[str, Row]:
    """The rows without those whose image has another name by now, and that have no file left."""
    moved = {_image_of(row) for name, row in rows.items() if name in assets} - {None}

    def is_left(name: str) -> bool:
        is_moved = name not in assets and _image_of(rows[name]) in moved
        return not is_moved or any(map(disk.exists, rows[name].files))

    return {name: rows[name] for name in filter(is_left, rows)}


def _image_of(row: Row) -> str | None:
    return row.original.sha256 if row.original else None


def new_images(parts: Sequence[Rows], common: Rows) -> dict[tuple[str, Identity], Paid]:
    """The images that parts have and the common lock has not, each once.

    Assets of one request and seed share an image, and the row of one of them has its cost.
    """
    found: dict[tuple[str, Identity], Paid] = {}
    for name, row in _rows_of(parts):
        identity = _identity(row)
        if not identity or (name in common and _identity(common[name]) == identity):
            continue
        key = (row.request if "seed" in row.requested else name, identity)
        known = found.get(key)
        if known is None or known.cost_usd is None:
            found[key] = Paid(name, read_amount(row.generated.get("cost_usd")))
    return found


def duplicates(sources: Sequence[Rows], merged: Rows) -> list[Paid]:
    """The images that were paid for although another one of the same request is kept."""
    found = {}
    for name, row in _rows_of(sources):
        kept, identity = merged.get(name), _identity(row)
        if kept is None or not identity or not _identity(kept) or identity == _identity(kept):
            continue
        if (row.request, row.take) == (kept.request, kept.take):
            found[name, identity] = Paid(name, read_amount(row.generated.get("cost_usd")))
    return [found[key] for key in sorted(found)]


def _rows_of(sources: Sequence[Rows]) -> Iterator[tuple[str, Row]]:
    for source in sources:
        yield from source.items()


def _identity(row: Row) -> Identity:
    """What tells the request of a row from all others; empty if it has sent none."""
    if not row.generated.get("run"):
        return ()
    return tuple(str(row.generated.get(key, "")) for key in REQUESTED)


def total(paid: Sequence[Paid]) -> float | None:
    """What images cost together, in USD; None if that of one is unknown."""
    known = [one.cost_usd for one in paid if one.cost_usd is not None]
    return sum(known) if len(known) == len(paid) else None
