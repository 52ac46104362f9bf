"""Opens a file of JSON lines, which is read twice: first planned, then built.

Standard input and pipes are copied to a temporary file, so that their cost is known before anything
is paid for, too.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, cast

from flux_cli.core.errors import ManifestError
from flux_cli.disk.pipes import is_pipe, open_file

if TYPE_CHECKING:
    from typing import BinaryIO

STDIN = "-"
SUFFIXES = (".jsonl", ".ndjson")
COPIED = 1 << 20  # bytes that are copied at once


def is_stream(path: str) -> bool:
    """Whether a name given to `flux build` means JSON lines, and not a manifest."""
    return path == STDIN or path.lower().endswith(SUFFIXES) or is_pipe(path)


def open_source(path: str, stack: contextlib.ExitStack) -> BinaryIO:
    """Open the lines for reading from any place, until the stack ends. Raises ManifestError."""
    try:
        if path == STDIN:
            return _copied(stack, sys.stdin.buffer)
        if is_pipe(path):
            with Path(path).open("rb") as pipe:
                return _copied(stack, pipe)
        return stack.enter_context(open_file(path))
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise ManifestError(f"{path} cannot be read: {reason}", hint="check the name") from fault


def _copied(stack: contextlib.ExitStack, pipe: BinaryIO) -> BinaryIO:
    """Everything that a pipe brings, in a file without a name. Raises OSError."""
    copy = stack.enter_context(TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(pipe, copy, COPIED)
    copy.seek(0)
    return cast("BinaryIO", copy)
