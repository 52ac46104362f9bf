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
from flux_cli.build.planning.outcome import hide_prompts, recorded
from flux_cli.core.errors import FluxError, ModerationError, ValidationError
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import read_journal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.project import Project
    from flux_cli.runs.records.past import PastCall, PastRun

IN_FLIGHT = "in flight"
REFUSALS = (ModerationError, ValidationError)  # sent again, it would be refused again
REFUSED = frozenset(error.code for error in REFUSALS)


def take_over(project: Project, rows: Mapping[str, Row], files: Files, run: str) -> dict[str, Row]:
    """The rows with everything that a killed build has left, as far as it is known here."""
    found, assets = dict(rows), project.assets
    shows_prompts = project.manifest.lock_prompts
    for name, row in pending_rows(project.lock_path).items():
        old, asset = found.get(name), assets.get(name)
        if old and old.generated == row.generated:
            continue  # the lock has it
        requested = row.requested
        if asset and asset.request == row.request and not requested:
            requested = asset.requested
        ours = _stale_files(old, row, asset, files)
        whole = row._replace(requested=requested, files=ours)
        found[name] = whole if shows_prompts else _without_prompts(whole)
    return _with_troubles(found, project, run) if run else found


def is_build_of(past: PastRun, locks: Collection[str]) -> bool:
    """Whether a run was a build of one of these locks."""
    known = past.facts.get("locks")
    return isinstance(known, list) and any(os.path.realpath(lock) in known for lock in locks)


def _without_prompts(row: Row) -> Row:
    return row._replace(
        requested=hide_prompts(row.requested), generated=hide_prompts(row.generated)
    )


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


def _with_troubles(rows: dict[str, Row], project: Project, run: str) -> dict[str, Row]:
    """The rows in which each request that was refused, or has no known end, is marked."""
    path = store.runs_folder() / f"{run}{store.SUFFIX}"
    try:
        past = read_journal(path, with_replies=False)
    except OSError:
        return rows
    is_ours = past is not None and is_build_of(past, [project.lock_path])
    for call in past.calls if past and is_ours else ():
        asset, row = project.assets.get(call.key), rows.get(call.key)
        request, code = str(call.about.get("request", "")), _refusal(call)
        is_kept = row is not None and row.generated.get("run") == run
        if asset is None or is_kept or not (code or call.state in ("unclear", "waiting")):
            continue
        requested = recorded(asset, shows_prompts=project.manifest.lock_prompts)
        row = row or Row(request, asset.request, requested)
        trouble = Trouble(request, run, call.number, code or IN_FLIGHT)
        rows[call.key] = row._replace(refused=trouble) if code else row._replace(unclear=trouble)
    return rows


def _refusal(call: PastCall) -> str:
    """The code of the error with which a provider refused a request; "" if it did not."""
    code = str((call.failure or {}).get("code", ""))
    return code if call.state == "failed" and code in REFUSED else ""
