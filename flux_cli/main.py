"""The installed command: lines that leave nothing to ask are carried out at the door, all others are handed to Typer.

Typer describes the command line and costs five times as much as starting Python. From its description
`scripts/generate` makes `grammar`, a table of commands, the options they know, and their values. A line the table is
sure of goes to the same function that Typer would call (`commands/*.py: run`). Help, wrong lines and everything unusual
are handed on before anything has been done. tests/test_main.py proves that nobody can tell the difference.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    Values = dict[str, Any]

COMPLETION = "_FLUX_COMPLETE"  # Typer's own mechanism looks here before it looks at the line


def run() -> NoReturn:
    """The installed command."""
    sys.unraisablehook = _unraisable
    try:
        code = answer(sys.argv[1:])
        if code is None:
            from flux_cli.cli.app import run as ask_typer

            ask_typer()
        from flux_cli.terminal.streams import leave

        leave(code)
    except KeyboardInterrupt:  # while modules were loaded: nobody else was listening yet
        try:
            os.write(2, b"flux: error: interrupted\n")
        finally:  # stderr may be closed
            os._exit(130)


def _unraisable(fault: sys.UnraisableHookArgs) -> None:
    """Ctrl-C can hit a destructor, where Python drops it and prints a traceback. It is dropped all the same."""
    if not isinstance(fault.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(fault)


def answer(arguments: Sequence[str]) -> int | None:
    """Carry out a line and return its exit code; None, with nothing done, for any this module is not sure of."""
    work = _version if arguments in (["--version"], ["-V"]) else _work(arguments)
    if work is None or COMPLETION in os.environ:
        return None
    from flux_cli.commands.exit import ended
    from flux_cli.terminal.streams import prepare

    prepare()
    return ended(work, arguments)


def _version() -> None:
    from flux_cli import __version__
    from flux_cli.terminal.streams import out

    out(f"flux {__version__}")


def _work(arguments: Sequence[str]) -> Callable[[], object] | None:
    """What a line asks for; None where its command's table is not sure."""
    from flux_cli.grammar import COMMANDS

    if not arguments or arguments[0] not in COMMANDS:
        return None
    command, *words = arguments
    *grammar, groups, own = __import__(f"flux_cli.grammar.{command}", fromlist=["ROW"]).ROW
    typed = _read(words, *grammar)
    if typed is None:
        return None
    values = {name: typed[name] for name in own} | dict.fromkeys(groups, Typed(typed))
    return lambda: __import__(f"flux_cli.commands.{command}", fromlist=["run"]).run(**values)


def _read(
    words: Sequence[str], argument: str, options: dict[str, tuple[str, Any]], many: Sequence[str], defaults: Values
) -> Values | None:
    """The values of a line by the names its command gives them; None where the table is not sure."""
    typed = {**defaults}
    value: Any
    rest = iter(words)
    for word in rest:
        field, value = argument, word
        if word.startswith("-"):
            name, equals, after = word.partition("=")
            field, said = options.get(name, ("", None))
            if not field or (equals and (said is not None or not name.startswith("--"))):
                return None
            value = after if equals else next(rest, None) if said is None else said
            if value is not None and not equals and said is None and value.startswith("--"):
                return None  # an option in the place of a value
        if value is None or (field == argument and typed[field] is not None and field not in many):
            return None
        typed[field] = [*(typed[field] or ()), value] if field in many else value
    return typed


class Typed:
    """What was typed, as the groups of options in `cli` say it, for the lines this module is sure of."""

    def __init__(self, values: dict[str, Any]) -> None:
        vars(self).update(values)
