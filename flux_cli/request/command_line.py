"""Reads the prompt and the parameters of a command line."""

from __future__ import annotations

import os
import sys

from flux_cli.core.errors import UsageError
from flux_cli.core.ratio import parse_side, read_word
from flux_cli.core.request import Note
from flux_cli.core.values import QuotedText, parse_value

SPECIAL = '"$`\\!'  # characters that a shell interprets inside double quotes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json, Model
    from flux_cli.core.options import GenerateOptions, Input, Parameters
    from flux_cli.core.request import Request, Value


def one_prompt(given: Input) -> str | None:
    """The prompt argument; None if there is none.

    Raises UsageError for several arguments, as in a prompt without quotes.
    """
    words = given.prompt or []
    if len(words) > 1:
        hint = f"quote the prompt: {quoted(' '.join(words))}"
        if words[0] == "-":
            hint = "- reads the prompt from standard input; remove the other words"
        elif is_file_argument(words[0]) and os.path.lexists(words[0][1:]):
            hint = f"{words[0]} reads the prompt from a file; remove the other words"
        elif is_file_argument(words[0]):
            hint = f"quote the prompt, and double its @: {quoted('@' + ' '.join(words))}"
        elif sum(" " in word for word in words) > 1:  # each was quoted
            hint = "for several prompts, write each on a line of a file: --prompts FILE"
        raise UsageError(f"unexpected argument {words[1]!r}", hint=hint)
    return words[0] if words else None


def prompt_of(options: GenerateOptions) -> str | None:
    """The prompt itself: of a program, or what the argument stands for; None if there is none.

    The texts of a preset are around it. Raises UsageError for several arguments, and for a prompt
    that cannot be read.
    """
    prompt = options.program.text
    if prompt is None:
        word = one_prompt(options.input)
        prompt = None if word is None else read_prompt(word)
    if prompt is None or not options.applied.name:
        return prompt
    from flux_cli.request.styles.prompts import with_affixes  # most command lines have no preset

    return with_affixes(prompt, options.applied)


def with_preset(options: GenerateOptions) -> GenerateOptions:
    """The options with what their preset says where nothing was typed. Doing it again is harmless.

    Raises UsageError and ConfigError.
    """
    if options.input.preset is None or options.applied.name:
        return options
    from flux_cli.request.styles.presets import apply  # reads the settings files again

    return apply(options)


def is_file_argument(word: str) -> bool:
    """Whether a prompt argument is `@FILE`. A lone @ is a prompt, and so is what follows `@@`."""
    return word.startswith("@") and word != "@" and not word.startswith("@@")


def is_combined(options: GenerateOptions) -> bool:
    """Whether a command line names several models, or prompts to be expanded."""
    given = options.input
    is_expanded = given.prompts is not None or given.var
    return bool(is_expanded or len(options.settings.model or ()) > 1)


def quoted(sentence: str) -> str:
    """A prompt quoted for a shell, in double quotes if possible."""
    from shlex import quote

    is_special = any(character in sentence for character in SPECIAL)
    word = quote(sentence) if is_special else f'"{sentence}"'
    return f"-- {word}" if sentence.startswith("-") else word


def read_prompt(word: str) -> str:
    """The prompt that an argument stands for; see `inputs.read_prompt`. `@@x` is the text `@x`."""
    if word.startswith("@@"):
        return word[1:]
    if word != "-" and not is_file_argument(word):
        return word
    from flux_cli.request.files import inputs

    return inputs.read_prompt(word, sys.stdin)


def read_parameters(options: GenerateOptions) -> dict[str, Value]:
    """Every parameter on the command line, by name. `-p` is equivalent to the option of that name.

    A program gives values, whose texts stay texts.

    Raises UsageError for a pair that is not KEY=VALUE, for a file that cannot be read, for a
    parameter that is given twice, and for a seed beside --no-seed.
    """
    parameters = options.parameters
    typed = parameters._replace(param=None)._asdict()
    if parameters.seed:
        typed["seed"] = ",".join(parameters.seed)
    given: dict[str, Value] = {name: value for name, value in typed.items() if value is not None}
    for pair in parameters.param or ():
        name, equals, text = _split_pair(pair)
        if not equals or not name:
            raise UsageError(f"-p {pair!r}: expected KEY=VALUE", hint="for example -p guidance=3.5")
        if name in ("prompt", "model"):
            hint = "give PROMPT as the argument, and --model"
            raise UsageError(f"-p cannot set {name}", hint=hint)
        if name in given:
            raise UsageError(f"{name} is given twice", hint="give it once, as an option or with -p")
        given[name] = _read_value(name, text)
    for name, value in (options.program.values or {}).items():
        given[name] = QuotedText(value) if isinstance(value, str) else value
    if options.input.no_seed and "seed" in given:
        message = "--seed and --no-seed contradict each other"
        raise UsageError(message, hint="use only one of them")
    return given


def offline_flags(flags: Mapping[str, Json]) -> dict[str, Json]:
    """The settings that options override, with `--offline`, which means `--provider offline`.

    Raises UsageError if they name another provider or a URL.
    """
    for name in ("provider", "base_url"):
        if flags[name] not in (None, "offline"):
            option = f"--{name.replace('_', '-')}"
            message = f"--offline and {option} contradict each other"
            raise UsageError(message, hint="use only one of them")
    return {**flags, "provider": "offline"}


def named_parameters(parameters: Parameters) -> tuple[str, ...]:
    """The names of the parameters that were typed with -p."""
    return tuple(_split_pair(pair)[0] for pair in parameters.param or ())


def take_side(given: dict[str, Value], parameters: Parameters) -> str | None:
    """Take a size with one side, such as `320x`, from the parameters; None if there is none.

    A request needs a shape, so such a size is about the files: they are resized to it.
    """
    size = parameters.size
    if size is None or not parse_side(size):
        return None
    del given["size"]
    return size


def read_words(request: Request, model: Model | None) -> Request:
    """The request with the size and ratio that clear words mean, such as `1080p`, and notes on it.

    The server of a model that the catalog lacks gets them as typed.
    """
    meant: dict[str, Value] = {}
    notes = []
    for name in ("size", "aspect_ratio") if model else ():
        typed = request.parameters.get(name)
        shape = read_word(typed, name) if isinstance(typed, str) else ""
        if shape:
            meant[name] = shape
            reason = f"read as {'pixels' if 'x' in shape else 'a ratio'}"
            notes.append(Note(name, str(typed), shape, "converted", reason, warning=True))
    if not meant:
        return request
    parameters = {**request.parameters, **meant}
    return request._replace(parameters=parameters, notes=(*notes, *request.notes))


def _split_pair(pair: str) -> tuple[str, str, str]:
    name, equals, text = pair.partition("=")
    return name.strip().replace("-", "_"), equals, text


def _read_value(name: str, text: str) -> Value:
    """The value of a pair: JSON or text. `@FILE` reads a file, and `@@x` is the text `@x`."""
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@") or text == "@":
        return parse_value(text)
    from flux_cli.request.files import inputs

    return inputs.read_value(name, text[1:], sys.stdin)
