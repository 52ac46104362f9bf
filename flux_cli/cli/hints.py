"""Errors for invalid command lines, with a hint that says what to type instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from shlex import join, quote
from typing import Any

from flux_cli.cli.help import names_of
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.request.prompt import quoted

EXTRA = "Got unexpected extra argument"  # Typer's words for more arguments than a command takes
# Option names of other tools; the option that a command must have for the hint to apply; the hint.
HABITS = (
    ("force replace clobber", "--overwrite", "did you mean --overwrite?"),
    (
        "count num number samples num-images num-outputs images batch batch-size",
        "-n",
        "did you mean -n {value}?",
    ),
    ("ar", "--aspect-ratio", "did you mean -a {value}?"),
    ("height", "--size", "give both sides: --size 1024x{value}"),
    (
        "out out-dir outdir output-dir output-file dir file filename",
        "--output",
        "did you mean -o {value}?",
    ),
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
    (
        "api-key apikey key token",
        "",
        "set the variable LUMENFALL_API_KEY; other users can read a command line",
    ),
    ("no-color no-colour", "", "set the variable NO_COLOR=1"),
    ("color colour", "", "set the variable FORCE_COLOR=1"),
)


def usage_error(
    fault: Exception, arguments: Sequence[str], commands: Collection[str]
) -> UsageError:
    """Turn Typer's error about a command line into a UsageError, with the closest valid command line as the hint."""
    context: Any = getattr(fault, "ctx", None)
    if context and hasattr(fault, "possibilities"):
        return _no_such_option(str(getattr(fault, "option_name", None)), context, arguments)
    words = " ".join(_message(fault).split())
    if context and words.startswith("No such command"):
        return _no_such_command(words, context, arguments)
    command = next((word for word in arguments if word in commands), "")
    path = context.command_path if context else f"flux {command}".rstrip()
    if words.startswith(EXTRA):
        return _unexpected_argument(
            words.partition(" (")[2].removesuffix(")"), path, context, arguments
        )
    return UsageError(words[:1].lower() + words[1:].rstrip("."), hint=f"see {path} --help")


def _message(fault: Exception) -> str:
    format_message = getattr(fault, "format_message", None)
    if format_message:
        return str(format_message())
    return str(getattr(fault, "message", "") or fault)


def _no_such_option(option: str, context: Any, arguments: Sequence[str]) -> UsageError:  # noqa: ANN401 - Typer keeps the type private
    parts = option.split()
    if len(parts) > 1:  # a shell would have split this; the list of args in a CI file does not
        hint = f"this is one word: pass {' and '.join(parts)} separately, one per line in a list of args"
    else:
        hint = _option_hint(option, context, arguments)
    return UsageError(
        f"no such option: {option}", hint=hint or f"see {context.command_path} --help"
    )


def _no_such_command(words: str, context: Any, arguments: Sequence[str]) -> UsageError:  # noqa: ANN401 - as above
    typed = next((word for word in arguments if f" {' '.join(repr(word).split())}." in words), "")
    return UsageError(f"no such command: {typed}", hint=_command_hint(typed, context, arguments))


def _unexpected_argument(
    extra: str,
    path: str,
    context: Any,  # noqa: ANN401 - as above
    arguments: Sequence[str],
) -> UsageError:
    """The error for an argument too many: commands that take an argument take one."""
    first = next((word for word in arguments if word and f"{extra} ".startswith(f"{word} ")), extra)
    parameters = context.command.params if context else []
    takes_one = any(parameter.param_type_name == "argument" for parameter in parameters)
    see = f"see {path} --help"
    return UsageError(
        f"unexpected argument {first!r}",
        hint=f"{path} takes one at a time; {see}" if takes_one else see,
    )


def _option_hint(option: str, context: Any, arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """The hint for an unknown option; "" if nothing is close."""
    known = names_of(context.command.get_params(context))
    return (
        _habit_hint(option, context, known, arguments)
        or _misplaced_hint(option, context, arguments)
        or _owner_hint(option, context)
        or did_you_mean(option, known)
    )


def _command_hint(typed: str, context: Any, arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """The hint for an unknown command: the closest one, or `flux generate` if the words look like a prompt."""
    names = context.command.list_commands(context)
    near = did_you_mean(typed, names)
    known = f"commands: {', '.join(names)}"
    if near or context.parent is not None:
        return near or known
    words = list(arguments[arguments.index(typed) :]) if typed in arguments else [typed]
    first_option = next(
        (place for place, word in enumerate(words) if word.startswith("-")), None
    ) or len(words)
    sentence = " ".join(words[:first_option])
    if " " not in sentence:
        return known
    rest = f" {join(words[first_option:])}" if words[first_option:] else ""
    return f"flux generate {quoted(sentence)}{rest}"


def _habit_hint(option: str, context: Any, known: Sequence[str], arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """The hint for an option of another tool; "" for any other."""
    name = option.lstrip("-").lower().replace("_", "-")
    for words, needed, hint in HABITS:
        if name in words.split() and option.startswith("--") and (not needed or needed in known):
            value = _value_of(option, arguments)
            prompt = quoted(value) if value else '"…"'
            shown = quote(value) if value else _stand_in(name, hint)
            text = hint.format(
                name=name.replace("-", "_"), value=shown, prompt=prompt, path=context.command_path
            )
            return text.replace(" ?", "?")
    return ""


def _stand_in(name: str, hint: str) -> str:
    """The placeholder for the value in a hint if none was typed."""
    if hint.endswith("?"):
        return ""
    return "768" if name == "height" else "VALUE"


def _value_of(option: str, arguments: Sequence[str]) -> str:
    """The value that was typed for an option; "" if there is none."""
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == option and equals:
            return value
        if name == option:
            following = arguments[place + 1 : place + 2]
            return following[0] if following and not following[0].startswith("-") else ""
    return ""


def _misplaced_hint(option: str, context: Any, arguments: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """The hint for `flux --json sizes`, where the option must come after its command; "" otherwise."""
    commands = getattr(context.command, "commands", {})
    place = next((place for place, word in enumerate(arguments) if word in commands), None)
    if (
        context.parent is not None
        or place is None
        or option not in names_of(commands[arguments[place]].params)
    ):
        return ""
    return f"did you mean flux {join([arguments[place], *arguments[:place], *arguments[place + 1 :]])}?"


def _owner_hint(option: str, context: Any) -> str:  # noqa: ANN401 - as above
    """The only command that has this option, or the command that was typed like an option; "" if there is none."""
    root, name = context.find_root().command, option.lstrip("-")
    if context.parent is None and name in root.commands:
        return f"did you mean flux {name}?"
    from flux_cli.cli.table import LINES  # generated from the app, which must start without it

    owners = [f"flux {command}" for command, line in LINES.items() if option in line.flags]
    owners += ["flux"] if option in names_of(root.params) else []
    return (
        f"did you mean {owners[0]} {option}?"
        if option.startswith("--") and len(owners) == 1
        else ""
    )
