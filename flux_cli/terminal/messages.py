"""Messages for people on stderr: errors with hints, notes, and colored labels."""

import sys
from collections.abc import Iterable

from flux_cli.core.errors import FluxError
from flux_cli.core.request import Note
from flux_cli.core.text import LONG, disarm, github_annotation, plain, redact
from flux_cli.terminal.environment import is_github, uses_color
from flux_cli.terminal.streams import write
from flux_cli.terminal.table import cell_text

RED, GREEN, YELLOW, CYAN = "31", "32", "33", "36"
LABEL_COLORS = {
    "error:": RED,
    "failed:": RED,
    "note:": YELLOW,
    "kept": YELLOW,
    "saved": GREEN,
    "hint:": CYAN,
}
LABEL_WORDS = 3  # words in which a label is found: `flux:` and a number may stand before it


def err(text: str) -> None:
    """Write lines to stderr, without keys and without commands to terminals or CI services."""
    lines = [_safe(line) for line in redact(text).split("\n")]  # line breaks may be in a key
    if uses_color(sys.stderr):
        lines = list(map(colored, lines))
    write(sys.stderr, "\n".join(lines) + "\n")


def error(fault: FluxError, *, verbose: bool = False) -> None:
    """Write an error and its hint; if `verbose`, its causes, too. GitHub gets an annotation."""
    err(f"flux: error: {_message(fault)}")
    if fault.hint:
        err(f"hint: {fault.hint}")
    cause = fault.__cause__
    while verbose and cause is not None:
        err(f"  cause: {type(cause).__name__}: {cause}")
        cause = cause.__cause__
    if is_github():
        message, hint = _safe(_message(fault)), _safe(fault.hint)
        write(sys.stderr, github_annotation(message, hint) + "\n")


def notes(all_notes: Iterable[Note]) -> None:
    """Write the decisions that change what the user asked for."""
    for line in note_lines(all_notes):
        err(f"flux: note: {line}")


def note_lines(all_notes: Iterable[Note]) -> list[str]:
    """The decisions that change what the user asked for, a line each, and none twice."""
    lines = (f"{_describe(note)}: {note.reason}" for note in all_notes if note.warning)
    return list(dict.fromkeys(lines))


def _safe(text: str) -> str:
    return disarm(plain(text, LONG))


def _message(fault: FluxError) -> str:
    request = f" (request {fault.request_id})" if fault.request_id else ""
    bill = "; it may have been billed" if fault.billed else ""
    message = fault.message
    if bill:
        message = message.removesuffix(".")  # it may be a sentence from a server
    return f"{message}{bill}{request}"


def _describe(note: Note) -> str:
    if note.used is None:
        return f"{note.parameter} {cell_text(note.asked)} is ignored"
    if note.asked is None or note.asked == note.used:
        return f"{note.parameter} {cell_text(note.used)}"
    return f"{note.parameter} {cell_text(note.asked)} becomes {cell_text(note.used)}"


def colored(line: str) -> str:
    """The line with its label in color."""
    words = line.split(" ")
    for place, word in enumerate(words[:LABEL_WORDS]):
        if word in LABEL_COLORS:
            words[place] = f"\x1b[{LABEL_COLORS[word]}m{word}\x1b[0m"
            break
    return " ".join(words)
