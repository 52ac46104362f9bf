"""The file of the review page: checked before anything is paid for, and written at the end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.review.page import START
from flux_cli.core.errors import DiskError, OutputError, UsageError
from flux_cli.disk.folders import try_folders
from flux_cli.disk.links import check_folder, refuse_planted
from flux_cli.disk.publish import publish
from flux_cli.images.files import PART

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIXES = (".html", ".htm")
BEGINNING = START.encode()


def check_report(path: str, outputs: Iterable[str]) -> None:
    """Check that a report can be written, without writing it. `outputs` are places of files.

    Raises UsageError for a name of another kind of file, OutputError if something else is there, or
    the folder cannot be written to.
    """
    hint = "name a file such as report.html"
    if not path.lower().endswith(SUFFIXES):
        raise UsageError(f"--report writes HTML, not {path!r}", hint=hint)
    refuse_planted(path, "remove it, or name another file with --report; nothing was done")
    behind = os.path.realpath(path)
    if not behind.lower().endswith(SUFFIXES):
        raise OutputError(f"{path} leads to {behind}, which is no report", hint=hint)
    for output in outputs:
        pair = f"{os.path.abspath(output)}/", f"{os.path.abspath(path)}/"
        if pair[0].startswith(pair[1]) or pair[1].startswith(pair[0]):
            raise OutputError(f"{path} is where the manifest puts {output}", hint=hint)
    _check_present(path)
    try_folders([os.path.dirname(behind)], 0, "--report")


def _check_present(path: str) -> None:
    """Raise OutputError if something is there that is no report."""
    hint = "name another file with --report, or delete this one"
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OutputError(f"{path} is not a file", hint=hint)
        with open(path, "rb") as file:
            beginning = file.read(len(BEGINNING))
    except FileNotFoundError:
        return
    except OSError as fault:
        raise OutputError(f"cannot write {path}: {fault.strerror}", hint=hint) from fault
    if beginning != BEGINNING:
        message = f"{path} exists, and was not written by flux build --report"
        raise OutputError(message, hint=hint)


def write_report(path: str, html: str) -> None:
    """Write a report in one step, unless the file has exactly these bytes.

    Raises DiskError, OutputError if there is another file meanwhile.
    """
    data = html.encode("utf-8", "replace")
    _check_present(path)
    try:
        if os.path.exists(path) and Path(path).read_bytes() == data:
            return
        check_folder(os.path.dirname(path))
        publish([data], path, f"{PART}{os.urandom(8).hex()}")
    except OSError as fault:
        raise DiskError(f"cannot write {path}: {fault.strerror}") from fault
