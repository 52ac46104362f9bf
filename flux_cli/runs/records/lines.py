"""The lines of a journal: JSON objects with a checksum each, and the trace ids of requests."""

from __future__ import annotations

import hashlib
from zlib import crc32

from flux_cli.core.text import redact

LINE_SCHEMA = 3  # changes when an older flux could misread a journal
UNSEALED = 1  # the schema of journals whose lines have no checksum
LISTED = 2  # the last schema whose first line lists all requests
SEAL_MARK, END = b', "crc": "', b'"}'  # around the checksum, which is the last value of a line
DIGITS = 8  # of a checksum, hexadecimal


def encode(text: str) -> bytes:
    """Text of a line as bytes, without keys."""
    return redact(text).encode("utf-8", "surrogatepass")


def seal(text: bytes) -> bytes:
    """The end of a line with the checksum of `text`, which lacks its closing brace."""
    return b"%b%08x%b" % (SEAL_MARK, crc32(text), END)


def unseal(line: bytes) -> bytes | None:
    """The JSON of a line without its checksum. None if the line is damaged or has no checksum."""
    text, mark, tail = line.rpartition(SEAL_MARK)
    if not mark or len(tail) != DIGITS + len(END) or tail[DIGITS:] != END:
        return None
    return text + b"}" if tail == seal(text)[len(SEAL_MARK) :] else None


def trace(run: str, number: int) -> str:
    """The trace id of a request (32 hexadecimal digits), by which the gateway lists it."""
    return hashlib.sha256(f"{run} {number}".encode()).hexdigest()[:32]


def answer_name(number: int) -> str:
    """The name of the file with an answer to a request that was not understood."""
    return f"answer{number}"
