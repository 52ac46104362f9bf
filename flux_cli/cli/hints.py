"""What somebody meant by a wrong option or command, and what to type for it: the hint below the error."""

from collections.abc import Sequence
from shlex import join, quote
from typing import Any

from flux_cli.cli.help import names_of
from flux_cli.core.errors import did_you_mean
from flux_cli.request.prompt import quoted

# Words of other tools; the option a command must have for the hint to be right; the hint.
HABITS = (
    ("force replace clobber", "--overwrite", "did you mean --overwrite?"),
    ("count num number samples num-images num-outputs images batch batch-size", "-n", "did you mean -n {value}?"),
    ("ar", "--aspect-ratio", "did you mean -a {value}?"),
    ("height", "--size", "give both sides: --size 1024x{value}"),
    ("out out-dir outdir output-dir output-file dir file filename", "--output", "did you mean -o {value}?"),
    ("jobs parallel threads workers", "--concurrency", "did you mean --concurrency {value}?"),
    ("debug trace", "--verbose", "did you mean --verbose?"),
    ("silent", "--quiet", "did you mean --quiet?"),
    ("assume-yes no-confirm noconfirm", "--yes", "did you mean --yes?"),
    ("prompt", "--param", "the prompt is the argument: {path} {prompt}"),
    (
        "steps num-inference-steps guidance guidance-scale cfg cfg-scale negative-prompt style sampler",
        "--param",
        "pass it through: -p {name}={value}",
    ),
    ("api-key apikey key token", "", "set the variable LUMENFALL_API_KEY: others can read a command line"),
    ("no-color no-colour", "", "set the variable NO_COLOR=1"),
    ("color colour", "", "set the variable FORCE_COLOR=1"),
)


def by_option(option: str, context: Any, arguments: Sequence[str]) -> str:  # noqa: ANN401 - Typer keeps the type private
    """The hint for an option nobody knows; "" where nothing is near."""
    known = names_of(context.command.get_params(context))
    return (
        _habit(option, context, known, arguments)
        or _before_its_command(option, context, arguments)
        or _owner(option, context)
        or did_you_mean(option, known)
    )


def by_command(typed: str, context: Any, arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """The hint for a command nobody knows: the nearest, or `generate` for what is a prompt."""
    names = context.command.list_commands(context)
    if (near := did_you_mean(typed, names)) or context.parent is not None:
        return near or f"commands: {', '.join(names)}"
    words = list(arguments[arguments.index(typed) :]) if typed in arguments else [typed]
    end = next((place for place, word in enumerate(words) if word.startswith("-")), None) or len(words)
    sentence = " ".join(words[:end])
    rest = f" {join(words[end:])}" if words[end:] else ""
    return f"flux generate {quoted(sentence)}{rest}" if " " in sentence else f"commands: {', '.join(names)}"


def _habit(option: str, context: Any, known: Sequence[str], arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    name = option.lstrip("-").lower().replace("_", "-")
    for words, needs, hint in HABITS:
        if name in words.split() and option.startswith("--") and (not needs or needs in known):
            value = _value(option, arguments)
            prompt = quoted(value) if value else '"…"'
            shown = quote(value) if value else "" if hint.endswith("?") else "768" if name == "height" else "VALUE"
            said = hint.format(name=name.replace("-", "_"), value=shown, prompt=prompt, path=context.command_path)
            return said.replace(" ?", "?")
    return ""


def _value(option: str, arguments: Sequence[str]) -> str:
    """What was typed for an option; "" where nothing was."""
    for word, after in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == option:
            return value if equals else after if not after.startswith("-") else ""
    return ""


def _before_its_command(option: str, context: Any, arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """`flux --json sizes`: the option is the command's, and stands behind it."""
    commands = getattr(context.command, "commands", {})
    place = next((place for place, word in enumerate(arguments) if word in commands), None)
    if context.parent is not None or place is None or option not in names_of(commands[arguments[place]].params):
        return ""
    return f"did you mean flux {join([arguments[place], *arguments[:place], *arguments[place + 1 :]])}?"


def _owner(option: str, context: Any) -> str:  # noqa: ANN401 - as above
    """The only command that has this option, or the one that was called like an option; "" where there is none."""
    root, name = context.find_root().command, option.lstrip("-")
    if context.parent is None and name in root.commands:
        return f"did you mean flux {name}?"
    from flux_cli.cli.table import LINES  # generated from the app, which must start without it

    owners = [f"flux {command}" for command, line in LINES.items() if option in line.flags]
    owners += ["flux"] if option in names_of(root.params) else []
    return f"did you mean {owners[0]} {option}?" if option.startswith("--") and len(owners) == 1 else ""
