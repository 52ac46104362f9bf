"""`flux build`: the one function that the command line calls, by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.show import print_check, print_plan
from flux_cli.core.errors import UsageError
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from flux_cli.build.options import BuildOptions


def run(options: BuildOptions) -> int:
    """Show the plan or check, and return the exit code. Raises FluxError."""
    mode = options.mode
    if mode.plan and mode.check:
        raise UsageError("--plan and --check contradict each other", hint="use only one of them")
    if not mode.plan and not mode.check:
        raise UsageError("say what to do", hint="flux build --plan, or flux build --check")
    session = open_session(options)
    if not options.reporting.quiet:
        for note in session.notes:
            messages.err(f"flux: note: {note}")
    return print_plan(session) if mode.plan else print_check(session)
