"""Reads the text of a lock strictly. Conflict markers of git are read, not refused.

A conflicted lock has two versions, and a row of either may be the right one: whoever compares them
with the manifest and the disk decides.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from flux_cli.build.lock import checks
from flux_cli.build.lock.text import SCHEMA, START
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import decode_text
from flux_cli.request.expansion.strict_json import read_json, read_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from flux_cli.build.lock.rows import Row

HINT = "restore it from git; --adopt '*' starts a new lock from the files that are there"
MARKER = re.compile(r"^(<{7}|\|{7}|={7}|>{7})( |$)", re.MULTILINE)
OURS, BASE, THEIRS, BOTH = range(4)


class Lock(NamedTuple):
    """The rows by name. `others` are those of the other side of a merge conflict."""

    rows: Mapping[str, Row] = {}
    others: Mapping[str, Row] = {}
    is_conflicted: bool = False


def read_lock(data: bytes, path: str) -> Lock:
    """Read a lock. `path` names it in messages. Raises ManifestError."""
    try:
        text = decode_text(data).replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        raise ManifestError(f"{path} is not valid UTF-8", hint=HINT) from fault
    del data  # locks may have many megabytes
    try:
        if "<<<<<<<" not in text or not MARKER.search(text):
            return Lock(_rows_of(text))
        ours, theirs = (_rows(_by_line(_side(text, side))) for side in (OURS, THEIRS))
    except (ValueError, RecursionError) as fault:
        raise ManifestError(f"{path} cannot be read: {fault}", hint=HINT) from fault
    return Lock({**theirs, **ours}, theirs, is_conflicted=True)


def _rows_of(text: str) -> dict[str, Row]:
    """The rows of a text, asset by asset if it begins as flux writes it. Raises ValueError.

    The tables of all assets together take more memory than their rows.
    """
    if text.startswith(START):
        return checks.read_rows(read_members(text, len(START)))
    return _rows(read_json(text))


def _rows(document: Any) -> dict[str, Row]:  # noqa: ANN401 - what JSON can be
    """The rows of a document. Raises ValueError."""
    if not isinstance(document, dict) or document.keys() != {"schema", "assets"}:
        raise ValueError("it is not a lock of flux build")
    if document["schema"] != SCHEMA:
        raise ValueError(f"it has schema {document['schema']!r}, and this flux reads {SCHEMA}")
    return checks.read_rows(checks.table_of(document["assets"]).items())


def _side(text: str, side: int) -> Iterator[str]:
    """The lines of one side of all conflicts, with what both sides share."""
    now = BOTH
    steps: dict[str, Callable[[], int]] = {
        "<": lambda: OURS,
        "|": lambda: BASE,
        "=": lambda: THEIRS,
        ">": lambda: BOTH,
    }
    for line in text.split("\n"):
        if MARKER.match(line):
            now = steps[line[0]]()
        elif now in (BOTH, side):
            yield line


def _facts(line: str) -> dict[str, Any]:
    """The facts of one line. Raises ValueError."""
    found: dict[str, Any] = read_json(f"{{{line}}}")
    return found


def _by_line(lines: Iterator[str]) -> dict[str, Any]:
    """The document of lines as flux writes them. Commas may be missing, or too many.

    Raises ValueError for any other line.
    """
    assets: dict[str, Any] = {}
    row: dict[str, Any] = {}
    files: dict[str, Any] | None = None
    for number, whole in enumerate(lines, 1):
        line = whole.removesuffix(",")
        if number == 1 and line == START:
            continue
        if line in ("", "}", " }", "}}"):
            files = None
        elif line in (' "files": {', ' "candidates": {'):
            files = row[line[2:-4]] = {}
        elif line.startswith('  "') and files is not None:
            files |= _facts(line)
        elif line.startswith(' "'):
            row |= _facts(line)
        elif line.startswith('"') and line.endswith(": {"):
            row = assets[json.loads(line[:-3])] = {}
            files = None
        else:
            raise ValueError(f"line {number} was not written by flux")
    return {"schema": SCHEMA, "assets": assets}
