"""`flux build`: the one function that the command line calls, by mode."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.project import open_projects
from flux_cli.build.shards.parts import check_parts, in_shard
from flux_cli.build.stream.options import refuse_stream_options
from flux_cli.build.stream.source import is_stream
from flux_cli.commands.build.review.modes import check_report, write_review
from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.sharing import store_address
from flux_cli.commands.build.show import print_check, print_html, print_notes, print_plan
from flux_cli.commands.build.step_summary import append_summary
from flux_cli.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.build.options import BuildOptions
    from flux_cli.build.project import Project
    from flux_cli.build.shards.division import Shard


def run(options: BuildOptions) -> int:
    """Build, show the plan, or check, and return the exit code. Raises FluxError."""
    mode = options.mode
    if sum(mode[1:]) > 1:
        message = "--plan, --check, --html, --init and --merge contradict each other"
        raise UsageError(message, hint="use only one of them")
    shard = _shard(options)
    if mode.init and options.machines.on is None:
        refuse_stream_options(options)
        from flux_cli.commands.build.init import init

        return init(options)
    if options.access.log_file is not None:
        from flux_cli.runs.progress.log import check_log

        check_log(options.access.log_file)
    store_address(options)  # a wrong one is an error in every mode
    if any(map(is_stream, mode.manifests or [])):
        from flux_cli.commands.build.stream import run_stream

        return run_stream(options, shard)
    refuse_stream_options(options)
    if work := _work_of_machines(options):
        return work(options)
    projects = _open(options, shard)
    check_report(options, projects)
    if not any(mode[1:]):
        from flux_cli.commands.build.make import build

        return build(options, projects)
    session = open_session(options, projects)
    if mode.html:
        print_html(session)
        return 0
    print_notes(session)
    code = print_plan(session) if mode.plan else print_check(session)
    append_summary(session, {})
    return write_review(session, code)


def _work_of_machines(options: BuildOptions) -> Callable[[BuildOptions], int] | None:
    """What starts the work of several machines, or ends it; None for a build on one."""
    if options.machines.on is not None:
        from flux_cli.commands.build.spread import spread

        return spread
    if options.mode.merge:
        from flux_cli.commands.build.merge import merge

        return merge
    return None


def _shard(options: BuildOptions) -> Shard | None:
    """The shard that the command line names. Raises UsageError."""
    text, mode, decisions = options.machines.shard, options.mode, options.decisions
    if text is None:
        return None
    from flux_cli.build.shards.choice import read_shard

    if mode.init or mode.merge:
        other = "--init" if mode.init else "--merge"
        message = f"--shard and {other} contradict each other"
        raise UsageError(message, hint="use only one of them")
    if decisions.prune or decisions.prune_originals:
        message = "a shard deletes nothing that others may need"
        raise UsageError(message, hint="merge the parts, then run flux build --prune")
    return read_shard(text, os.environ)


def _open(options: BuildOptions, shard: Shard | None) -> list[Project]:
    """Open the projects, each as the shard sees it. Raises ManifestError, UsageError."""
    projects = open_projects(options.mode.manifests or [])
    if not options.mode.html:
        check_parts(projects, shard)
    if shard is None:
        return projects
    return [in_shard(project, shard) for project in projects]
