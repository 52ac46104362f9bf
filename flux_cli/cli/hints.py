"""Errors for invalid command lines, with a hint that says what to type instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from shlex import join, quote

from flux_cli.cli.typer_parts import (
    NO_SUCH_COMMAND,
    TOO_MANY_ARGUMENTS,
    Context,
    commands_of,
    context_of,
    flags_of,
    is_argument,
    message_of,
    unknown_option,
)
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.images.formats import format_of_file
from flux_cli.request.command_line import quoted

# Option names of other tools; the option that a command must have for the hint to apply; the hint.
HABITS = (
    ("force replace clobber", "--overwrite", "did you mean --overwrite?"),
    (
        "count num number samples num-images num-outputs images batch batch-size",
        "-n",
        "did you mean -n {value}?",
    ),
    ("ar", "--aspect-ratio", "did you mean -a {value}?"),
    ("height", "--size", "give the size: --size {width}x{value}"),
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
    ("style", "--param", "pass it through: -p {name}={value}"),
    (
        "steps num-inference-steps guidance guidance-scale cfg cfg-scale negative-prompt sampler",
        "--param",
        "pass it through: -p {name}={value}",
    ),
    (
        "api-key apikey key token",
        "",
        "run flux login, or set LUMENFALL_API_KEY; other users can read a command line",
    ),
    ("no-color no-colour", "", "set the variable NO_COLOR=1"),
    ("color colour", "", "set the variable FORCE_COLOR=1"),
)

# Commands that people expect; the hint, which pays for nothing: {files} are those that follow.
COMMAND_HABITS = (
    ("open view", "did you mean flux show {files} --open?"),
    ("preview display", "did you mean flux show {files} --preview?"),
    (
        "upscale enlarge",
        "to enlarge with a filter, not a model: flux convert {files} --size 4096x --upscale",
    ),
    ("resize scale", "for another size: flux convert {files} --size 800x"),
    ("compress optimize", "for fewer bytes: flux convert {files} --format jpeg --max-bytes 200kB"),
    (
        "vary variation variations variate remix",
        "for other images of its prompt: flux generate --like {file} --seed -1 --dry-run",
    ),
    (
        "again redo repeat regenerate rerun",
        "for the same request: flux generate --like {file} --dry-run",
    ),
    ("cost costs spend usage", "for the cost of runs: flux runs --since 30d --limit all"),
    ("history log list ls", "did you mean flux runs?"),
    ("batch", "for many prompts: flux generate --prompts FILE --dry-run, or flux help build"),
    ("init", "for a manifest of this folder's images: flux build --init"),
    ("chat repl", "flux has no conversation; to refine an image: flux help edit"),
)

FREE = frozenset(("--dry-run", "--offline", "--help", "-h"))  # with these, nothing is paid for
TAKE_NO_KEY = ("flux login", "flux logout")  # people type a key there, which must not be shown


def usage_error(
    fault: Exception, arguments: Sequence[str], commands: Collection[str]
) -> UsageError:
    """Turn Typer's error about a command line into one that hints at what to type instead."""
    context = context_of(fault)
    option = unknown_option(fault)
    if context and option is not None:
        return _no_such_option(option, context, arguments)
    message = message_of(fault)
    if context and message.startswith(NO_SUCH_COMMAND):
        return _no_such_command(message, context, arguments)
    command = next((word for word in arguments if word in commands), "")
    path = context.command_path if context else f"flux {command}".rstrip()
    if message.startswith(TOO_MANY_ARGUMENTS):
        extra = message.partition(" (")[2].removesuffix(")")
        return _unexpected_argument(extra, path, context, arguments)
    sentence = message[:1].lower() + message[1:].rstrip(".")
    return UsageError(sentence, hint=f"see {path} --help")


def _no_such_option(option: str, context: Context, arguments: Sequence[str]) -> UsageError:
    words = option.split()
    if len(words) > 1:  # a shell would have split this; the list of args in a CI file does not
        hint = (
            f"this is one word: pass {' and '.join(words)} separately, "
            "one per line in a list of args"
        )
    else:
        hint = _option_hint(option, context, arguments) or f"see {context.command_path} --help"
    return UsageError(f"no such option: {option}", hint=hint)


def _no_such_command(message: str, context: Context, arguments: Sequence[str]) -> UsageError:
    """The error for an unknown command. Typer's message quotes it as `repr` does."""
    typed = ""
    for word in arguments:
        quoted_word = " ".join(repr(word).split())
        if f" {quoted_word}." in message:
            typed = word
            break
    return UsageError(f"no such command: {typed}", hint=_command_hint(typed, context, arguments))


