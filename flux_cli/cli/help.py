"""Formats help, with options in panels, and rejects options typed in the place of a value."""

import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from shutil import get_terminal_size
from typing import Any, TypeVar

from typer.core import TyperCommand, TyperGroup

from flux_cli.cli.typer_parts import (
    Context,
    Formatter,
    Parameter,
    Private,
    flags_of,
    panel_of,
    takes_value,
)
from flux_cli.core.errors import UsageError
from flux_cli.terminal import streams
from flux_cli.terminal.table import wrap_words

NARROW = 60  # columns; below this width, explanations go below the names
MAX_SUMMARY = 1000  # characters; summaries are never cut
NAME_COLUMNS = 30
SHELL_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")  # quoted parts stay whole

Function = TypeVar("Function", bound=Callable[..., Any])


def examples(*lines: str) -> Callable[[Function], Function]:
    """Set the command lines that a command's help shows as examples."""

    def decorate(command: Function) -> Function:
        command.examples = lines  # type: ignore[attr-defined] # functions take attributes
        return command

    return decorate


def fills(values: Callable[[], dict[str, str]]) -> Callable[[Function], Function]:
    """Set what fills the {fields} of a command's help. It is called only where help is shown."""

    def decorate(command: Function) -> Function:
        command.help_values = values  # type: ignore[attr-defined] # functions take attributes
        return command

    return decorate


def help_text(command: TyperCommand) -> str:
    """What a command's help says above the options."""
    text = command.help or ""
    values = getattr(command.callback, "help_values", None)
    return text.format(**values()) if values else text


def columns(default: int = 80) -> int:
    """The width of help in columns: COLUMNS, else that of the terminal, else `default`."""
    return max(20, get_terminal_size((default, 24)).columns)


class Command(TyperCommand):
    """A command whose help lists options by panel and ends with examples."""

    def get_help_option(self, ctx: Private) -> Private:
        return _help_option(super().get_help_option(ctx))

    def parse_args(self, ctx: Private, args: list[str]) -> list[str]:
        _refuse_slips(self.get_params(ctx), args)
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Private, formatter: Private) -> None:
        _write_usage(formatter, ctx.command_path, self.collect_usage_pieces(ctx))

    def format_help_text(self, ctx: Private, formatter: Private) -> None:
        self.help = help_text(self)
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: Private, formatter: Private) -> None:
        _write_options(formatter, self.get_params(ctx), ctx)

    def format_epilog(self, ctx: Private, formatter: Private) -> None:  # noqa: ARG002 - Typer's
        _write_epilog(formatter, self.epilog)


class Group(TyperGroup):
    """A group of commands whose help looks the same."""

    def get_help_option(self, ctx: Private) -> Private:
        return _help_option(super().get_help_option(ctx))

    def parse_args(self, ctx: Private, args: list[str]) -> list[str]:
        own = list(takewhile(lambda word: word.startswith("-"), args))
        _refuse_slips(self.get_params(ctx), own)
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Private, formatter: Private) -> None:
        _write_usage(formatter, ctx.command_path, self.collect_usage_pieces(ctx))

    def format_options(self, ctx: Private, formatter: Private) -> None:
        _write_options(formatter, self.get_params(ctx), ctx)
        summaries = [
            (name, command.get_short_help_str(MAX_SUMMARY))
            for name, command in self.commands.items()
        ]
        _write_section(formatter, "Commands", summaries)

    def format_epilog(self, ctx: Private, formatter: Private) -> None:  # noqa: ARG002 - Typer's
        _write_epilog(formatter, self.epilog)


class CommandGroup(Group):
    """A group that is a command, too: unless the first word is one of its commands.

    `flux runs rm RUN` is the command `rm`, and `flux runs RUN --json` is `runs` itself.
    """

    def parse_args(self, ctx: Private, args: list[str]) -> list[str]:
        if args and args[0] in self.commands:  # it alone does the work
            self.params, self.callback = [], None
        else:
            _refuse_slips(self.get_params(ctx), args)
            ctx.allow_interspersed_args, ctx.allow_extra_args = True, False
        return super().parse_args(ctx, args)


