"""The lines of a journal: JSON objects with a checksum each, and the trace ids of requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from zlib import crc32

from flux_cli.core.model import Json
from flux_cli.core.text import redact

LINE_SCHEMA = 2  # changes when an older flux could misread a journal
UNSEALED = 1  # the schema of journals whose lines have no checksum
SEAL_MARK, END = b', "crc": "', b'"}'  # around the checksum, which is the last value of a line
DIGITS = 8  # of a checksum, hexadecimal
BLOCK = 1 << 16  # characters of the first line that are encoded at once


def encode(text: str) -> bytes:
    """Text of a line as bytes, without keys."""
    return redact(text).encode("utf-8", "surrogatepass")


def first_line(about: dict[str, Json], calls: Iterable[dict[str, Json]]) -> Iterator[bytes]:
    """The first line of a journal, in blocks: ten thousand requests are four megabytes."""
    block = f'{json.dumps(about, ensure_ascii=False)[:-1]}, "calls": ['
    separator, checksum = "", 0
    for call in calls:
        block += separator + json.dumps(call, ensure_ascii=False)
        separator = ", "
        if len(block) > BLOCK:
            data = encode(block)
            checksum = crc32(data, checksum)
            yield data
            block = ""
    data = encode(f"{block}]")
    yield data + seal(data, checksum) + b"\n"


def seal(text: bytes, before: int = 0) -> bytes:
    """The end of a line with the checksum of `text`, which lacks its closing brace.

    `before` is the checksum of what was written of the line already.
    """
    return b"%b%08x%b" % (SEAL_MARK, crc32(text, before), END)


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
