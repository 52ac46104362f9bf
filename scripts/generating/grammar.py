"""The table of the front door: of each lookup, the options whose meaning leaves nothing to ask."""

from pprint import pformat

from flux_cli.cli.finishing import Finishing
from flux_cli.cli.options import NAMED
from generating.app import Command, commands

LOOKUPS = ("sizes", "models", "resolve")
HEAD = '''"""Made by scripts/generate from the Typer app: change that, not this.

Of each lookup: its argument, its options (the name of the value, and what a flag says; None: the next word does),
and what holds where nothing is said. Below, which of the names are parameters of a model, and which say how files are
made.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Said = bool | None
    Line = tuple[str, dict[str, tuple[str, Said]], dict[str, Said]]
'''


def grammar() -> str:
    """The module `flux_cli/grammar.py`."""
    rows = {command.path[0]: _row(command) for command in commands() if command.path and command.path[0] in LOOKUPS}
    names = f"PARAMETERS = {_source(NAMED)}\nFINISHING = {_source(Finishing._fields)}\n"
    return f"{HEAD}\nLOOKUPS: dict[str, Line] = {_source(rows)}\n{names}"


def _source(value: object) -> str:
    return pformat(value, width=110, sort_dicts=False)


def _row(command: Command) -> tuple[str, dict[str, tuple[str, bool | None]], dict[str, object]]:
    """Options that name files, are given several times or mean something to Typer itself are left to it."""
    (argument,) = command.arguments
    options = [one for one in command.options if one.plain and "FILE" not in one.metavar]
    yes = {flag: (one.name, None if one.metavar else True) for one in options for flag in one.flags}
    no = {flag: (one.name, False) for one in options for flag in one.negatives}
    defaults = {name: value for name, value in command.defaults.items() if name not in ("help", argument.name)}
    return argument.name, yes | no, defaults
