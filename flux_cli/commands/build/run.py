"""`flux build`: the one function that the command line calls, by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.project import open_projects
from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.show import print_check, print_html, print_notes, print_plan
from flux_cli.commands.build.step_summary import append_summary
from flux_cli.core.errors import UsageError

if TYPE_CHECKING:
    from flux_cli.build.options import BuildOptions
    from flux_cli.commands.build.session import Session


def run(options: BuildOptions) -> int:
    """Build, show the plan, or check, and return the exit code. Raises FluxError."""
    mode = options.mode
    if sum(mode[1:]) > 1:
        message = "--plan, --check, --html and --init contradict each other"
        raise UsageError(message, hint="use only one of them")
    if mode.init:
        from flux_cli.commands.build.init import init

        return init(options)
    if options.access.log_file is not None:
        from flux_cli.runs.progress.log import check_log

        check_log(options.access.log_file)
    projects = open_projects(mode.manifests or [])
    if options.review.report is not None:
        from flux_cli.commands.build.review import check_review

        check_review(options, projects)
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


def write_review(session: Session, code: int) -> int:
    """Write the page of --report for a plan or a check, and return the exit code."""
    if session.options.review.report is None:
        return code
    from flux_cli.commands.build.review import Review

    return Review(session).finish(code)
