"""`flux config`: its options. The work is in `commands/config.py`."""

from typing import Annotated

import typer

from flux_cli.cli.help import Command, Group

app = typer.Typer(
    cls=Group,
    help="Show every setting with its source.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document")]


@app.callback()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every setting with its source."""
    if context.invoked_subcommand:
        return
    from flux_cli.commands.config import run

    run(as_json=as_json)


@app.command("path", cls=Command, epilog='cat "$(flux config path)"')
def path() -> None:
    """Print the path of the user's settings file, there or not."""
    from flux_cli.commands.config import path as print_path

    print_path()
