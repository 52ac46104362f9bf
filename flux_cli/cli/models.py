"""`flux models`: what the catalog knows, and everything about one model."""

from typing import Annotated

import typer

from flux_cli.cli.options import AsJson


def models(
    name: Annotated[str | None, typer.Argument(metavar="[MODEL]", show_default=False, help="Show one in full")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models of the catalog.

    Any other model of the gateway can be asked for too; its parameters then pass unchecked.
    """
    from flux_cli.commands.models import run

    run(name=name, as_json=as_json)
