"""The installed command: lookups are answered at the door, everything else is handed on to Typer.

Typer describes the command line and costs ten times as much as starting Python. From its description
`scripts/generate` makes `grammar`, a table of the lines that leave nothing to ask: a lookup, options it knows, their
values. Such a line goes to the same functions that Typer would call. A line the table is not sure of, and any that is
wrong, is handed on before a word has been said. tests/test_door.py proves that nobody can tell the difference.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

COMPLETION = "_FLUX_COMPLETE"  # Typer's own mechanism looks here before it looks at the line


def run() -> NoReturn:
    """The installed command."""
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded: nobody else was listening yet
        os.write(2, b"flux: error: interrupted\n")
        os._exit(130)


def _run(arguments: Sequence[str]) -> NoReturn:
    text = answer(arguments)
    if text is None:
        from flux_cli.cli import run as ask_typer

        ask_typer()
    from flux_cli import streams
    from flux_cli.core.errors import FluxError

    streams.prepare()
    try:
        streams.out(text)
    except FluxError as fault:
        from flux_cli.cli import failed

        streams.leave(failed(fault, arguments))
    streams.leave(0)


def answer(arguments: Sequence[str]) -> str | None:
    """What goes to stdout for a lookup; None for everything this module is not sure of, errors included."""
    if arguments in (["--version"], ["-V"]):
        from flux_cli import __version__

        return f"flux {__version__}"
    if not arguments or arguments[0] not in ("sizes", "models", "resolve") or COMPLETION in os.environ:
        return None
    from flux_cli.core.errors import FluxError

    typed = _read(arguments[0], arguments[1:])
    if typed is None:
        return None
    try:
        return _answer(arguments[0], typed)
    except FluxError:
        return None


def _answer(command: str, typed: dict[str, Any]) -> str:
    if command == "resolve":
        from flux_cli.lookups.resolve import answer as resolve

        curl = typed.pop("curl")
        options: Any = Typed(typed)
        return resolve(options, options, curl=curl)
    if command == "models":
        from flux_cli.lookups.models import answer as models

        return models(**typed)
    from flux_cli.lookups.sizes import answer as sizes

    return sizes(**typed)


def _read(command: str, words: Sequence[str]) -> dict[str, Any] | None:
    """The values of a line by the names the command gives them; None where the table is not sure."""
    from flux_cli.grammar import LOOKUPS

    argument, options, defaults = LOOKUPS[command]
    typed: dict[str, Any] = {**defaults, argument: None}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            if typed[argument] is not None or word.startswith("@"):
                return None
            typed[argument] = word
            continue
        name, equals, value = word.partition("=")
        field, said = options.get(name, ("", None))
        if not field or (equals and (said is not None or not name.startswith("--"))):
            return None
        typed[field] = value if equals else next(rest, None) if said is None else said
        if typed[field] is None:
            return None
    return typed


class Typed:
    """What was typed, as `cli.options.Options` says it, for the lines this module is sure of."""

    def __init__(self, values: dict[str, Any]) -> None:
        vars(self).update(values)

    def one_prompt(self) -> str | None:
        prompt: str | None = vars(self)["prompt"]
        return prompt

    def parameters(self) -> dict[str, Any]:
        from flux_cli.grammar import PARAMETERS

        return {name: value for name in PARAMETERS if (value := vars(self)[name]) is not None}
