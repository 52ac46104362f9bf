"""Takes long base64 texts out of a JSON answer while it arrives and decodes them into files."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable

import pybase64

from flux_cli.http.datauri import too_large_error
from flux_cli.http.replies import BLOB
from flux_cli.http.spool import ReceivedFile

LONG = 1 << 10  # bytes; shorter texts stay in the answer, and so in the journal
FROM_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
MAX_RESTORED = 16 << 20  # decoded bytes that are turned into text again; larger than any image
BACKSLASH = 0x5C
LONGEST_ESCAPE = 6  # bytes of `\u002b`


class Splitter:
    """Splits a JSON text that arrives in parts: short texts are `kept`, long ones go into files.

    In `kept`, `BLOB` and the name of a file stand for a long text. The file has the decoded bytes,
    or the text itself if it was base64 only at its beginning. `BLOB` without a name stands for such
    a text that was too long to be kept.
    """

    def __init__(self, open_new: Callable[[], ReceivedFile], limit: int) -> None:
        """`open_new` begins a file, `limit` is the most bytes one file may have."""
        self.kept = bytearray()
        self._open_new, self._limit = open_new, limit
        self._begin = -1  # where the current text begins in `kept`; -1: between texts
        self._file: Base64File | None = None
        self._done: list[Base64File] = []
        self._is_prose = False  # the current text is long and not base64
        self._next_is_escaped = False  # the last chunk ended in a backslash

    def feed(self, chunk: bytes | bytearray) -> None:
        """Take the next part of the answer. Raises OSError, and ImageError above the limit."""
        at = 0
        while at < len(chunk):
            if self._begin < 0:
                at = self._copy_to_quote(chunk, at)
                continue
            end = self._end_of_text(chunk, at)
            is_whole_chunk = (at, end) == (0, len(chunk))  # most often, and no copy of a megabyte
            self._take(chunk if is_whole_chunk else chunk[at:end])
            if end < len(chunk):  # at the closing quote
                self._finish_text()
                end += 1
            at = end

    def close(self) -> None:
        """Finish. An answer may end inside a text: what there is of it is kept as it is."""
        if self._file:
            self._file.restore()
            self._end_file(self._file)

    def drop(self) -> None:
        """Remove all files of this answer."""
        for file in (*self._done, self._file):
            if file:
                file.drop()

    def _copy_to_quote(self, chunk: bytes | bytearray, at: int) -> int:
        """Keep what stands between two texts. Returns the place after the opening quote."""
        quote = chunk.find(b'"', at)
        if quote < 0:
            self.kept += chunk[at:]
            return len(chunk)
        self.kept += chunk[at : quote + 1]
        self._begin = len(self.kept)
        return quote + 1

    def _end_of_text(self, chunk: bytes | bytearray, at: int) -> int:
        """The place of the closing quote, or the end of the chunk if the text goes on."""
        if self._next_is_escaped:
            self._next_is_escaped = False
            at += 1
        while (quote := chunk.find(b'"', at)) >= 0:
            if not _is_escaped(chunk, quote, at):
                return quote
            at = quote + 1
        self._next_is_escaped = _is_escaped(chunk, len(chunk), at)
        return len(chunk)

    def _take(self, part: bytes | bytearray) -> None:
        """Add a part to the current text, which moves into a file once it is long."""
        if self._file:
            self._file.write(part)
            return
        self.kept += part
        if len(self.kept) - self._begin <= LONG or self._is_prose:
            return
        file = Base64File(self._open_new, self._limit)
        self._file = file  # before it is written: `drop` must find it
        file.write(bytes(self.kept[self._begin :]))
        if file.is_invalid:  # a message or a prompt
            file.drop()
            self._file, self._is_prose = None, True
        else:
            del self.kept[self._begin :]

    def _finish_text(self) -> None:
        if self._file:
            self._end_file(self._file)
        self.kept += b'"'
        self._begin, self._is_prose = -1, False

    def _end_file(self, file: Base64File) -> None:
        """Close the file of the current text, and keep its name in place of the text."""
        file.close()
        self.kept += f"{BLOB}{file.name}".encode()
        self._done.append(file)
        self._file = None


class Base64File:
    """Decodes a base64 text into a file while it arrives.

    `is_invalid`: the text is not base64. If that shows late, the file has the text itself.
    """

    def __init__(self, open_new: Callable[[], ReceivedFile], limit: int) -> None:
        self.is_invalid = False
        self._open_new = open_new
        self._file: ReceivedFile | None = None  # opened for the first bytes: most texts have none
        self._limit, self._size = limit, 0  # bytes
        self._has_begun = False
        self._half_escape = b""  # an escape whose end is in the next part
        self._undecoded = b""  # up to three characters that wait for the fourth

    @property
    def name(self) -> str:
        """The name of the file; "" if there is none."""
        return os.path.basename(self._file.path) if self._file else ""

    def write(self, part: bytes | bytearray) -> None:
        """Take the next part as JSON writes it. Raises OSError, and ImageError above the limit."""
        if self.is_invalid:
            self._write(part)
            return
        if self._half_escape:
            part = self._half_escape + part
        end = _end_of_escapes(part)
        self._half_escape = bytes(part[end:])
        if end < len(part):
            part = part[:end]
        part = self._unescape(part)
        if not self._has_begun:
            self._has_begun = True
            part = self._without_prefix(part)
        if self._undecoded:
            part = self._undecoded + part
        end = len(part) // 4 * 4
        self._undecoded = bytes(part[end:])
        self._decode(memoryview(part)[:end])
        if self.is_invalid:
            self._restore(bytes(part) + self._half_escape)

    def restore(self) -> None:
        """Turn the file into the text again, which has ended too early."""
        if not self.is_invalid:
            self._restore(self._undecoded + self._half_escape)

    def close(self) -> None:
        """Write the rest. Nothing of a text is lost, whether it is base64 or not."""
        if self._half_escape and not self.is_invalid:
            self._restore(self._undecoded + self._half_escape)
        elif (text := self._undecoded.rstrip(b"=")) and not self.is_invalid:
            self._decode(text + b"=" * (-len(text) % 4))
            if self.is_invalid:
                self._restore(self._undecoded)
        if self._file:
            self._file.close()

    def drop(self) -> None:
        """Remove the file."""
        if self._file:
            self._file.drop()
            self._file = None

    def _restore(self, rest: bytes) -> None:
        """Replace the decoded bytes by the text again, up to its undecoded `rest`.

        A file that is too large for that is removed.
        """
        self.is_invalid = True
        if not self._file:
            return
        data = self._file.read_back() if self._size <= MAX_RESTORED else b""
        self.drop()
        if data:
            self._file = self._open_new()
            self._size = 0
            self._write(base64.b64encode(data) + rest)

    def _without_prefix(self, part: bytes | bytearray) -> bytes | bytearray:
        """The text behind `data:...;base64,`."""
        if not part.startswith(b"data:"):
            return part
        head, _, text = part.partition(b",")
        self.is_invalid = not head.lower().endswith(b";base64")
        return text

    def _unescape(self, part: bytes | bytearray) -> bytes | bytearray:
        """Resolve JSON escapes: writers may escape slashes, plus signs and line breaks."""
        if BACKSLASH not in part:
            return part
        try:
            text: str = json.loads(b'"%b"' % bytes(part))
            return text.encode("ascii").translate(None, b"\r\n")
        except ValueError:
            self.is_invalid = True
            return part

    def _decode(self, text: bytes | memoryview) -> None:
        """Write the bytes of a text, unless it is invalid. Raises OSError, ImageError."""
        if self.is_invalid:
            return
        try:
            try:
                data = pybase64.b64decode(text, validate=True)
            except ValueError:
                data = pybase64.b64decode(bytes(text).translate(FROM_URL_ALPHABET), validate=True)
        except ValueError:
            self.is_invalid = True
            return
        self._write(data)

    def _write(self, data: bytes | bytearray) -> None:
        """Write bytes into the file, which is opened for the first ones."""
        self._size += len(data)
        if self._size > self._limit:
            raise too_large_error(self._limit)
        if self._file is None:
            self._file = self._open_new()
        self._file.write(data)


def _end_of_escapes(part: bytes | bytearray) -> int:
    """The length of a part without an escape that is cut off at its end."""
    last = part.rfind(b"\\", max(0, len(part) - LONGEST_ESCAPE))
    if last < 0:
        return len(part)
    if not _is_escaped(part, last + 1):  # the last backslash ends an escape
        return len(part)
    length = LONGEST_ESCAPE if part[last + 1 : last + 2] == b"u" else 2
    return len(part) if last + length <= len(part) else last


def _is_escaped(text: bytes | bytearray, place: int, start: int = 0) -> bool:
    """Whether the byte at a place is escaped: an odd number of backslashes stands before it."""
    first = place
    while first > start and text[first - 1] == BACKSLASH:
        first -= 1
    return (place - first) % 2 == 1
