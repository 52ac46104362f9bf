"""argv in, exit code out: the only folder that imports Typer. Nothing is decided here."""

import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

import typer

from flux_cli.cli import about, history, images, lookups
from flux_cli.cli.help import Command, Group, columns
from flux_cli.commands.exit import run_command
from flux_cli.core.errors import UsageError
from flux_cli.terminal import streams
from flux_cli.terminal.streams import leave

WIDEST = 100  # columns of help
ABOUT = "Generate images from text prompts."
EXTRA = "Got unexpected extra argument"  # Typer's words for more arguments than a command takes
# Typer keeps its own copy of Click private; the base class of usage errors is reached by inheritance.
WRONG_LINE: type[Exception] = typer.BadParameter.__mro__[2]
COMMANDS: dict[str, Any] = {  # each a function with `examples`
    "generate": images.generate,
    "resolve": lookups.resolve,
    "show": images.show,
    "convert": images.convert,
    "sizes": lookups.sizes,
    "models": lookups.models,
    "providers": lookups.providers,
    "runs": history.runs,
    "recover": history.recover,
    "schema": about.schema,
    "completion": about.completion,
    "help": about.help_,
}


def _version(wanted: bool) -> None:
    if wanted:
        from flux_cli import __version__

        streams.out(f"flux {__version__}")
        raise typer.Exit


def make_app(spelled_out: Collection[str] = COMMANDS) -> typer.Typer:
    """The Typer app. Commands that are not `spelled_out` have a name and help, but no options: making all options
    costs more than a lookup.
    """
    app = typer.Typer(
        cls=Group,
        name="flux",
        help=ABOUT,
        epilog='flux generate "a red fox in the snow"\nflux sizes 1920x1080\nflux help exit-codes\n\n'
        "exit codes: 0 success, 1 failure, 2 usage or configuration error, 3 partial success, 4 key or balance, "
        "5 moderation, 130 interrupted",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help is half as dear, greppable, and the same in a pipe
        context_settings={"help_option_names": ["-h", "--help"], "terminal_width": min(WIDEST, columns()) - 2},
    )
    app.callback()(_root)
    for name, command in COMMANDS.items():
        known = command if name in spelled_out else _name_only(command)
        app.command(name, cls=Command, epilog="\n".join(command.examples))(known)
    app.add_typer(lookups.config_app, name="config", epilog="flux config\nflux config --json\nflux config path")
    return app


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
    except WRONG_LINE as fault:
        raise _usage(fault, arguments) from None  # its words are in ours
    except typer.Abort as fault:
        raise KeyboardInterrupt from fault
    except SystemExit:  # Typer's way to say that nobody reads the help any more
        streams.abandon(sys.stdout)
        return 0


def run() -> NoReturn:
    """The command line of this process, to its end."""
    leave(main())


def _usage(fault: Exception, arguments: Sequence[str]) -> UsageError:
    """A wrong command line in our own words: one line, and the nearest right one as the hint."""
    from flux_cli.cli.hints import by_command, by_option

    message = str(getattr(fault, "message", "") or fault)
    words = " ".join(message.split())
    format_message = getattr(fault, "format_message", None)
    if format_message:
        words = " ".join(format_message().split())
    context = getattr(fault, "ctx", None)
    if hasattr(fault, "possibilities") and context:
        option = str(getattr(fault, "option_name", None))
        parts = option.split()
        if len(parts) > 1:  # a shell would have taken them apart, a list of arguments in a file does not
            hint = f"this came as one word: give {' and '.join(parts)} apart, in a list of args one a line"
        else:
            hint = by_option(option, context, arguments)
        return UsageError(f"no such option: {option}", hint=hint or f"see {context.command_path} --help")
    if words.startswith("No such command") and context:
        typed = next((word for word in arguments if f" {word!r}." in message), "")
        return UsageError(f"no such command: {typed}", hint=by_command(typed, context, arguments))
    command = next((word for word in arguments if word in COMMANDS), "")
    path = context.command_path if context else f"flux {command}".rstrip()
    if words.startswith(EXTRA):
        return _too_many(words.partition(" (")[2].removesuffix(")"), path, context, arguments)
    return UsageError(words[:1].lower() + words[1:].rstrip("."), hint=f"see {path} --help")


def _too_many(extra: str, path: str, context: Any, arguments: Sequence[str]) -> UsageError:  # noqa: ANN401 - as above
    """Words a command has no place for: all that take one thing take it once."""
    first = next((word for word in arguments if word and f"{extra} ".startswith(f"{word} ")), extra)
    takes = [one for one in context.command.params if one.param_type_name == "argument"] if context else []
    hint = f"{path} takes one at a time; see {path} --help" if takes else f"see {path} --help"
    return UsageError(f"unexpected argument {first!r}", hint=hint)
