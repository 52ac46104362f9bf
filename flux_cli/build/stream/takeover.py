"""Takes over from a build from JSON lines that was killed: what it has left becomes rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.execution.arrivals import fetch_arrived
from flux_cli.build.execution.running import interrupted_run
from flux_cli.build.execution.site import Site
from flux_cli.build.execution.takeover import take_over
from flux_cli.build.lock.file import pending_path
from flux_cli.build.lock.pending import Pending, read_pending
from flux_cli.build.lock.reading import Lock
from flux_cli.build.lock.rows import Base
from flux_cli.build.manifest.reading import Manifest
from flux_cli.build.project import Division, Project
from flux_cli.build.stream.ledger import WHOLE, notes_path, parts_of
from flux_cli.build.stream.plans import ROOT
from flux_cli.core.errors import UsageError
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.shards.division import Shard
    from flux_cli.build.stream.index import Index
    from flux_cli.build.stream.ledger import Writer
    from flux_cli.build.stream.plans import Plans


def project_of(
    path: str,
    lock: str,
    assets: Mapping[str, Asset],
    rows: Mapping[str, Row],
    shard: Shard | None = None,
) -> Project:
    """Some lines as a project, whose notes are kept under the name of a lock."""
    division = Division(shard, {}, {}, Base("", "")) if shard else None
    return Project(Manifest(path, {}, {}, {}, ()), ROOT, assets, lock, Lock(rows), division)


def refuse_other_division(ledger: str, own: str) -> None:
    """Raise UsageError if a build of another division was killed here, or is running.

    Only that one may settle what it has left.
    """
    count = _count_of(own)
    for part in parts_of(ledger):
        notes = notes_path(ledger, part)
        is_left = bool(interrupted_run(notes)) or os.path.isfile(pending_path(notes))
        if _count_of(part) != count and is_left:
            number = part.partition("-")[0]
            again = f"--shard {number}/{_count_of(part)}"
            words = "without --shard" if part == WHOLE else f"with {again}"
            message = f"a build of {part} was killed here, or is running"
            raise UsageError(message, hint=f"run it again {words}: it settles what is left")


def _count_of(part: str) -> int:
    """How many parts there are, by the name of one."""
    return int(part.removesuffix(".jsonl").rpartition("-")[2])


def settle(plans: Plans, index: Index, writer: Writer, lock: str) -> None:
    """Write what a killed build has left into the ledger, before anything else is sent.

    Its requests without an answer are unclear from then on. Raises FluxError.
    """
    run = interrupted_run(lock)
    if run:
        fetch_arrived(run, [lock])
    left, files = read_pending(lock), plans.elsewhere.files(is_left=True)
    names = {*left.rows, *_requested(run)}
    assets = dict(_assets(plans, names, set(left.files)))
    known = names | assets.keys()
    rows = {name: row for name in known if (row := index.row(name))}
    project = project_of(plans.path, lock, assets, rows)
    for row in rows.values():
        files.trust(row.files)
    found = take_over(project, rows, files, run)
    changed = {name: row for name, row in found.items() if rows.get(name) != row}
    writer.add(changed)
    if sharing := plans.elsewhere.sharing:
        site = Site(project, files, [], found, plans.wishes)
        for error in sharing.store_left(site, run).values():
            raise error
    Pending(lock).forget()
    index.update()


def _requested(run: str) -> set[str]:
    """The names of the assets that a run requested."""
    if not run:
        return set()
    try:
        past = read_journal(store.runs_folder() / f"{run}{store.SUFFIX}", with_replies=False)
    except OSError:
        return set()
    calls = past.calls if past else ()
    return {call.key for call in calls}


def _assets(plans: Plans, names: set[str], paths: set[str]) -> Iterator[tuple[str, Asset]]:
    """The assets with these names, or with files of these paths."""
    if not names and not paths:
        return
    for line in plans.lines():
        try:
            asset = plans.asset(line)
        except UsageError:  # reported when it is planned
            continue
        if asset.name in names or not paths.isdisjoint(asset.files):
            yield asset.name, asset
