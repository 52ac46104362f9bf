"""`flux providers`: its options. The work is in `commands/providers.py`."""

from typing import Annotated

import typer

from flux_cli.cli.options import AsJson, ModelName


def providers(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[PROVIDER]", show_default=False, help="Show what one makes of every parameter"),
    ] = None,
    model: ModelName = None,
    as_json: AsJson = False,
) -> None:
    """List who can be asked.

    With a name: what that provider makes of every parameter of the model, whether it passes it on, renames it,
    converts it, leaves it to flux, or cannot do it.
    """
    from flux_cli.commands.providers import run

    run(name=name, model=model, as_json=as_json)
