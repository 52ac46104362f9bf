"""`flux config`: every setting with its value and where it came from; keys only as there or not there."""

from typing import Annotated

import typer

from flux_cli import config, console, folders, keys
from flux_cli.cli.help import Command, Group
from flux_cli.core.errors import ConfigError
from flux_cli.core.model import Json
from flux_cli.core.settings import BY_NAME
from flux_cli.providers import ROWS

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
    settings = config.load({}, ROWS)
    values = settings.values
    variables = dict.fromkeys(name for row in settings.providers.values() for name in row.key_variables)
    states = {variable: _key(variable) for variable in variables}
    if as_json:
        rows: dict[str, Json] = {
            name: {"value": value.value, "source": value.source, "variable": BY_NAME[name].variable}
            for name, value in values.items()
        }
        there: dict[str, Json] = dict(states)
        console.out_json({"settings": rows, "keys": there, "folder": str(folders.user_folder())})
        return
    listed = [
        (name, console.shown(value.value), value.source, BY_NAME[name].variable, BY_NAME[name].help)
        for name, value in values.items()
    ]
    console.out(console.table([("Setting", "value", "source", "variable", "about"), *listed]))
    console.out("\n" + console.table([("Key", "state"), *states.items()]))


@app.command("path", cls=Command, epilog='cat "$(flux config path)"')
def path() -> None:
    """Print the path of the user's settings file, there or not."""
    console.out(str(folders.user_folder() / "config.toml"))


def _key(variable: str) -> str:
    """Whether there is a key and where from; a file that may not be used says why."""
    try:
        secret, source = keys.find(variable, folders.user_folder())
    except ConfigError as fault:
        return f"unusable: {fault.message}"
    return f"set, from {source}" if secret else "not set"
