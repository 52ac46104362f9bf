"""Pictures that people hand over: files and standard input, read whole, within a limit."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from flux_cli.core.containers import sniff
from flux_cli.core.errors import UsageError
from flux_cli.core.formats import FORMATS

MAX_PICTURE = 256 << 20  # bytes


def read_picture(path: str, stdin: BinaryIO | None) -> bytes:
    """The bytes of a file, or of standard input for `-`. Raises UsageError for what cannot be read or is no picture."""
    try:
        if path == "-":
            if stdin is None:
                raise UsageError("standard input is closed", hint="name a file")
            data = stdin.read(MAX_PICTURE + 1)
        else:
            data = _file(path)
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise UsageError(f"{path} cannot be read: {reason}") from fault
    if len(data) > MAX_PICTURE:
        raise UsageError(f"{path} is larger than {MAX_PICTURE >> 20} MiB")
    if sniff(data) is None:
        raise UsageError(f"{path} is no picture that flux reads", hint=f"it reads {', '.join(FORMATS)}")
    return data


def _file(path: str) -> bytes:
    """A named pipe would wait for a writer for ever, so only files are opened."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - the type of whatever a link leads to
        raise UsageError(f"{path} is no file", hint="name a picture, or - for standard input")
    with Path(path).open("rb") as file:
        return file.read(MAX_PICTURE + 1)
