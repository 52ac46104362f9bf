"""Adopts files: a person accepts what is on the disk as what the manifest means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.steps import REMADE, SAME, Step
from flux_cli.core.errors import UsageError
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk


def adopt(
    asset: Asset, row: Row | None, was: str, disk: Disk, resolve: Callable[[Asset], str]
) -> Step:
    """The step that adopts the files of an asset; those that are missing are made from them.

    Raises UsageError if there is none.
    """
    there = tuple(path for path in asset.files if disk.exists(path))
    missing = tuple(path for path in asset.files if path not in there)
    if not there:
        message = f"nothing to adopt for {asset.name}: {missing[0]} does not exist"
        raise UsageError(message, hint="leave out --adopt to generate it")
    wanted = asset.files
    orphans: tuple[str, ...] = ()
    if row:
        orphans = tuple(
            path for path in sorted(row.files) if path not in wanted and disk.exists(path)
        )
    return Step(
        sign=REMADE if missing else SAME,
        name=asset.name,
        group=asset.group,
        reason=f"adopted: {counted(len(there), 'file')}",
        asset=asset,
        row=row,
        was=was,
        resolved=resolve(asset),
        make=missing,
        adopted=there,
        orphans=orphans,
        is_updated=True,
    )
