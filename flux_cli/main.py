"""Entry point of `flux`: argv in, exit code out.

Plain command lines are parsed here, because parsing with Typer takes five times as long as
starting Python. `scripts/generate` turns the Typer app into `cli/table.py`: the common commands,
their options, and what each option takes. A command line that this table covers goes to the same
function that Typer would call (`commands/*.py: run`).

Help, invalid command lines, and rare spellings are left to Typer. tests/test_main.py proves that
both ways give the same result.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, NoReturn

    from flux_cli.cli.table import Line

    Values = dict[str, Any]

LONG_COMMANDS = {"generate", "edit", "recover", "convert", "build"}  # they end early with a result
COMPLETION = "_FLUX_COMPLETE"  # if this variable is set, Typer completes a command line
# New objects between two garbage collections. Python's own 700 would collect two hundred times
# while modules load, and find nothing.
COLLECT_AFTER = 100_000
NO_MEMORY = b"flux: error: cannot start: not enough memory\n"  # made before memory is short


def run() -> NoReturn:
    """Run the command line of this process and exit."""
    gc.set_threshold(COLLECT_AFTER)
    sys.unraisablehook = _unraisable
    try:
        if not LONG_COMMANDS.isdisjoint(sys.argv):
            from flux_cli.runs.interrupts import install

            install()
        code = answer(sys.argv[1:])
        if code is None:
            from flux_cli.cli.app import run as run_typer

            run_typer()
        from flux_cli.terminal.streams import leave

        leave(code)
    except KeyboardInterrupt:  # while modules are loading, nothing else catches it
        _end(b"flux: error: interrupted\n", 130)
    except (MemoryError, SystemError):  # SystemError: CPython itself ran out of memory
        _end(NO_MEMORY, 1)
    except (ImportError, OSError) as fault:
        _end(_cannot_start(fault), 1)


def _cannot_start(fault: Exception) -> bytes:
    """One line that says why; to build it takes memory."""
    try:
        return f"flux: error: cannot start: {fault}\n".encode(errors="backslashreplace")
    except (MemoryError, SystemError):  # SystemError: CPython itself ran out of memory
        return NO_MEMORY


def _end(line: bytes, code: int) -> NoReturn:
    """End the process at once, with one line on stderr."""
    try:
        os.write(2, line)
    finally:  # stderr may be closed
        os._exit(code)


def _unraisable(fault: sys.UnraisableHookArgs) -> None:
    """Ignore a Ctrl-C inside a destructor, for which Python would print a traceback."""
    if not isinstance(fault.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(fault)


def answer(arguments: Sequence[str]) -> int | None:
    """Run a command line and return its exit code.

    Returns None, with nothing done, if Typer must parse it.
    """
    work = _version if arguments in (["--version"], ["-V"]) else _work(arguments)
    if work is None or COMPLETION in os.environ:
        return None
    from flux_cli.commands.exit import run_command
    from flux_cli.terminal.streams import prepare

    prepare()
    return run_command(work, arguments)


def _version() -> None:
    from flux_cli import __version__
    from flux_cli.terminal.streams import out

    out(f"flux {__version__}")


def _work(arguments: Sequence[str]) -> Callable[[], object] | None:
    """The call that carries out a command line; None if the table does not cover it."""
    from flux_cli.cli.table import LINES

    if not arguments or arguments[0] not in LINES:
        return None
    command, *words = arguments
    line = LINES[command]
    if words and words[0] in line["below"]:
        return None
    values = read_line(words, line)
    if values is None:
        return None
    named = {name: values[name] for name in line["own"]}
    if line["options"]:
        named["options"] = _fill(line["options"], values)
    return lambda: _command(command)(**named)


def _fill(group: str, values: Values) -> object:
    """The options of a command, of which `group` is the class."""
    from flux_cli.core.options import GenerateOptions, fill

    if group == "GenerateOptions":
        return fill(GenerateOptions, values)
    if group == "BuildOptions":
        from flux_cli.build.options import BuildOptions

        return fill(BuildOptions, values)
    from flux_cli.core.convert_options import ConvertOptions

    return fill(ConvertOptions, values)


def _command(name: str) -> Callable[..., object]:
    """The function that does a command's work. Each command loads only the modules it needs."""
    return _image_command(name) or _lookup(name)


def _image_command(name: str) -> Callable[..., object] | None:
    if name == "generate":
        from flux_cli.commands.generate import run as generate

        return generate
    if name == "edit":
        from flux_cli.commands.edit import run as edit

        return edit
    if name == "resolve":
        from flux_cli.commands.resolve import run as resolve

        return resolve
    if name == "convert":
        from flux_cli.commands.convert import run as convert

        return convert
    if name == "build":
        from flux_cli.commands.build.run import run as build

        return build
    if name == "show":
        from flux_cli.commands.show import run as show

        return show
    return None


def _lookup(name: str) -> Callable[..., object]:
    if name == "sizes":
        from flux_cli.commands.sizes import run as sizes

        return sizes
    if name == "models":
        from flux_cli.commands.models import run as models

        return models
    if name == "runs":
        from flux_cli.commands.history.runs import run as runs

        return runs
    if name == "recover":
        from flux_cli.commands.history.recover import run as recover

        return recover
    raise AssertionError(f"{name} is in the table but not here")


def read_line(words: Sequence[str], line: Line) -> Values | None:
    """The value of every field, defaults included; None if the table does not cover the line."""
    values: Values = {**line["defaults"]}
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            found = _read_option(word, rest, line)
        else:
            found = _read_argument(word, values, line)
        if found is None:
            return None
        field, value = found
        if field in line["repeatable"]:
            values[field] = [*(values[field] or ()), value]
        else:
            values[field] = value
    return values


def _read_argument(word: str, values: Values, line: Line) -> tuple[str, str] | None:
    """The field and value of one argument; None if the command takes only one and has it."""
    is_taken = values[line["argument"]] is not None
    if is_taken and line["argument"] not in line["repeatable"]:
        return None
    return line["argument"], word


def _read_option(word: str, rest: Iterator[str], line: Line) -> tuple[str, Any] | None:
    """The field and value of one option; None if not covered. The value may come from `rest`."""
    flag, equals, attached = word.partition("=")
    if flag not in line["flags"]:
        return None
    field, constant = line["flags"][flag]
    if constant is not None:  # a switch takes no value
        return None if equals else (field, constant)
    if equals:
        return (field, attached) if flag.startswith("--") else None
    value = next(rest, None)
    if value is None or value.startswith("--"):  # no value, or an option in its place
        return None
    return field, value
