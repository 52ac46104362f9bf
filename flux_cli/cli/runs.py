"""`flux runs`: its options. The work is in `commands/runs.py`."""

from typing import Annotated

import typer

from flux_cli.cli.options import AsJson


def runs(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", show_default=False, help="Show one, call by call")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List earlier runs.

    Everything that may cost money is written down before it is sent, in the state folder of this machine.
    """
    from flux_cli.commands.runs import run as work

    work(run=run, as_json=as_json)
