"""The Typer app as plain rows, from which all files are generated."""

from typing import Any, NamedTuple, TypeAlias

import typer

from flux_cli.cli.app import make_app

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
    settings = command.context_settings
    context = command.context_class(
        command, info_name=(path or ("flux",))[-1], parent=above, **settings
    )
    parameters = command.get_params(context)
    below = getattr(command, "commands", {})
    row = Command(
        path,
        "\n".join(line.strip() for line in (command.help or "").strip().splitlines()),
        tuple(_argument(one, context) for one in parameters if one.param_type_name == "argument"),
        tuple(_option(one) for one in parameters if one.param_type_name == "option"),
        {one.name: one.default for one in parameters},
        tuple((command.epilog or "").partition("\n\n")[0].splitlines()),
        tuple(below),
    )
    return [
        row,
        *(found for name, one in below.items() for found in _walk(one, (*path, name), context)),
    ]


def _argument(one: Any, context: Any) -> Argument:
    return Argument(one.name, one.make_metavar(context), one.help or "", one.nargs == -1)


def _option(one: Any) -> Option:
    flag = one.is_flag or one.count
    plain = not (one.callback or one.is_eager or one.envvar) and one.nargs == 1
    return Option(
        one.name,
        tuple(
            sorted(one.opts) if one.name == "help" else one.opts
        ),  # Typer keeps these in a set, in any order
        tuple(one.secondary_opts),
        "" if flag else (one.metavar or one.type.name.upper()),
        one.help or "",
        getattr(one, "rich_help_panel", None) or "Options",
        plain and (bool(flag) or one.type.name in ("str", "text")),
        one.multiple,
    )
