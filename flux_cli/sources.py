"""Pictures people already have, read whole: files, or one from standard input."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from flux_cli.core.errors import UsageError

MAX_BYTES = 512 << 20  # larger than any picture of the pixels flux takes


def read(path: str) -> bytes:
    """The bytes of a file. Raises UsageError where it is missing, no file, or absurdly large."""
    try:
        with Path(path).open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{path} is no file")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise UsageError(f"{path} cannot be read: {reason}") from fault
    return _checked(data, path)


def read_stream(stream: BinaryIO | None) -> bytes:
    """The bytes of one picture on standard input. Raises UsageError."""
    if stream is None:
        raise UsageError("standard input is closed", hint="name a file")
    return _checked(stream.read(MAX_BYTES + 1), "standard input")


def _checked(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES >> 20} MiB")
    if not data:
        raise UsageError(f"{name} is empty")
    return data
