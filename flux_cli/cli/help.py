"""How help looks: options in their groups, examples at the end, plain text under 100 columns."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose options are listed in the groups they were declared in, and whose epilog is its examples."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - Typer keeps both types private
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
