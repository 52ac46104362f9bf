"""The commands about earlier runs. What they do is in `commands/history/`."""

from typing import Annotated, Any

import typer

from flux_cli.cli.help import examples
from flux_cli.cli.options import AsJson, Verbose, option
from flux_cli.cli.spellings.others import PRUNE

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


Force = Annotated[
    bool,
    typer.Option(
        "--force",
        rich_help_panel="Run",
        show_default=False,
        help="Also remove images that were paid for but not saved",
    ),
]


@examples("flux runs rm 20261125-101502-4f3a1c", "flux runs rm last --force")
def remove(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", show_default=False, help="Runs to remove")
    ],
    force: Force = False,
) -> None:
    """Remove runs from the journal.

    A run that is under way is never removed. One with an image that was paid for but not saved, or
    with a request that may have been paid for, is removed only with --force. Saved images stay.
    """
    from flux_cli.commands.history.remove import run as work

    work(runs, force=force)


@examples("flux runs prune --older-than 30d", "flux runs prune --older-than 12h --yes")
def prune(
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than",
            metavar="AGE",
            rich_help_panel=SELECTION,
            show_default=False,
            help="Age of the runs: 12h, 30d, 8w",
        ),
    ],
    yes: Annotated[bool, option("yes", PRUNE)] = False,
    force: Force = False,
) -> None:
    """Remove old runs from the journal.

    Asks before it removes anything; where nobody can be asked, --yes is needed. Runs that are under
    way stay, and so do runs with an image that was paid for but not saved, or with a request that
    may have been paid for, unless --force is given.
    """
    from flux_cli.commands.history.remove import prune as work

    work(older_than=older_than, yes=yes, force=force)


BELOW = {"runs": {"rm": remove, "prune": prune}}  # commands below a command


@examples("flux recover", "flux recover 20261125-101502-4f3a1c")
def recover(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|last]", show_default=False, help="Recover one run only [default: all]"
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
