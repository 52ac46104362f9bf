"""Takes over from a build that was killed: nothing of it is lost, and nothing is paid for again.

Images that had arrived are originals by now, with rows that the lock does not have. What had
arrived in the state folder is saved from there. A request without an answer is unclear.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.lock.pending import read_pending
from flux_cli.build.lock.rows import ARRIVED, IN_FLIGHT, NO_DIGEST, STALE, File, Row, Trouble
from flux_cli.build.planning.outcome import hide_prompts, recorded
from flux_cli.core.errors import ModerationError, ValidationError
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import read_journal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.project import Project
    from flux_cli.runs.records.past import PastCall, PastRun

UNCLEAR = {"unclear": IN_FLIGHT, "waiting": ARRIVED}  # state of a request -> code of its trouble
REFUSALS = (ModerationError, ValidationError)  # sent again, it would be refused again
REFUSED = frozenset(error.code for error in REFUSALS)


def take_over(project: Project, rows: Mapping[str, Row], files: Files, run: str) -> dict[str, Row]:
    """The rows with everything that a killed build has left, as far as it is known here."""
    found, assets = dict(rows), project.assets
    shows_prompts = project.manifest.lock_prompts
    left = read_pending(project.lock_path)
    for name, row in left.rows.items():
        old, asset = found.get(name), assets.get(name)
        if old and old.generated == row.generated:
            continue  # the lock has it
        requested = row.requested
        if asset and asset.request == row.request and not requested:
            requested = asset.requested
        whole = row._replace(requested=requested, files=_stale_files(old, files))
        found[name] = whole if shows_prompts else _without_prompts(whole)
    for name, asset in assets.items():
        row = found.get(name, Row(asset.request, NO_DIGEST))
        if written := _written_files(asset, row, left.files, files):
            found[name] = row._replace(files={**row.files, **written})
    return _with_troubles(found, project, run) if run else found


def is_build_of(past: PastRun, locks: Collection[str]) -> bool:
    """Whether a run was a build of one of these locks."""
    known = past.facts.get("locks")
    return isinstance(known, list) and any(os.path.realpath(lock) in known for lock in locks)


def _without_prompts(row: Row) -> Row:
    return row._replace(
        requested=hide_prompts(row.requested), generated=hide_prompts(row.generated)
    )


def _stale_files(old: Row | None, files: Files) -> dict[str, File]:
    """The files of an old row, which are ours to replace."""
    known = old.files if old else {}
    return {
        path: file._replace(output=STALE)
        for path, file in known.items()
        if files.exists(path) and files.equals(path, file)
    }


def _written_files(
    asset: Asset, row: Row, noted: Mapping[str, Mapping[str, File]], files: Files
) -> dict[str, File]:
    """The files of an asset that the killed build wrote, and that its row does not have."""
    found = {}
    for path in asset.files.keys() & noted.keys():
        known = row.files.get(path)
        if not files.exists(path) or (known and files.equals(path, known)):
            continue
        if file := noted[path].get(files.digest(path)):
            # Without its original, nothing says of which image it was made.
            found[path] = file if row.original else file._replace(output=STALE)
    return found


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
        if asset is None or is_kept or not (code or call.state in UNCLEAR):
            continue
        requested = recorded(asset, shows_prompts=project.manifest.lock_prompts)
        row = row or Row(request, asset.request, requested)
        trouble = Trouble(request, run, call.number, code or UNCLEAR[call.state])
        rows[call.key] = row._replace(refused=trouble) if code else row._replace(unclear=trouble)
    return rows


def _refusal(call: PastCall) -> str:
    """The code of the error with which a provider refused a request; "" if it did not."""
    code = str((call.failure or {}).get("code", ""))
    return code if call.state == "failed" and code in REFUSED else ""
