"""The Typer app as plain rows, from which all files are generated."""

from typing import Any, NamedTuple, TypeAlias

import typer

from flux_cli.cli.app import make_app
from flux_cli.cli.help import help_text

Words: TypeAlias = list[tuple[str, str]]  # words, each with a description


class Option(NamedTuple):
    """One option: `flags` turn it on or take a value, `negatives` turn it off."""

    name: str
    flags: tuple[str, ...]
    negatives: tuple[str, ...]
    metavar: str  # "": takes no value
    help: str
    panel: str
    plain: bool  # text or a flag that Typer passes on unchanged
    many: bool  # may be repeated

    @property
    def short(self) -> str:
        """The first part of the help text, which fits beside a completion."""
        return self.help.partition(" [")[0].partition("; ")[0].partition(": ")[0].rstrip(".")


class Argument(NamedTuple):
    """One positional argument."""

    name: str
    metavar: str
    help: str
    many: bool


class Command(NamedTuple):
    """One command. `path` is its words without `flux`."""

    path: tuple[str, ...]
    about: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    defaults: dict[str, Any]
    examples: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def summary(self) -> str:
        return self.about.partition("\n")[0].rstrip(".")

    @property
    def flags(self) -> Words:
        """All flags of the command, with descriptions."""
        return [(flag, one.short) for one in self.options for flag in (*one.flags, *one.negatives)]

    @property
    def groups(self) -> dict[str, list[Option]]:
        """Options by the group they are shown in, in the order of the help."""
        groups: dict[str, list[Option]] = {}
        for option in self.options:
            groups.setdefault(option.panel, []).append(option)
        return groups


def commands() -> list[Command]:
    """Every command; the app itself is the first."""
    return list(_walk(typer.main.get_command(make_app()), ()))


def _walk(command: Any, path: tuple[str, ...], above: Any = None) -> list[Command]:
    name = path[-1] if path else "flux"
    settings = command.context_settings
    context = command.context_class(command, info_name=name, parent=above, **settings)
    parameters = command.get_params(context)
    positional = [one for one in parameters if one.param_type_name == "argument"]
    optional = [one for one in parameters if one.param_type_name == "option"]
    about = [line.strip() for line in help_text(command).strip().splitlines()]
    examples = (command.epilog or "").partition("\n\n")[0].splitlines()
    defaults = {one.name: one.default for one in parameters}
    below = getattr(command, "commands", {})
    row = Command(
        path=path,
        about="\n".join(about),
        arguments=tuple(_argument(one, context) for one in positional),
        options=tuple(map(_option, optional)),
        defaults=defaults,
        examples=tuple(examples),
        commands=tuple(below),
    )
    rows = [row]
    for name, one in below.items():
        rows += _walk(one, (*path, name), context)
    return rows


def _argument(one: Any, context: Any) -> Argument:
    return Argument(one.name, one.make_metavar(context), one.help or "", one.nargs == -1)


def _option(one: Any) -> Option:
    is_flag = bool(one.is_flag or one.count)
    is_simple = not (one.callback or one.is_eager or one.envvar) and one.nargs == 1
    # Typer keeps the flags of --help in a set, in any order.
    flags = sorted(one.opts) if one.name == "help" else one.opts
    metavar = "" if is_flag else one.metavar or one.type.name.upper()
    return Option(
        name=one.name,
        flags=tuple(flags),
        negatives=tuple(one.secondary_opts),
        metavar=metavar,
        help=one.help or "",
        panel=getattr(one, "rich_help_panel", None) or "Options",
        plain=is_simple and (is_flag or one.type.name in ("str", "text")),
        many=one.multiple,
    )
