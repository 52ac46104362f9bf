"""The prompt of a command line: one argument, standard input, or a file."""

from __future__ import annotations

import sys

from flux_cli.core.errors import UsageError

SPECIAL = '"$`\\!'  # characters that a shell interprets inside double quotes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.options import Input


def one_prompt(given: Input) -> str | None:
    """The prompt argument; None if there is none.

    Raises UsageError for several arguments, as in a prompt without quotes.
    """
    words = given.prompt or []
    if len(words) > 1:
        hint = f"quote the prompt: {quoted(' '.join(words))}"
        if words[0] == "-":
            hint = "- reads the prompt from standard input; remove the other words"
        elif words[0].startswith("@"):
            hint = f"{words[0]} reads the prompt from a file; remove the other words"
        raise UsageError(f"unexpected argument {words[1]!r}", hint=hint)
    return words[0] if words else None


def quoted(sentence: str) -> str:
    """A prompt quoted for a shell, in double quotes if possible."""
    from shlex import quote

    is_special = any(character in sentence for character in SPECIAL)
    word = quote(sentence) if is_special else f'"{sentence}"'
    return f"-- {word}" if sentence.startswith("-") else word


def read_prompt(word: str) -> str:
    """The prompt that an argument stands for; see `inputs.read_prompt`."""
    if word != "-" and not word.startswith("@"):
        return word
    from flux_cli.request import inputs

    return inputs.read_prompt(word, sys.stdin)
