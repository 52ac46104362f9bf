"""What flux uses of Typer beyond its documented interface; other modules use only `typer` itself.

Typer keeps the types of contexts, parameters, and help formatters private. The protocols below list
the public attributes of theirs that flux reads. Errors of command lines are told apart here, too.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn, Protocol, TypeAlias

Private: TypeAlias = Any  # an object whose type Typer does not export
TOO_MANY_ARGUMENTS = "Got unexpected extra argument"  # the beginning of Typer's message
NO_SUCH_COMMAND = "No such command"


class Formatter(Protocol):
    """Collects the text of a help page."""

    width: int
    current_indent: int

    def write(self, string: str, /) -> None: ...
    def write_text(self, text: str, /) -> None: ...
    def write_paragraph(self) -> None: ...
    def section(self, name: str, /) -> AbstractContextManager[None]: ...


class Parameter(Protocol):
    """An option or an argument of a command."""

    param_type_name: str  # "option" or "argument"
    opts: list[str]
    secondary_opts: list[str]  # such as --no-raw

    def get_help_record(self, ctx: Private, /) -> tuple[str, str] | None: ...


class ParsedCommand(Protocol):
    """A command that Typer has made from a function."""

    params: Sequence[Parameter]

    def get_params(self, ctx: Private, /) -> Sequence[Parameter]: ...


class Context(Protocol):
    """The command that is being parsed, and the groups above it."""

    command: ParsedCommand
    command_path: str  # "flux config path"
    parent: "Context | None"
    resilient_parsing: bool  # whether nothing must happen, as for completion

    def find_root(self) -> "Context": ...
    def get_help(self) -> str: ...
    def exit(self) -> NoReturn: ...


def flags_of(parameters: Sequence[Parameter]) -> list[str]:
    """All flags of all options."""
    flags: list[str] = []
    for parameter in parameters:
        if not is_argument(parameter):
            flags += [*parameter.opts, *parameter.secondary_opts]
    return flags


def is_argument(parameter: Parameter) -> bool:
    """Whether a parameter is typed without a name."""
    return parameter.param_type_name == "argument"


def takes_value(parameter: Parameter) -> bool:
    """Whether a parameter is an option with a value."""
    return not getattr(parameter, "is_flag", True)


def panel_of(parameter: Parameter) -> str:
    """The heading in help under which a parameter is listed."""
    default = "Arguments" if is_argument(parameter) else "Options"
    return getattr(parameter, "rich_help_panel", None) or default


def commands_of(context: Context) -> Mapping[str, ParsedCommand]:
    """The commands of a group by name, in the order of its help; empty for a command."""
    commands: Mapping[str, ParsedCommand] = getattr(context.command, "commands", {})
    return commands


def context_of(fault: Exception) -> Context | None:
    """Where in the command line an error was found, if that is known."""
    context: Context | None = getattr(fault, "ctx", None)
    return context


def unknown_option(fault: Exception) -> str | None:
    """The option that does not exist; None for other errors."""
    if not hasattr(fault, "possibilities"):
        return None
    return str(getattr(fault, "option_name", None))


def message_of(fault: Exception) -> str:
    """The message of an error on one line."""
    format_message = getattr(fault, "format_message", None)
    message = format_message() if format_message else str(fault)
    return " ".join(message.split())
