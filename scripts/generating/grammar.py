"""The tables of the front door: of each command it knows, the options whose meaning leaves nothing to ask."""

import inspect
from collections.abc import Callable
from functools import partial
from pprint import pformat

from flux_cli.cli.app import COMMANDS
from flux_cli.cli.finishing import Finishing
from flux_cli.cli.options import NAMED
from generating.app import Command, commands

KNOWN = ("generate", "resolve", "convert", "show", "runs", "recover", "sizes", "models")
NAMES = '''"""Made by scripts/generate from the Typer app: change that, not this.

The commands of which the front door can read a line (a module each), which of the names of their values are parameters
of a model, and which say how files are made.
"""

'''
ROW = '''"""Made by scripts/generate from the Typer app: change that, not this.

The argument; the options (the name of the value, and what a flag says; None: the next word does); which values may be
said again; what holds where nothing is said; the groups of values the command's function takes, and single ones.
"""

'''


def files() -> dict[str, Callable[[], str]]:
    """Every module of the folder `flux_cli/grammar`, by its name."""
    return {"__init__": _names, **{name: partial(_module, name) for name in KNOWN}}


def _names() -> str:
    tables = {"COMMANDS": KNOWN, "PARAMETERS": NAMED, "FINISHING": Finishing._fields}
    return NAMES + "".join(f"{name} = {_source(value)}\n" for name, value in tables.items())


def _module(name: str) -> str:
    (command,) = (one for one in commands() if one.path == (name,))
    return f"{ROW}ROW = {_source(_row(command))}\n"


def _source(value: object) -> str:
    return pformat(value, width=110, sort_dicts=False)


def _row(command: Command) -> tuple[object, ...]:
    """Options that mean something to Typer itself are left to it."""
    (argument,) = command.arguments
    options = [one for one in command.options if one.plain]
    yes = {flag: (one.name, None if one.metavar else True) for one in options for flag in one.flags}
    no = {flag: (one.name, False) for one in options for flag in one.negatives}
    many = tuple(one.name for one in (argument, *options) if one.many)
    defaults = {name: value for name, value in command.defaults.items() if name != "help"}
    function = COMMANDS[command.path[0]]
    groups = getattr(function, "groups", ())
    own = getattr(function, "own", tuple(inspect.signature(function).parameters))
    return argument.name, yes | no, many, defaults, groups, own
