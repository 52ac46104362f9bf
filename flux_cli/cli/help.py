"""Formats help (options in panels, examples at the end) and rejects options typed in the place of a value."""

import re
from collections.abc import Callable, Sequence
from shutil import get_terminal_size
from typing import Any, TypeVar

from typer.core import TyperCommand, TyperGroup

from flux_cli.core.errors import UsageError
from flux_cli.core.table import wrap_words
from flux_cli.terminal import streams

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


def columns(default: int = 80) -> int:
    """The width of help in columns: COLUMNS, else that of the terminal, else `default`."""
    return max(20, get_terminal_size((default, 24)).columns)


class Command(TyperCommand):
    """A command whose help lists options by panel and ends with examples."""

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer keeps these types private
        return _help_option(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        _refuse_slips(self.get_params(ctx), args)
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        _usage(self.collect_usage_pieces(ctx), ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        _options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - as above
        _epilog(self.epilog, formatter)


class Group(TyperGroup):
    """A group of commands whose help looks the same."""

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        return _help_option(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        own = next(
            (place for place, word in enumerate(args) if not word.startswith("-")), len(args)
        )
        _refuse_slips(self.get_params(ctx), args[:own])
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        _usage(self.collect_usage_pieces(ctx), ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        _options(self.get_params(ctx), ctx, formatter)
        summaries = {
            name: one.get_short_help_str(MAX_SUMMARY) for name, one in self.commands.items()
        }
        _section(
            formatter, "Commands", [(name, summaries[name]) for name in self.list_commands(ctx)]
        )

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - as above
        _epilog(self.epilog, formatter)


def _help_option(option: Any) -> Any:  # noqa: ANN401 - as above
    """The --help option, printing through `streams`, which reports the error if stdout cannot be written."""
    if option is not None:
        option.callback = _print_help
    return option


def _print_help(ctx: Any, _option: Any, value: bool) -> None:  # noqa: ANN401 - as above
    if value and not ctx.resilient_parsing:
        streams.out(ctx.get_help())
        ctx.exit()


def _usage(pieces: Sequence[str], ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
    words = f"Usage: {ctx.command_path} {' '.join(pieces)}".split()
    formatter.write("\n    ".join(wrap_words(words, formatter.width - 4)) + "\n")


def _options(parameters: Sequence[Any], ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        if record := parameter.get_help_record(ctx):
            kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
            groups.setdefault(getattr(parameter, "rich_help_panel", None) or kind, []).append(
                record
            )
    for title, records in groups.items():
        _section(formatter, title, records)


def _epilog(text: str | None, formatter: Any) -> None:  # noqa: ANN401 - as above
    """Examples, then, after an empty line, other text. Long examples are broken into lines that can be pasted."""
    examples, _, rest = (text or "").partition("\n\n")
    if examples:
        with formatter.section("Examples"):
            margin = " " * formatter.current_indent
            for example in examples.splitlines():
                lines = [example]
                if len(margin + example) > formatter.width:
                    lines = wrap_words(
                        SHELL_WORD.findall(example), formatter.width - len(margin) - 6
                    )
                formatter.write(margin + f" \\\n{margin}    ".join(lines) + "\n")
    if rest:
        formatter.write_paragraph()
        formatter.write_text(rest)


def _section(formatter: Any, title: str, records: Sequence[tuple[str, str]]) -> None:  # noqa: ANN401 - as above
    """Write names with their explanations beside or below them, wrapped between words."""
    with formatter.section(title):
        margin = " " * formatter.current_indent
        beside = min(NAME_COLUMNS, max(len(name) for name, _ in records)) + len(margin) + 2
        left = beside if formatter.width >= NARROW else len(margin) + 4
        for name, text in records:
            lines = wrap_words(text.split(), formatter.width - left)
            names = [
                margin + part for part in wrap_words(name.split(), formatter.width - len(margin))
            ]
            if len(names) == 1 and len(names[0]) + 2 <= left and lines[0]:
                names = [names[0].ljust(left) + lines.pop(0)]
            formatter.write(
                "\n".join([*names, *(" " * left + line for line in lines if line)]) + "\n"
            )


def names_of(parameters: Sequence[Any]) -> list[str]:
    """All flags of all options."""
    options = (one for one in parameters if one.param_type_name == "option")
    return [name for one in options for name in (*one.opts, *one.secondary_opts)]


def _refuse_slips(parameters: Sequence[Any], line: Sequence[str]) -> None:
    """Raise UsageError for `-offline`, which would mean `-o ffline`, and for `-o --json`, which would name a file."""
    takes_value = names_of([one for one in parameters if not getattr(one, "is_flag", True)])
    long_options = {name for name in names_of(parameters) if name.startswith("--")}
    words = iter(line)
    for word in words:
        if word == "--":
            return
        flag, equals, value = word.partition("=")
        if word in takes_value:
            following = next(words, "")
            if following in long_options:
                raise _option_as_value(word, following, parameters)
        elif equals and flag in takes_value and not flag.startswith("--"):
            raise UsageError(
                f"{flag} takes its value without =", hint=f"did you mean {flag} {value}?"
            )
        elif f"-{flag}" in long_options and len(word) > len("-x"):
            needs_value = f"-{flag}" in takes_value and not equals
            following = next(words, "") if needs_value else ""
            corrected = f"-{word} {following}".rstrip()
            raise UsageError(f"no such option: {flag}", hint=f"did you mean {corrected}?")


def _option_as_value(flag: str, value: str, parameters: Sequence[Any]) -> UsageError:
    """The error for an option in the place of another one's value."""
    spellings = next(one.opts for one in parameters if flag in one.opts)
    long = next(name for name in spellings if name.startswith("--"))
    hint = f"give {flag} its own value; if {value} is the value, write {long}={value}"
    return UsageError(f"{flag} takes a value, and {value} is an option", hint=hint)
