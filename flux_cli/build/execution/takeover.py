"""Takes over from a build that was killed: nothing of it is lost, and nothing is paid for again.

Images that had arrived are originals by now, with rows that the lock does not have. What had
arrived in the state folder is saved from there. A request without an answer is unclear.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.execution.delivery import place
from flux_cli.build.execution.originals import pending_rows
from flux_cli.build.lock.rows import STALE, File, Row, Trouble
from flux_cli.core.errors import FluxError
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import read_journal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.manifest.expansion import Asset

IN_FLIGHT = "in flight"


def take_over(
    rows: Mapping[str, Row], assets: Mapping[str, Asset], files: Files, run: str
) -> dict[str, Row]:
    """The rows with everything that a killed build has left, as far as it is known here."""
    found = dict(rows)
    for name, row in pending_rows(files.root).items():
        old, asset = found.get(name), assets.get(name)
        if old and old.generated == row.generated:
            continue  # the lock has it
        requested = row.requested
        if asset and asset.request == row.request and not requested:
            requested = asset.requested
        ours = _stale_files(old, row, asset, files)
        found[name] = row._replace(requested=requested, files=ours)
    return _with_unclear(found, assets, run) if run else found


def _stale_files(old: Row | None, row: Row, asset: Asset | None, files: Files) -> dict[str, File]:
    """The files that are ours to replace: those of the old row, and those of the killed build."""
    found = {}
    known = old.files if old else {}
    for path, file in known.items():
        if files.exists(path) and files.equals(path, file):
            found[path] = file._replace(output=STALE)
    for path in asset.files if asset else ():
        if path not in found and files.exists(path) and _was_made(path, row, files):
            size = os.path.getsize(place(path, files.root))
            found[path] = File(STALE, files.digest(path), size)
    return found


def _was_made(path: str, row: Row, files: Files) -> bool:
    """Whether a file says that it is the image of this row."""
    try:
        data = Path(place(path, files.root)).read_bytes()
        if path.endswith(".json"):
            return str(row.generated.get("time")).encode() in data
        record = read_metadata(examine(data).sound).record
    except (OSError, FluxError):
        return False
    facts = row.generated
    return record.request_id == facts.get("request_id", "") and record.created == facts.get("time")


def _with_unclear(rows: dict[str, Row], assets: Mapping[str, Asset], run: str) -> dict[str, Row]:
    """The rows in which each request without a known end is marked as unclear."""
    path = store.runs_folder() / f"{run}{store.SUFFIX}"
    try:
        past = read_journal(path, with_replies=False)
    except OSError:
        return rows
    for call in past.calls if past else ():
        asset, row = assets.get(call.key), rows.get(call.key)
        request = str(call.about.get("request", ""))
        is_kept = row is not None and row.generated.get("run") == run
        if asset is None or is_kept or call.state not in ("unclear", "waiting"):
            continue
        row = row or Row(request, asset.request, asset.requested)
        trouble = Trouble(request, run, call.number, IN_FLIGHT)
        rows[call.key] = row._replace(unclear=trouble)
    return rows
