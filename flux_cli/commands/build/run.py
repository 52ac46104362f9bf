"""`flux build`: the one function that the command line calls, by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.project import open_projects
from flux_cli.build.stream.options import refuse_stream_options
from flux_cli.build.stream.source import is_stream
from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.show import print_check, print_html, print_notes, print_plan
from flux_cli.commands.build.step_summary import append_summary
from flux_cli.core.errors import UsageError

if TYPE_CHECKING:
    from flux_cli.build.options import BuildOptions


def run(options: BuildOptions) -> int:
    """Build, show the plan, or check, and return the exit code. Raises FluxError."""
    mode = options.mode
    if sum(mode[1:]) > 1:
        message = "--plan, --check, --html and --init contradict each other"
        raise UsageError(message, hint="use only one of them")
    if mode.init:
        refuse_stream_options(options)
        from flux_cli.commands.build.init import init

        return init(options)
    if options.access.log_file is not None:
        from flux_cli.runs.progress.log import check_log

        check_log(options.access.log_file)
    if any(map(is_stream, mode.manifests or [])):
        from flux_cli.commands.build.stream import run_stream

        return run_stream(options)
    refuse_stream_options(options)
    projects = open_projects(mode.manifests or [])
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
    return code
