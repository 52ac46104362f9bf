"""`flux schema`: its argument. The documents are described in `core/schema.py`."""

from typing import Annotated

import typer

from flux_cli.terminal import streams


def schema(
    command: Annotated[
        str | None,
        typer.Argument(metavar="[COMMAND]", show_default=False, help="Only what this command prints"),
    ] = None,
) -> None:
    """Print the JSON Schema of what --json prints.

    Keys that are described stay as they are as long as "schema" says 1. New keys may come.
    """
    from flux_cli.commands.schema import document

    streams.out_json(document(command))
