"""Reads the prompt from standard input: the one of `-`, and the one of a pipe that nobody named."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from flux_cli.core.options import GenerateOptions

PATIENCE = 2.0  # seconds of waiting, after which a note says for what
READING = "flux: note: reading the prompt from standard input"


@contextmanager
def explained_wait(stdin: TextIO, patience: float = PATIENCE) -> Iterator[None]:
    """Say on stderr that the prompt is being read, if that takes longer than `patience`."""
    note = READING
    if stdin.isatty():
        note += "; Ctrl-D ends it"
    timer = Timer(patience, messages.err, [note])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def with_piped_prompt(options: GenerateOptions) -> GenerateOptions:
    """The options of a command line without a prompt, with the one that is piped into it.

    Raises UsageError if there is none.
    """
    from flux_cli.request.files import inputs

    text = ""
    if sys.stdin and not sys.stdin.closed and not sys.stdin.isatty() and not _is_taken(options):
        try:
            text = inputs.read_prompt("-", sys.stdin)
        except OSError:  # a folder, or a stream that is open only for writing
            text = ""
    if not text:
        hint = 'describe it: flux generate "a lighthouse by the sea", or pipe the prompt in'
        raise UsageError("no prompt given", hint=hint)
    if text.startswith("@"):  # a prompt here, and no file as in an argument
        text = f"@{text}"
    return options._replace(input=options.input._replace(prompt=[text]))


def _is_taken(options: GenerateOptions) -> bool:
    """Whether an image or a parameter comes from standard input."""
    given, parameters = options.input, options.parameters
    names = [*(given.image or ()), given.mask, parameters.image_prompt]
    pairs = parameters.param or ()
    return "-" in names or any(pair.endswith(("=-", "=@-")) for pair in pairs)
