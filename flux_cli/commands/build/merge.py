"""`flux build --merge`: write the parts of shards, and what killed builds left, into the lock."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.disk import Files
from flux_cli.build.execution.running import Running, interrupted_run
from flux_cli.build.execution.takeover import take_over
from flux_cli.build.lock.file import (
    is_unfinished,
    pending_path,
    running_path,
    save_lock,
)
from flux_cli.build.planning.plan import chosen_rows
from flux_cli.build.project import open_projects
from flux_cli.build.references.binding import bind_to_rows
from flux_cli.build.shards import parts
from flux_cli.build.shards.choice import read_shard
from flux_cli.build.shards.joining import Joined, Source, is_settled, join
from flux_cli.commands.build.make import roots, sweep_unfinished, take_arrived
from flux_cli.commands.build.review.modes import check_report, write_review
from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.show import document_of, print_notes
from flux_cli.commands.build.step_summary import append_summary
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import counted, show_amount
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.build.options import BuildOptions
    from flux_cli.build.project import Project
    from flux_cli.core.model import Json

PARTIAL = 3


class _Merged(NamedTuple):
    """One project whose lock was written."""

    project: Project
    joined: Joined
    is_changed: bool


def merge(options: BuildOptions) -> int:
    """Merge parts, and return the exit code: 3 if any is missing. Raises FluxError."""
    given = options.mode.manifests or []
    named = [path for path in given if path.endswith(".lock")]
    projects = open_projects([path for path in given if path not in named])
    check_report(options, projects)
    return _report(options, merge_parts(projects, named))


def merge_parts(projects: list[Project], named: Sequence[str] = ()) -> list[_Merged]:
    """Write parts into the locks: those that are named, else those beside. Raises FluxError."""
    chosen = _by_project(projects, named)
    with ExitStack() as stack:
        for root in roots(projects).values():
            running = stack.enter_context(Running(root))
            running.interrupted = {}  # of the locks that are written here
        return [_merge(parts.reopen(one), chosen[one.lock_path]) for one in projects]


def _by_project(projects: Sequence[Project], named: Sequence[str]) -> dict[str, list[str]]:
    """The parts of each lock: those that are named, else those beside it. Raises UsageError."""
    found: dict[str, list[str]] = {one.lock_path: [] for one in projects}
    locks = {Path(lock).name: lock for lock in found}
    for path in named:
        name = parts.lock_name_of_part(path)
        if name not in locks:
            raise UsageError(f"{path} is a part of {name}, which no manifest here has")
        if not Path(path).exists():
            raise UsageError(f"there is no {path}", hint="name files that are there")
        found[locks[name]].append(path)
    if not named:
        found = {lock: parts.parts_beside(lock) for lock in found}
    if not any(found.values()) and not any(map(is_unfinished, found)):
        place = " or ".join(found)
        raise UsageError(f"no parts beside {place}", hint="name them: flux build --merge PART…")
    return found


def _merge(project: Project, paths: list[str]) -> _Merged:
    """Write the lock of one project, and delete the parts beside it."""
    beside = set(parts.parts_beside(project.lock_path))
    here = [path for path in paths if path in beside]
    take_arrived([project.lock_path, *here])
    for lock in (project.lock_path, *here):
        sweep_unfinished(project, lock)
    files = Files(project.root)
    common = chosen_rows(project.assets, project.lock, files)
    if is_unfinished(project.lock_path):
        run = interrupted_run(project.lock_path)
        common = take_over(project, common, files, run)
    project = project._replace(lock=project.lock._replace(rows=common, is_conflicted=False))
    sources = [_source(project, path, files, is_beside=path in here) for path in paths]
    joined = join(common, sources, project.assets, files)
    complete = [shard for shard in joined.missing if _is_complete(project, joined, shard)]
    joined = joined._replace(complete=complete)
    is_changed = save_lock(project.lock_path, joined.rows)
    _forget(pending_path(project.lock_path))
    for path in here:
        _forget(pending_path(path), running_path(path), path)
    return _Merged(project, joined, is_changed)


def _is_complete(project: Project, joined: Joined, shard: str) -> bool:
    """Whether nothing of a shard is left to be requested, so that no part of it is needed."""
    owns = parts.in_shard(project, read_shard(shard, {})).owns
    assets = bind_to_rows(project.assets, joined.rows)
    return all(is_settled(asset, joined.rows) for name, asset in assets.items() if owns(name))


def _source(project: Project, path: str, files: Files, *, is_beside: bool) -> Source:
    """The rows of a part, with what its shard has left if it was killed. Raises ManifestError."""
    part = parts.load_part(path)
    rows, shard = part.rows, parts.shard_of_part(path)
    if is_beside and shard and is_unfinished(path):
        own = parts.in_shard(project, shard)
        found = take_over(own, own.lock.rows, files, interrupted_run(path))
        rows = {name: row for name, row in found.items() if own.owns(name)}
    return Source(path, shard, rows, part.base)


def _forget(*paths: str) -> None:
    """Delete a part and what its shard has left: the lock has it."""
    for path in paths:
        with contextlib.suppress(OSError):
            Path(path).unlink()


def _report(options: BuildOptions, merged: list[_Merged]) -> int:
    """Print what was merged and what to know about it, and return the exit code."""
    is_partial = any(one.joined.missing for one in merged)
    code = PARTIAL if is_partial else 0
    paths = [one.project.lock_path for one in merged if one.is_changed]
    again = [parts.reopen(one.project) for one in merged]
    session = open_session(options, again)
    warnings = [line for one in merged for line in one.joined.warnings(one.project.assets)]
    session = session._replace(notes=(*warnings, *session.notes))
    append_summary(session, {})
    print_notes(session)
    if options.reporting.as_json:
        streams.out_json(document_of(session, "merge", code) | _facts(merged, paths))
        return write_review(session, code)
    for path in paths:
        streams.out_data(path)
    if not options.reporting.quiet:
        for line in map(_line, merged):
            messages.err(line)
    return write_review(session, code)


def _facts(merged: list[_Merged], paths: list[str]) -> dict[str, Json]:
    """What the document says of a merge alone."""
    costs = [one.joined.cost_usd for one in merged]
    sums: list[Json] = [part for one in merged for part in _part_facts(one)]
    again: list[Json] = [fact for one in merged for fact in _duplicate_facts(one)]
    return {
        "cost_usd": None if None in costs else sum(filter(None, costs)),
        "cost_source": "provider",
        "paths": list(paths),
        "parts": sums,
        "duplicates": again,
    }


def _duplicate_facts(merged: _Merged) -> Iterator[dict[str, Json]]:
    for paid in merged.joined.duplicates:
        yield {"name": paid.name, "cost_usd": paid.cost_usd}


def _part_facts(merged: _Merged) -> Iterator[dict[str, Json]]:
    for source in merged.joined.sources:
        new = merged.joined.new_of(source)
        cost = merged.joined.cost_of(source)
        yield {"path": source.path, "assets": len(source.rows), "images": new, "cost_usd": cost}


def _line(merged: _Merged) -> str:
    joined, lock = merged.joined, merged.project.lock_path
    cost = "cost unknown" if joined.cost_usd is None else f"{show_amount(joined.cost_usd)} USD"
    sources, rows = counted(len(joined.sources), "part"), counted(len(joined.rows), "asset")
    return f"flux: {sources} in {lock}: {rows}, {joined.images:,} new, {cost}"