def _unexpected_argument(
    extra: str, path: str, context: Context | None, arguments: Sequence[str]
) -> UsageError:
    """The error for an argument too many: commands that take an argument take one.

    What is typed after `flux login` may be a key, and is not quoted.
    """
    if path in TAKE_NO_KEY:
        message = "a key on the command line stays in the history of the shell"
        hint = "flux login asks for it; if that was a key, delete it and create another one"
        return UsageError(message, hint=f"{hint}; for a provider: {path} --provider NAME")
    first = next((word for word in arguments if word and f"{extra} ".startswith(f"{word} ")), extra)
    parameters = context.command.params if context else []
    hint = f"see {path} --help"
    if any(is_argument(parameter) for parameter in parameters):
        hint = f"{path} takes one at a time; {hint}"
    return UsageError(f"unexpected argument {first!r}", hint=hint)


def _option_hint(option: str, context: Context, arguments: Sequence[str]) -> str:
    """The hint for an unknown option; "" if nothing is close."""
    known = flags_of(context.command.get_params(context))
    return (
        _file_hint(option, arguments)
        or _habit_hint(option, context.command_path, known, arguments)
        or _misplaced_hint(option, context, arguments)
        or _owner_hint(option, context)
        or did_you_mean(option, known)
    )


def _file_hint(option: str, arguments: Sequence[str]) -> str:
    """The hint for an image whose name begins with a dash, as from a glob; "" for none."""
    for word in arguments:
        if word.startswith(option) and format_of_file(word):
            return f"for the file of this name, write {quote(f'./{word}')}, or -- before all names"
    return ""


def _command_hint(typed: str, context: Context, arguments: Sequence[str]) -> str:
    """The closest command, `flux show` for images, `flux generate` for a prompt, or all commands.

    A hint may be pasted, so it pays for nothing: a mistyped command may have been any other.
    """
    names = list(commands_of(context))
    near = did_you_mean(typed, names)
    known = f"commands: {', '.join(names)}"
    words = list(arguments[arguments.index(typed) :]) if typed in arguments else [typed]
    count = 1  # of the words that may be a prompt: those before the first option
    while count < len(words) and not words[count].startswith("-"):
        count += 1
    files, options = words[1:count], words[count:]
    are_files = all(map(format_of_file, files))
    habit = _command_habit(typed, files) if are_files and context.parent is None else ""
    if habit or near or context.parent is not None:
        return habit or near or known
    if files and are_files:  # an unknown command for an image
        return f"did you mean flux show {join(files)}?"
    prompt = " ".join(words[:count])
    if " " not in prompt or any(map(format_of_file, files)):
        return known
    if not FREE.intersection(options):
        options.append("--dry-run")
    return f"for an image of this: flux generate {quoted(prompt)} {join(options)}"


def _command_habit(typed: str, files: Sequence[str]) -> str:
    """The hint for a command that people expect, with the files that follow it; "" for others."""
    for words, hint in COMMAND_HABITS:
        if typed.lower() in words.split():
            return hint.format(files=join(files or ["FILE"]), file=quote([*files, "FILE"][0]))
    return ""


def _habit_hint(option: str, path: str, known: Sequence[str], arguments: Sequence[str]) -> str:
    """The hint for an option of another tool; "" for any other."""
    name = option.lstrip("-").lower().replace("_", "-")
    for words, needed, hint in HABITS:
        if name in words.split() and option.startswith("--") and (not needed or needed in known):
            value = _value_of(option, arguments)
            shown, prompt = _stand_in(name, hint), '"…"'
            if value:
                shown, prompt = quote(value), quoted(value)
            parameter = name.replace("-", "_")
            width = _value_of("--width", arguments)  # without one: x300, in proportion
            parts = {"value": shown, "prompt": prompt, "path": path, "width": width}
            text = hint.format(name=parameter, **parts)
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


def _misplaced_hint(option: str, context: Context, arguments: Sequence[str]) -> str:
    """The hint for `flux --json sizes`, where an option precedes its command; "" otherwise."""
    if context.parent is not None:
        return ""
    commands = commands_of(context)
    for place, word in enumerate(arguments):
        if word in commands:
            if option not in flags_of(commands[word].params):
                return ""
            words = [word, *arguments[:place], *arguments[place + 1 :]]
            return f"did you mean flux {join(words)}?"
    return ""


def _owner_hint(option: str, context: Context) -> str:
    """The only command that has this option, or the command typed like an option; else ""."""
    root, name = context.find_root(), option.lstrip("-")
    if context.parent is None and name in commands_of(root):
        return f"did you mean flux {name}?"
    from flux_cli.cli.table import LINES  # generated from the app, which must start without it

    owners = [f"flux {command}" for command, line in LINES.items() if option in line["flags"]]
    if option in flags_of(root.command.params):
        owners.append("flux")
    if option.startswith("--") and len(owners) == 1:
        return f"did you mean {owners[0]} {option}?"
    return ""
