"""The Typer app: argv in, exit code out. The work is done in `commands/`."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

import typer

from flux_cli.cli import about, build, history, images, lookups, serving
from flux_cli.cli.help import Command, CommandGroup, Group, columns
from flux_cli.cli.options import spell_out
from flux_cli.commands.exit import run_command
from flux_cli.terminal import streams
from flux_cli.terminal.streams import leave

WIDEST = 100  # columns of help
ABOUT = "Generate images from text prompts."
EPILOG = """\
flux generate "a lighthouse by the sea"
flux sizes 1920x1080
flux help exit-codes

exit codes: 0 success, 1 failure, 2 usage or configuration error, 3 partial success, \
4 key or balance, 5 moderation, 130 interrupted"""
COMMANDS: dict[str, Any] = {  # each a function with `examples`
    "generate": images.generate,
    "edit": images.edit,
    "build": build.build,
    "serve": serving.serve,
    "resolve": lookups.resolve,
    "show": images.show,
    "convert": images.convert,
    "sizes": lookups.sizes,
    "models": lookups.models,
    "providers": lookups.providers,
    "runs": history.runs,
    "recover": history.recover,
    "login": about.login,
    "logout": about.logout,
    "doctor": about.doctor,
    "schema": about.schema,
    "completion": about.completion,
    "help": about.help_,
}


class Root(Group):
    """The app itself. Typer would list commands with others below them last."""

    def __init__(self, *, commands: Mapping[str, Any], **settings: Any) -> None:  # noqa: ANN401
        ordered = {name: commands[name] for name in (*COMMANDS, "config")}
        super().__init__(commands=ordered, **settings)


def _version(value: bool) -> None:
    if value:
        from flux_cli import __version__

        streams.out(f"flux {__version__}")
        raise typer.Exit


def make_app(spelled_out: Collection[str] = COMMANDS) -> typer.Typer:
    """Make the Typer app.

    Commands that are not in `spelled_out` get a name and help, but no options: making all options
    takes longer than a lookup.
    """
    app = typer.Typer(
        cls=Root,
        name="flux",
        help=ABOUT,
        epilog=EPILOG,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help takes half the time and looks the same in a pipe
        context_settings={
            "help_option_names": ["-h", "--help"],
            "terminal_width": min(WIDEST, columns()) - 2,
        },
    )
    app.callback()(_root)
    for name, command in COMMANDS.items():
        known = spell_out(command) if name in spelled_out else _name_only(command)
        epilog = "\n".join(command.examples)
        if name in history.BELOW:
            app.add_typer(_group(known, history.BELOW[name]), name=name, epilog=epilog)
        else:
            app.command(name, cls=Command, epilog=epilog)(known)
    app.add_typer(
        lookups.config_app,
        name="config",
        epilog="flux config\nflux config --json\nflux config set max_cost 2\nflux config edit",
    )
    return app


def _group(command: Callable[..., object], below: Mapping[str, Any]) -> typer.Typer:
    """A command that has commands below it."""
    group = typer.Typer(
        cls=CommandGroup,
        invoke_without_command=True,
        subcommand_metavar="| COMMAND ...",
        rich_markup_mode=None,
        add_completion=False,
    )
    group.callback()(command)
    for name, one in below.items():
        group.command(name, cls=Command, epilog="\n".join(one.examples))(one)
    return group


def _root(
    _version: bool = typer.Option(
        False,
        "--version",
        "-V",
        callback=_version,
        is_eager=True,
        help="Show the version",
    ),
) -> None:
    """The options of flux itself."""


def _name_only(command: Callable[..., object]) -> Callable[[], None]:
    def nothing() -> None:
        """Never called."""

    nothing.__doc__ = command.__doc__
    return nothing


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    streams.prepare()
    return run_command(lambda: _typer(arguments), arguments)


def _typer(arguments: Sequence[str]) -> object:
    app = make_app(COMMANDS if "help" in arguments else COMMANDS.keys() & arguments)
    try:
        return app(arguments, prog_name="flux", standalone_mode=False)
    except typer.TyperException as fault:
        from flux_cli.cli.hints import usage_error

        raise usage_error(fault, arguments, COMMANDS) from None  # it includes Typer's message
    except typer.Abort as fault:
        raise KeyboardInterrupt from fault
    except SystemExit:  # Typer raises it if the reader of the help has closed the pipe
        streams.abandon(sys.stdout)
        return 0


def run() -> NoReturn:
    """Run the command line of this process and exit."""
    leave(main())
