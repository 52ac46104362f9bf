"""`flux sizes`: the model's published sizes, or the one nearest to what somebody has in mind."""

from typing import Annotated

import typer

from flux_cli.cli.options import OUTPUT, AsJson, ModelName


def sizes(
    shape: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RATIO|SIZE]", show_default=False, help="16:9 or 1920x1080: the nearest row"),
    ] = None,
    model: ModelName = None,
    as_json: AsJson = False,
    plain: Annotated[
        bool, typer.Option("--plain", rich_help_panel=OUTPUT, help="Print only sizes, such as 1365x768")
    ] = False,
) -> None:
    """Show a model's sizes, or the nearest one.

    Pixels are nominal: the model itself draws larger images of the same shape, see native.
    """
    from flux_cli.commands.sizes import run

    run(shape=shape, model=model, as_json=as_json, plain=plain)
