"""The table of the front door: the commands people run often, and the options whose meaning leaves nothing to ask."""

import inspect
from textwrap import fill

from flux_cli.cli.app import COMMANDS
from generating.app import Command, commands

KNOWN = ("generate", "resolve", "convert", "show", "runs", "recover", "sizes", "models")
MODULE = '''"""Made by scripts/generate from the Typer app: change that, not this. `main.py` reads plain lines by it."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import ConvertOptions, GenerateOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Line(NamedTuple):
    """How the line of one command is read."""

    argument: str  # the field of words without a dash
    flags: dict[str, tuple[str, bool | None]]  # flag -> its field, and what a switch says (None: it takes a value)
    repeatable: tuple[str, ...]  # fields that may be given several times
    defaults: dict[str, Any]  # of every field
    options: type[Any] | None  # the noun that the command takes as `options`
    own: tuple[str, ...]  # fields that it takes on their own


'''


def table() -> str:
    """`flux_cli/cli/table.py`."""
    known = {command.path[0]: command for command in commands() if command.path[:1] and command.path[0] in KNOWN}
    lines = "".join(f"    {name!r}: {_line(known[name])},\n" for name in KNOWN)
    return f"{MODULE}LINES = {{\n{lines}}}\n"


def _line(command: Command) -> str:
    """The row of one command. Options that mean something to Typer itself are left to it."""
    (argument,) = command.arguments
    options = [one for one in command.options if one.plain]
    yes = {flag: (one.name, None if one.metavar else True) for one in options for flag in one.flags}
    no = {flag: (one.name, False) for one in options for flag in one.negatives}
    repeatable = tuple(one.name for one in (argument, *options) if one.many)
    defaults = {name: value for name, value in command.defaults.items() if name != "help"}
    function = COMMANDS[command.path[0]]
    noun = getattr(function, "options", None)
    own = getattr(function, "own", tuple(inspect.signature(function).parameters))
    kind = noun.__name__ if noun else "None"
    values = (argument.name, yes | no, repeatable, defaults)
    return f"Line({', '.join(map(_source, values))}, {kind}, {_source(own)})"


def _source(value: object) -> str:
    return fill(repr(value), 116, break_long_words=False, break_on_hyphens=False)
