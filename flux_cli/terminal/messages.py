"""Words to the right stream: data to stdout, everything else to stderr, quiet when a pipe has closed."""

import sys
from collections.abc import Iterable

from flux_cli.core.errors import FluxError
from flux_cli.core.request import Note
from flux_cli.core.table import shown
from flux_cli.core.text import LONG, annotation, inert, plain, redact
from flux_cli.terminal.environment import is_github, takes_color
from flux_cli.terminal.streams import write

RED, GREEN, YELLOW, CYAN = "31", "32", "33", "36"
KINDS = {"error:": RED, "failed:": RED, "note:": YELLOW, "kept": YELLOW, "saved": GREEN, "hint:": CYAN}
EARLY = 3  # words; behind `flux:` there may be the number of a call


def err(text: str) -> None:
    """One line for the person, with nothing in it that could act on a terminal or a CI service."""
    lines = [inert(plain(redact(line), LONG)) for line in text.split("\n")]
    if takes_color(sys.stderr):
        lines = list(map(painted, lines))
    write(sys.stderr, "\n".join(lines) + "\n")


def error(fault: FluxError, *, verbose: bool = False) -> None:
    """What happened, and what to type next; with `verbose` the chain of causes. GitHub is told, too."""
    err(f"flux: error: {_with_bill(fault)}")
    if fault.hint:
        err(f"hint: {fault.hint}")
    cause = fault.__cause__
    while verbose and cause is not None:
        err(f"  cause: {type(cause).__name__}: {cause}")
        cause = cause.__cause__
    if is_github():
        message, hint = (inert(plain(redact(text), LONG)) for text in (_with_bill(fault), fault.hint))
        write(sys.stderr, annotation(message, hint) + "\n")


def notes(all_notes: Iterable[Note]) -> None:
    """The decisions a person should hear of unasked."""
    for note in all_notes:
        if note.warning:
            err(f"flux: note: {_note(note)}: {note.reason}")


def _with_bill(fault: FluxError) -> str:
    request = f" (request {fault.request_id})" if fault.request_id else ""
    bill = "; it may have been billed" if fault.billed else ""
    message = fault.message.removesuffix(".") if bill else fault.message  # a sentence of somebody else's
    return f"{message}{bill}{request}"


def _note(note: Note) -> str:
    if note.used is None:
        return f"{note.parameter} {shown(note.asked)} is ignored"
    if note.asked is None or note.asked == note.used:
        return f"{note.parameter} {shown(note.used)}"
    return f"{note.parameter} {shown(note.asked)} becomes {shown(note.used)}"


def painted(line: str) -> str:
    """The line with its kind in color; without it, it is the same line."""
    words = line.split(" ")
    for place, word in enumerate(words[:EARLY]):
        if word in KINDS:
            words[place] = f"\x1b[{KINDS[word]}m{word}\x1b[0m"
            break
    return " ".join(words)
