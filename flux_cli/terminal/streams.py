"""Writes text, tables and JSON documents to stdout and stderr.

Errors of stdout are reported once, by `check`.
"""

from __future__ import annotations

import os
import sys

from flux_cli.core.errors import DiskError
from flux_cli.core.lite import json_text
from flux_cli.core.text import (
    LONG,
    disarm,
    disarm_json,
    may_show_key,
    plain,
    redact_json,
    variable_text,
)
from flux_cli.terminal.table import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn, TextIO

    from flux_cli.core.model import Json

_LOST: list[str] = []  # why data for stdout was lost
MAX_WIDTH_DIGITS = 5

# Valid in JSON, but terminals may obey them: C1 control characters, and marks that change the
# direction of text.
C1_CODES = range(0x7F, 0xA0)
DIRECTION_CODES = (0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
UNSAFE = {code: f"\\u{code:04x}" for code in (*C1_CODES, *DIRECTION_CODES)}


def prepare() -> None:
    """Prepare stdout and stderr for any file name, whatever encoding the terminal has.

    A closed stream is opened again, so that no file gets its number. Text for such a stderr is
    discarded; writing to such a stdout fails, as on a full disk.
    """
    _LOST.clear()
    for number, name, mode in ((1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, _open_null(number, mode))
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def _open_null(number: int, mode: int) -> TextIO:
    """The null device, under this file number or a higher one."""
    opened = os.open(os.devnull, mode)
    while opened < number:  # stdin is closed, too: it gets the first number
        opened = os.open(os.devnull, mode)
    return os.fdopen(opened, "w")


def out(text: str) -> None:
    """Write data to stdout, with a newline. A closed pipe is not an error."""
    write(sys.stdout, text + "\n")


def out_data(text: str) -> None:
    """Write data to stdout: exact, but a terminal does not get what it would obey."""
    out(_shown(text))


def out_path(path: str) -> None:
    """Write the path of a file as data. On a terminal, it is a link where there are links."""
    out(linked(_shown(path), path))


def linked(text: str, path: str) -> str:
    """The text as a link to a file, if stdout is a terminal that has links."""
    if not sys.stdout.isatty():
        return text
    from flux_cli.terminal.links import has_links, link

    return link(text, path) if has_links(sys.stdout) else text


def _shown(text: str) -> str:
    if sys.stdout.isatty():
        text = "\n".join(map(_printable, text.split("\n")))
    return text


def say(text: str) -> None:
    """Write text for people to stdout, without commands to CI services. Use `out` for data."""
    if "##" in text or "::" in text:
        text = "\n".join(map(disarm, text.replace("\r", " ").split("\n")))
    out(text)


def listing(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table as text. `right` are the right-aligned columns.

    On a terminal, the table fits; elsewhere every row is one line.
    """
    safe = [tuple(map(_printable, row)) for row in rows]
    return table(safe, right, columns())


def _printable(cell: str) -> str:
    return cell if cell.isprintable() else plain(cell, LONG)


def columns() -> int | None:
    """The width of the terminal that stdout is connected to, or None if it is not a terminal."""
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):  # a pipe, a file, or a closed or missing stream
        return None
    text = variable_text(os.environ, "COLUMNS")
    if text.isdecimal() and len(text) <= MAX_WIDTH_DIGITS and int(text):
        return int(text)
    return width or None


def document_text(document: Mapping[str, Json] | Sequence[Json]) -> str:
    """One JSON document, indented, without keys.

    Invalid characters of file names become question marks. Commands to terminals and CI services
    are escaped.
    """
    text = json_text(document, indent=2)
    if may_show_key(text):  # not in the text itself: JSON escapes quotes, and a key may be a number
        text = json_text(redact_json(document), indent=2)
    text = disarm_json(text)
    if text.isascii() and "\x7f" not in text:
        return text
    return text.translate(UNSAFE).encode("utf-8", "replace").decode()


def out_json(document: Mapping[str, Json] | Sequence[Json]) -> None:
    """Write one JSON document to stdout."""
    out(document_text(document))


def is_closed() -> bool:
    """Whether the caller closed standard output, as with `>&-`."""
    return sys.__stdout__ is None


def write(stream: TextIO, text: str) -> None:
    """Write and flush. A closed pipe is ignored; `check` reports other errors of stdout."""
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
    """Raise DiskError, once, if data for stdout was lost. The message names the `saved` paths."""
    if _LOST:
        reason = _LOST[0]
        _LOST.clear()
        paths = list(saved)
        message = f"cannot write to standard output: {reason}"
        if paths:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            message += f"; saved: {paths[0]}{more}"
        raise DiskError(message)


def leave(code: int) -> NoReturn:
    """Flush both streams and end the process at once.

    A normal exit would cost a fifth of a lookup, and after Ctrl-C it would wait for threads that
    are still encoding or resolving host names.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a closed pipe, or a closed stream
            continue
    os._exit(code)


def abandon(stream: TextIO) -> None:
    """Discard all further output, so that Python does not complain at exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return