def _help_option(option: Private) -> Private:
    """The --help option. It prints through `streams`, which reports a stdout that is full."""
    if option is not None:
        option.callback = _print_help
    return option


def _print_help(ctx: Context, _option: Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        streams.out(ctx.get_help())
        ctx.exit()


def _write_usage(formatter: Formatter, path: str, pieces: Sequence[str]) -> None:
    words = f"Usage: {path} {' '.join(pieces)}".split()
    formatter.write("\n    ".join(wrap_words(words, formatter.width - 4)) + "\n")


def _write_options(formatter: Formatter, parameters: Sequence[Parameter], ctx: Context) -> None:
    panels: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record:
            panels.setdefault(panel_of(parameter), []).append(record)
    for title, records in panels.items():
        _write_section(formatter, title, records)


def _write_epilog(formatter: Formatter, text: str | None) -> None:
    """Write examples, then, after an empty line, other text."""
    examples, _, rest = (text or "").partition("\n\n")
    if examples:
        with formatter.section("Examples"):
            for example in examples.splitlines():
                _write_example(formatter, example)
    if rest:
        formatter.write_paragraph()
        formatter.write_text(rest)


def _write_example(formatter: Formatter, example: str) -> None:
    """Write a command line. A long one is broken into lines that can be pasted."""
    margin = " " * formatter.current_indent
    lines = [example]
    if len(margin + example) > formatter.width:
        lines = wrap_words(SHELL_WORD.findall(example), formatter.width - len(margin) - 6)
    formatter.write(margin + f" \\\n{margin}    ".join(lines) + "\n")


def _write_section(formatter: Formatter, title: str, records: Sequence[tuple[str, str]]) -> None:
    """Write names with their explanations beside or below them, wrapped between words."""
    with formatter.section(title):
        indent = formatter.current_indent
        longest = max(len(name) for name, _ in records)
        left = indent + 4
        if formatter.width >= NARROW:
            left = indent + min(NAME_COLUMNS, longest) + 2
        for name, text in records:
            for line in _record_lines(name, text, indent, left, formatter.width):
                formatter.write(line + "\n")


def _record_lines(name: str, text: str, indent: int, left: int, width: int) -> list[str]:
    """The lines of one name and its explanation, which begins in column `left`."""
    names = [" " * indent + part for part in wrap_words(name.split(), width - indent)]
    lines = wrap_words(text.split(), width - left)
    if len(names) == 1 and len(names[0]) + 2 <= left and lines[0]:
        names = [names[0].ljust(left) + lines.pop(0)]
    return [*names, *(" " * left + line for line in lines if line)]


def _refuse_slips(parameters: Sequence[Parameter], line: Sequence[str]) -> None:
    """Raise UsageError for `-offline`, which would mean `-o ffline`, and for `-o --json`."""
    with_value = flags_of([parameter for parameter in parameters if takes_value(parameter)])
    long_options = {flag for flag in flags_of(parameters) if flag.startswith("--")}
    words = iter(line)
    for word in words:
        if word == "--":
            return
        flag, equals, value = word.partition("=")
        if word in with_value:
            following = next(words, "")
            if following in long_options:
                raise _option_as_value(word, following, parameters)
        elif equals and flag in with_value and not flag.startswith("--"):
            message = f"{flag} takes its value without ="
            raise UsageError(message, hint=f"did you mean {flag} {value}?")
        elif f"-{flag}" in long_options and len(word) > len("-x"):
            needs_value = f"-{flag}" in with_value and not equals
            following = next(words, "") if needs_value else ""
            corrected = f"-{word} {following}".rstrip()
            raise UsageError(f"no such option: {flag}", hint=f"did you mean {corrected}?")


def _option_as_value(flag: str, value: str, parameters: Sequence[Parameter]) -> UsageError:
    """The error for an option in the place of another one's value."""
    spellings = next(parameter.opts for parameter in parameters if flag in parameter.opts)
    long = next(name for name in spellings if name.startswith("--"))
    hint = f"give {flag} its own value; if {value} is the value, write {long}={value}"
    return UsageError(f"{flag} takes a value, and {value} is an option", hint=hint)
