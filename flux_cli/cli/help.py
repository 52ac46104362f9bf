"""How commands read their line and how their help looks: options in groups, examples at the end, plain text."""

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from flux_cli.core.errors import UsageError


class Command(TyperCommand):
    """A command whose options are listed in the groups they were declared in, and whose epilog is its examples."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer keeps both types private
        _refuse_single_dash(self.get_params(ctx), args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
                groups.setdefault(getattr(parameter, "rich_help_panel", None) or kind, []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - as above
        _epilog(self.epilog, formatter)


class Group(TyperGroup):
    """A group with the same epilog: examples, and after an empty line what else there is to say."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        own = next((place for place, word in enumerate(args) if not word.startswith("-")), len(args))
        _refuse_single_dash(self.get_params(ctx), args[:own])
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - as above
        _epilog(self.epilog, formatter)


def _epilog(text: str | None, formatter: Any) -> None:  # noqa: ANN401 - as above
    examples, _, rest = (text or "").partition("\n\n")
    if examples:
        with formatter.section("Examples"):
            for example in examples.splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
    if rest:
        formatter.write_paragraph()
        formatter.write_text(rest)


def names_of(parameters: Sequence[Any]) -> list[str]:
    """Every spelling of every option."""
    options = (one for one in parameters if one.param_type_name == "option")
    return [name for one in options for name in (*one.opts, *one.secondary_opts)]


def _refuse_single_dash(parameters: Sequence[Any], line: Sequence[str]) -> None:
    """`-offline` would mean `-o ffline`, and be paid for. Raises UsageError for a long option with one dash."""
    takes = names_of([one for one in parameters if not getattr(one, "is_flag", True)])
    known = {name for name in names_of(parameters) if name.startswith("--")}
    words = iter(line)
    for word in words:
        name = f"-{word.partition('=')[0]}"
        if word == "--":
            return
        if word in takes:
            next(words, None)
        elif name in known and len(word) > len("-x"):
            value = f" {after}" if name in takes and "=" not in word and (after := next(words, "")) else ""
            raise UsageError(f"no such option: {word.partition('=')[0]}", hint=f"did you mean -{word}{value}?")
