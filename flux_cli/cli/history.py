"""The commands about earlier runs: runs, recover. What they do is in `commands/`."""

from typing import Annotated

import typer

from flux_cli.cli.help import examples
from flux_cli.cli.options import AsJson, Verbose


@examples("flux runs", "flux runs 20261125-101502-4f3a1c", "flux runs --json")
def runs(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", show_default=False, help="Show one run, request by request"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List earlier runs.

    Every request that may cost money is recorded in a local journal before it is sent.
    """
    from flux_cli.commands.history.runs import run as work

    work(run=run, as_json=as_json)


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
