"""Asks a question on the terminal."""

from __future__ import annotations

import sys

from flux_cli.terminal.environment import is_on
from flux_cli.terminal.streams import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

YES = ("y", "yes")


def can_ask() -> bool:
    """Whether a person can read stderr and answer on stdin. In CI, nobody can."""
    return not is_on("CI") and _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def confirm(question: str) -> bool:
    """Ask a question, and return whether the answer is yes. No answer means no."""
    write(sys.stderr, f"flux: {question} [y/N] ")
    answer = ""
    try:
        answer = sys.stdin.readline()
    except (OSError, UnicodeDecodeError):  # the terminal has gone, or the answer is no text
        return False
    finally:
        if not answer.endswith("\n"):
            write(sys.stderr, "\n")  # what follows begins on a line of its own
    return answer.strip().lower() in YES


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
