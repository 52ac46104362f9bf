"""The commands about earlier runs: runs, recover. What they do is in `commands/`."""

from typing import Annotated, Any

import typer

from flux_cli.cli.help import examples
from flux_cli.cli.options import AsJson, Verbose

SELECTION = "Selection"  # the heading of options that select runs
RunName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN|last]", show_default=False, help="Show one run, request by request"
    ),
]


def _selecting(flag: str, metavar: str | None, text: str) -> Any:  # noqa: ANN401 - for Typer
    return typer.Option(
        flag, metavar=metavar, rich_help_panel=SELECTION, show_default=False, help=text
    )


@examples(
    "flux runs",
    "flux runs last",
    "flux runs 20261125-101502-4f3a1c",
    "flux runs --since 7d --search fox",
    "flux runs --failed --limit all --json",
)
def runs(
    run: RunName = None,
    limit: Annotated[
        str | None, _selecting("--limit", "N|all", "List at most N runs [default: 20]")
    ] = None,
    since: Annotated[
        str | None,
        _selecting("--since", "TIME", "From a time on: 2026-01-31, 12h, 7d, today, yesterday"),
    ] = None,
    failed: Annotated[
        bool, _selecting("--failed", None, "Only runs that did not save every image")
    ] = False,
    search: Annotated[
        str | None,
        _selecting("--search", "TEXT", "Only runs with this text in a prompt or a file name"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List earlier runs, the newest first.

    Every request that may cost money is recorded in a local journal before it is sent. The last
    line has the totals of the runs that are listed.
    """
    from flux_cli.commands.history.runs import run as work

    work(run=run, limit=limit, since=since, failed=failed, search=search, as_json=as_json)


@examples("flux recover", "flux recover 20261125-101502-4f3a1c")
def recover(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", show_default=False, help="Recover one run only [default: all]"
        ),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Recover images that were paid for but not saved.

    Fetches images of runs that were killed or could not save them, polls unfinished jobs, and looks
    up requests without a response in the gateway's history. It generates nothing and costs nothing.
    Exit code 3 means that the gateway does not know yet whether a request was billed; try again
    later.
    """
    from flux_cli.commands.history.recover import run as work

    return work(run=run, as_json=as_json, verbose=verbose)
