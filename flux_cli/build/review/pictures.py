"""Takes thumbnails of files, several at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.disk import ORIGINALS
from flux_cli.build.planning.steps import ORPHAN
from flux_cli.build.review.candidates import Choice, candidates_of
from flux_cli.build.review.content import Thumbnail
from flux_cli.build.review.facts import shown_file
from flux_cli.core.errors import ImageError
from flux_cli.disk.links import is_below
from flux_cli.images.pixels.embedded import embed
from flux_cli.images.threads import Threads
from flux_cli.runs.saving.convert import count_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step

SIDE = 320  # pixels


def old_path(step: Step, files: Files) -> str:
    """The file that shows an asset as it is before its step; "" if there is none."""
    known = step.row.files if step.row else {}
    if step.sign == ORPHAN:
        known = {path: known[path] for path in step.orphans if path in known}
    there = {path: file for path, file in known.items() if files.exists(path)}
    in_the_way = filter(files.exists, step.asset.files if step.asset else ())
    return shown_file(there, SIDE) or next(in_the_way, "")


def new_path(step: Step, rows: Mapping[str, Row], files: Files) -> str:
    """The file that shows an asset as it is after its step; "" if there is none.

    It is the one that was shown before, if that is still one of its files.
    """
    row, old = rows.get(step.name), old_path(step, files)
    if step.asset is None or row is None or old in step.asset.files:
        return old
    wanted = {path: file for path, file in row.files.items() if path in step.asset.files}
    return shown_file({path: file for path, file in wanted.items() if files.exists(path)}, SIDE)


def choices(
    step: Step, assets: Mapping[str, Asset], rows: Mapping[str, Row], files: Files
) -> dict[int, Choice]:
    """The candidates of an asset with thumbnails of their originals, whose paths say nothing."""
    found = dict(candidates_of(step, assets, rows))
    paths = {
        number: f"{ORIGINALS}/{row.original.name}" for number, row in found.items() if row.original
    }
    taken = thumbnails(files, paths.values())
    return {
        number: Choice(found[number], taken[path]._replace(path=""))
        for number, path in paths.items()
    }


def thumbnails(files: Files, paths: Iterable[str]) -> dict[str, Thumbnail]:
    """The thumbnails of files by path. One that cannot be read has a sentence instead."""
    wanted = list(dict.fromkeys(filter(None, paths)))
    if not wanted:
        return {}
    top = os.path.realpath(files.root)
    with Threads(min(count_cores(), len(wanted))) as pool:
        taken = [pool.submit(_take, files.place(path), path, top) for path in wanted]
        try:
            return {path: one.result() for path, one in zip(wanted, taken, strict=True)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _take(place: str, path: str, top: str) -> Thumbnail:
    """The thumbnail of one file. Pipes, devices and links out of the folder `top` are not read."""
    if not (os.path.isfile(place) and is_below(place, top)):
        return Thumbnail(path, fault="This file is not here.")
    try:
        found = embed(place, SIDE)
    except (ImageError, MemoryError):
        return Thumbnail(path, fault="This file cannot be shown as an image.")
    return Thumbnail(path, found.uri, found.width, found.height)
