"""The two streams: what is written arrives whole or nobody reads it any more. What is said on them is in `console`."""

from __future__ import annotations

import os
import sys

from flux_cli.core.errors import DiskError
from flux_cli.core.lite import json_text
from flux_cli.core.table import table
from flux_cli.core.text import LONG, inert, inert_json, plain, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn, TextIO

    from flux_cli.core.model import Json

_LOST: list[str] = []  # why standard output took less than everything
DIGITS = 6  # which no width has

# What JSON leaves as it is and terminals may obey: the second set of control characters, marks that turn text round.
ACTING = {
    code: f"\\u{code:04x}"
    for code in (*range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}


def prepare() -> None:
    """Let both streams carry any file name, whatever the terminal's encoding can show.

    One that the caller closed is opened, so that no file gets its number: nobody hears what goes to stderr, and on
    stdout every write fails, as on a full disk.
    """
    _LOST.clear()
    for number, name, way in ((1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        stream = getattr(sys, name)
        if stream is None:
            while (opened := os.open(os.devnull, way)) < number:  # a closed stdin takes the first
                pass
            stream = os.fdopen(opened, "w")
            setattr(sys, name, stream)
        if hasattr(stream, "reconfigure"):
            utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def out(text: str) -> None:
    """One line or block of data. A reader that has gone has read enough: that is no error."""
    write(sys.stdout, text + "\n")


def say(text: str) -> None:
    """One block for people, with nothing in it that a CI service obeys. What programs read goes through `out`."""
    out("\n".join(map(inert, text.replace("\r", " ").split("\n"))) if "##" in text or "::" in text else text)


def listing(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table that fits the terminal it is for; every row stays a line where a program reads it."""
    safe = [[cell if cell.isprintable() else plain(cell, LONG) for cell in row] for row in rows]
    return table(safe, right, columns())


def columns() -> int | None:
    """How wide the terminal is that standard output goes to; None where it goes elsewhere."""
    try:
        seen = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):  # a pipe, a file, closed, none at all
        return None
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isdecimal() and len(said) < DIGITS and int(said) else seen or None


def document_text(document: Mapping[str, Json] | Sequence[Json]) -> str:
    """One JSON document, readable for people too; half characters of odd file names become question marks, and what a
    terminal or a CI service could obey is escaped.
    """
    text = inert_json(redact(json_text(document, indent=2)))
    if text.isascii() and "\x7f" not in text:
        return text
    return text.translate(ACTING).encode("utf-8", "replace").decode()


def out_json(document: Mapping[str, Json] | Sequence[Json]) -> None:
    """One JSON document on stdout."""
    out(document_text(document))


def is_closed() -> bool:
    """Whether the caller closed standard output, as with `>&-`."""
    return sys.__stdout__ is None


def write(stream: TextIO, text: str) -> None:
    """Write and flush; quiet where its reader has gone. What standard output does not take, `check` tells later: the
    work goes on, and there are other things to say.
    """
    try:
        stream.write(text)
        stream.flush()
    except (BrokenPipeError, ValueError):
        abandon(stream)
    except OSError as fault:
        abandon(stream)
        if stream is sys.stdout:
            _LOST.append(fault.strerror or str(fault))


def check(saved: Iterable[str] = ()) -> None:
    """Raise DiskError, once, where data for standard output got lost, saying what is `saved` all the same."""
    if _LOST:
        reason = _LOST[0]
        _LOST.clear()
        paths = list(saved)
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        there = f"; saved: {paths[0]}{more}" if paths else ""
        raise DiskError(f"cannot write to standard output: {reason}{there}")


def leave(code: int) -> NoReturn:
    """End the process at once, with everything written.

    An interpreter that takes itself apart costs a fifth of a lookup, and after Ctrl-C it would wait for threads that
    are still encoding or resolving names.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # its reader has gone, or it was closed
            continue
    os._exit(code)


def abandon(stream: TextIO) -> None:
    """Send what is still to come nowhere, so that the interpreter does not complain at its end."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return
