"""The prompt of a command line: one argument, standard input, or a file."""

from __future__ import annotations

import sys

from flux_cli.core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.options import Input


def one_prompt(given: Input) -> str | None:
    """The prompt; None where none was given. Raises UsageError for two words that were meant as one."""
    words = given.prompt or []
    if len(words) > 1:
        source = "standard input" if words[0] == "-" else "a file" if words[0].startswith("@") else ""
        alone = f"{words[0]} reads the prompt from {source}; it stands alone"
        hint = alone if source else f"quote the prompt: {quoted(' '.join(words))}"
        raise UsageError(f"unexpected argument {words[1]!r}", hint=hint)
    return words[0] if words else None


def quoted(sentence: str) -> str:
    """A prompt as one word for a shell, as people write it where no sign in it means something to the shell."""
    from shlex import quote

    word = quote(sentence) if any(sign in sentence for sign in '"$`\\!') else f'"{sentence}"'
    return f"-- {word}" if sentence.startswith("-") else word


def read_prompt(word: str) -> str:
    """The prompt a word means; `-` and `@file` are read, standard input only if asked."""
    if word != "-" and not word.startswith("@"):
        return word
    from flux_cli.request import inputs

    return inputs.read_prompt(word, sys.stdin)
