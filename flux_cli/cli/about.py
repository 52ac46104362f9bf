"""`flux help` and `flux completion`: what flux knows of itself, and what shells may know of it."""

from typing import Annotated

import typer

from flux_cli.cli.help import columns
from flux_cli.cli.topics import TOPICS, WIDTH, explain
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.table import wrapped
from flux_cli.terminal import streams

ONE = "flux help TOPIC explains one; flux COMMAND --help explains a command"
SCRIPTS = {"bash": "flux.bash", "zsh": "_flux", "fish": "flux.fish", "powershell": "flux.ps1"}


def help_(
    context: typer.Context,
    topic: Annotated[
        str | None, typer.Argument(metavar="[TOPIC]", show_default=False, help="A topic or a command")
    ] = None,
) -> None:
    """Explain a topic or a command.

    Without one: list the topics.
    """
    if topic is None:
        streams.out(streams.listing([("Topic", "about"), *((name, about) for name, (about, _) in TOPICS.items())]))
        streams.out("\n" + "\n".join(wrapped(ONE.split(), columns(WIDTH))))
    elif topic in TOPICS:
        streams.out(explain(topic, min(WIDTH, columns(WIDTH))))
    else:
        streams.out(_command_help(context, topic))


def _command_help(context: typer.Context, name: str) -> str:
    group = context.find_root().command
    below = getattr(group, "commands", {})
    if name not in below:
        known = (*TOPICS, *below)
        hint = did_you_mean(name, known) or f"topics: {', '.join(TOPICS)}"
        raise UsageError(f"there is no help on {name!r}", hint=hint)
    command = below[name]
    inner = command.context_class(command, info_name=name, parent=context.find_root())
    return str(command.get_help(inner))


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", show_default=False, help="bash, zsh, fish or powershell")],
) -> None:
    """Print the completion script of a shell.

    The scripts are static: TAB starts no Python. The lines below install them, each in its shell, for shells started
    from then on.

    bash-completion has to be installed for the one of bash: it looks into that folder.
    """
    if shell not in SCRIPTS:
        hint = did_you_mean(shell, SCRIPTS) or f"shells: {', '.join(SCRIPTS)}"
        raise UsageError(f"there is no completion for {shell!r}", hint=hint)
    from pathlib import Path

    script = Path(__file__).parents[1] / "completions" / SCRIPTS[shell]
    streams.out(script.read_text(encoding="utf-8").rstrip("\n"))
