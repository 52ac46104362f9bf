"""The commands about flux itself and its setup: help, completion, schema, login, doctor."""

from pathlib import Path
from typing import Annotated

import typer

import flux_cli
from flux_cli.cli.help import columns, examples
from flux_cli.cli.options import AsJson, option
from flux_cli.cli.topics import TOPICS, WIDTH, explain
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.terminal import streams
from flux_cli.terminal.table import wrap_words

FOOTER = "see flux help TOPIC for a topic, or flux COMMAND --help for a command"
SCRIPTS = {"bash": "flux.bash", "zsh": "_flux", "fish": "flux.fish", "powershell": "flux.ps1"}


@examples("flux help", "flux help sizes", "flux help generate")
def help_(
    context: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(metavar="[TOPIC]", show_default=False, help="A topic or a command"),
    ] = None,
) -> None:
    """Explain a topic or a command.

    Without an argument, list the topics.
    """
    if topic is None:
        rows = [("Topic", "about"), *((name, about) for name, (about, _) in TOPICS.items())]
        streams.out(streams.listing(rows))
        streams.out("\n" + "\n".join(wrap_words(FOOTER.split(), columns(WIDTH))))
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
        raise UsageError(f"no help topic or command {name!r}", hint=hint)
    command = below[name]
    inner = command.context_class(command, info_name=name, parent=context.find_root())
    return str(command.get_help(inner))


@examples(
    "source <(flux completion bash)",
    "echo 'source <(flux completion bash)' >> ~/.bashrc",
    "mkdir -p ~/.local/share/bash-completion/completions",
    "flux completion bash > ~/.local/share/bash-completion/completions/flux",
    "mkdir -p ~/.zfunc && flux completion zsh > ~/.zfunc/_flux",
    "echo 'fpath+=(~/.zfunc);' 'autoload -U compinit; compinit' >> ~/.zshrc",
    "mkdir -p ~/.config/fish/completions",
    "flux completion fish > ~/.config/fish/completions/flux.fish",
    "New-Item -ItemType Directory -Force (Split-Path $PROFILE)",
    "flux completion powershell >> $PROFILE",
)
def completion(
    shell: Annotated[
        str | None,
        typer.Argument(metavar="SHELL", show_default=False, help="bash, zsh, fish or powershell"),
    ] = None,
) -> None:
    """Print the completion script for a shell.

    The scripts are static: pressing TAB does not start Python. Run the commands below for your
    shell. For bash, the first one is for the current shell and the second one for new shells, and
    neither needs anything else. The other commands take effect in new shells.

    bash-completion, if it is installed, takes the third and fourth command instead, and reads the
    script only when it is needed.
    """
    if shell is None:
        hint = "in bash: source <(flux completion bash); see flux completion --help for the others"
        raise UsageError("no shell given", hint=hint)
    if shell not in SCRIPTS:
        hint = did_you_mean(shell, SCRIPTS) or f"shells: {', '.join(SCRIPTS)}"
        raise UsageError(f"no completion script for {shell!r}", hint=hint)
    script = _completions() / SCRIPTS[shell]
    streams.out(script.read_text(encoding="utf-8").rstrip("\n"))


def _completions() -> Path:
    """The folder of the scripts: in the installed package, or beside it in an editable install."""
    package = Path(flux_cli.__file__).parent
    installed = package / "completions"
    return installed if installed.is_dir() else package.parent / "completions"


@examples(
    "flux schema > flux.schema.json",
    "flux schema resolve",
    "flux schema manifest > flux-build.schema.json",
)
def schema(
    command: Annotated[
        str | None,
        typer.Argument(
            metavar="[COMMAND]", show_default=False, help="Only the documents of this command"
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of the documents that --json prints.

    Described keys do not change while "schema" is 1. New keys may be added. `flux schema manifest`
    prints the schema of flux-build.toml, for editors.
    """
    if command == "manifest":
        from flux_cli.build.manifest.schema import manifest_schema
        from flux_cli.cli.spellings.generate import SPELLINGS

        streams.out_json(manifest_schema(SPELLINGS))
        return
    from flux_cli.commands.schema import schema_document

    streams.out_json(schema_document(command))


@examples("flux login", "flux login --provider bfl", "pass show lumenfall | flux login --key-stdin")
def login(
    provider: Annotated[str | None, option("provider")] = None,
    key_stdin: Annotated[
        bool,
        typer.Option(
            "--key-stdin",
            rich_help_panel="Provider",
            show_default=False,
            help="Read the key from standard input, as without a terminal",
        ),
    ] = False,
) -> None:
    """Ask for a key, check it, and store it.

    The key is not shown, and never taken from the command line. It is checked with a request that
    costs nothing, where the provider has one, and stored in credentials.toml in your config folder,
    which only you can read. A key that is refused is not stored.
    """
    from flux_cli.commands.setup.login import login as work

    work(provider=provider, key_stdin=key_stdin)


@examples("flux logout", "flux logout --provider bfl")
def logout(provider: Annotated[str | None, option("provider")] = None) -> None:
    """Remove a stored key.

    The key itself stays valid: revoke it at the provider.
    """
    from flux_cli.commands.setup.login import logout as work

    work(provider=provider)


@examples("flux doctor", "flux doctor --no-network", "flux doctor --provider bfl --json")
def doctor(
    provider: Annotated[str | None, option("provider")] = None,
    no_network: Annotated[
        bool,
        typer.Option(
            "--no-network",
            "--offline",
            rich_help_panel="Provider",
            show_default=False,
            help="Check only this machine",
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Check whether flux has all that it needs.

    Checks versions, settings, folders, the terminal, certificates, the key, the proxy, and whether
    the provider answers. It costs nothing. The output has no keys and no name of your home folder,
    so that it can be part of a bug report. The exit code is 1 if there is a problem.
    """
    from flux_cli.commands.setup.doctor import run

    return run(provider=provider, network=not no_network, as_json=as_json)
