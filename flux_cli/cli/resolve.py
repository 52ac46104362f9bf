"""`flux resolve`: what generate would send, and why. Offline, without a key, in an instant."""

from typing import Annotated

import typer

from flux_cli.cli.finishing import Finishing
from flux_cli.cli.options import OUTPUT, Options, takes_options
from flux_cli.cli.provenance import Metadata
from flux_cli.cli.viewing import Viewing


@takes_options
def resolve(
    options: Options,
    finishing: Finishing,
    metadata: Metadata,  # noqa: ARG001 - taken, so that a line for generate can be asked about as it is
    viewing: Viewing,  # noqa: ARG001 - as above
    curl: Annotated[
        bool, typer.Option("--curl", rich_help_panel=OUTPUT, help="Print a curl command to paste into a shell")
    ] = False,
) -> None:
    """Show what would be sent, and why.

    Takes every option of generate, sends nothing and needs no key: parameter by parameter what was asked, what is
    sent, how it is handled and the reason.
    """
    from flux_cli.commands.resolve import run

    run(options, finishing, curl=curl)
