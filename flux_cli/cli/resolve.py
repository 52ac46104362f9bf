"""`flux resolve`: what generate would send, and why. Offline, without a key, in an instant."""

from typing import Annotated

import typer

from flux_cli import console
from flux_cli.cli.options import OUTPUT, Options, takes_options
from flux_cli.lookups.resolve import answer


@takes_options
def resolve(
    options: Options,
    curl: Annotated[
        bool, typer.Option("--curl", rich_help_panel=OUTPUT, help="Print a curl command to paste into a shell")
    ] = False,
) -> None:
    """Show what would be sent, and why.

    Takes every option of generate, sends nothing and needs no key: parameter by parameter what was asked, what is
    sent, how it is handled and the reason.
    """
    console.out(answer(options, curl=curl))
