"""`flux recover`: its options. The work is in `commands/recover.py`."""

from typing import Annotated

import typer

from flux_cli.cli.options import AsJson


def recover(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", show_default=False, help="One run; all of them without it")
    ] = None,
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the causes behind an error")] = False,
) -> int:
    """Save what is paid for and not saved.

    Fetches images of runs that were killed or could not save, polls jobs that were not finished, and asks the gateway
    what became of calls without an answer. It makes no new images, and costs nothing. Exit code 3: the gateway
    does not know yet whether a call was paid for; ask again later.
    """
    from flux_cli.commands.recover import run as work

    return work(run=run, as_json=as_json, verbose=verbose)
