"""What a server sends, kept out of memory: long base64 texts of an answer are decoded into files while they arrive."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pybase64

from flux_cli.http.datauri import too_large
from flux_cli.http.replies import BLOB

LONG = 1 << 16  # bytes; a shorter text stays where it is
HARMLESS = bytes.maketrans(b"-_", b"+/")  # the alphabet for addresses
BUFFER = 1 << 13  # bytes; what comes is larger, and Python 3.15 would hold 128 KiB for every answer
ESCAPE = 0x5C
LONGEST_ESCAPE = 6  # bytes, `\u002b`


class Spool:
    """A folder for files that may still be needed after a crash. Nobody outside can guess their names.

    A file that is not needed any more is written over by the next answer, under another name: to make and remove files
    costs more than all else, and so does fresh memory for what is in them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._free: list[str] = []

    def new(self) -> str:
        """A path for a file; what may be in it already is of no use. See `begin` and `end`."""
        path = os.path.join(self._folder, os.urandom(8).hex())
        if self._free:
            with contextlib.suppress(OSError):
                os.rename(self._free.pop(), path)
        return path

    def keep(self, data: bytes) -> str:
        """A file with these bytes. Raises OSError."""
        path = self.new()
        with begin(path) as file:
            file.write(data)
            file.truncate()
        return path

    def release(self, path: str) -> None:
        """A file is not needed any more."""
        self._free.append(path)

    def find(self, name: str) -> str | None:
        """The file of that name, if there is one."""
        path = os.path.join(self._folder, name)
        return path if name.isalnum() and os.path.isfile(path) else None

    def close(self) -> None:
        """Leave no file that nobody needs."""
        for path in self._free:
            with contextlib.suppress(OSError):
                os.unlink(path)
        self._free.clear()


def begin(path: str) -> BinaryIO:
    """Open a file of the spool for writing, at its start. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "wb", BUFFER)


def end(file: BinaryIO) -> None:
    """Close a file that has been written; nothing of what was in it before stays. Raises OSError."""
    with file:
        file.truncate()


class Base64File:
    """A file with what a base64 text decodes to, in the order the text arrives. `fault` says why it is none."""

    def __init__(self, path: str, limit: int) -> None:
        self.path, self.fault = path, ""
        self._file = begin(path)
        self._cut, self._rest, self._begun, self._size, self._limit = b"", b"", False, 0, limit

    def write(self, part: bytes | bytearray) -> None:
        """Take the next part, as JSON writes it. Raises OSError for a full disk and ImageError above the limit."""
        if self.fault:
            return
        part = self._cut + part if self._cut else part
        end = _end_of_escapes(part)
        part, self._cut = (part, b"") if end == len(part) else (part[:end], bytes(part[end:]))
        part = self._unescaped(part)
        if not self._begun:
            self._begun = True
            if part.startswith(b"data:"):
                head, _, part = part.partition(b",")
                self.fault = "" if head.lower().endswith(b";base64") else "it is a data URI without base64"
        part = self._rest + part if self._rest else part
        end = len(part) // 4 * 4
        self._decode(memoryview(part)[:end])
        self._rest = bytes(part[end:])

    def close(self) -> None:
        """Write the rest; what was no base64 leaves no file."""
        if self._cut:
            self.fault = self.fault or "it is cut short"
        elif text := self._rest.rstrip(b"="):
            self._decode(text + b"=" * (-len(text) % 4))
        end(self._file)
        if self.fault:
            self.drop()

    def drop(self) -> None:
        """Leave no file."""
        with contextlib.suppress(OSError):  # a full disk takes the last bytes no better
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _unescaped(self, part: bytes | bytearray) -> bytes | bytearray:
        """What JSON means: writers escape slashes and plus signs, and fold long lines."""
        if ESCAPE not in part:
            return part
        try:
            text: str = json.loads(b'"%b"' % bytes(part))
            return text.encode("ascii").translate(None, b"\r\n")
        except ValueError:
            self.fault = self.fault or "it is no base64"
            return b""

    def _decode(self, text: bytes | memoryview) -> None:
        try:
            try:
                data = pybase64.b64decode(text, validate=True)
            except ValueError:
                data = pybase64.b64decode(bytes(text).translate(HARMLESS), validate=True)
        except ValueError:
            self.fault = self.fault or "it is no base64"
            return
        self._size += len(data)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._file.write(data)


def _end_of_escapes(part: bytes | bytearray) -> int:
    """The length of a part of a JSON text without the escape that goes on behind its end."""
    last = part.rfind(b"\\", max(0, len(part) - LONGEST_ESCAPE))
    if last < 0:
        return len(part)
    slashes = 1
    while last - slashes >= 0 and part[last - slashes] == ESCAPE:
        slashes += 1
    whole = slashes % 2 == 0  # the last one ends an escape
    length = LONGEST_ESCAPE if part[last + 1 : last + 2] == b"u" else 2
    return len(part) if whole or last + length <= len(part) else last


class Splitter:
    """A JSON text that comes in parts: what is short is `kept`, what is long goes into files.

    In `kept`, `BLOB` and the file's name stand for a long text; `BLOB` alone for one that was no base64.
    """

    def __init__(self, new: Callable[[], str], limit: int) -> None:
        self.kept = bytearray()
        self._new, self._limit = new, limit
        self._begin = -1  # where in `kept` the text under way begins; -1: between texts
        self._file: Base64File | None = None
        self._done: list[Base64File] = []
        self._wordy = False  # the text under way is long, and no base64
        self._escaped = False  # the next byte belongs to an escape

    def feed(self, chunk: bytes | bytearray) -> None:
        """Take the next part of the answer. Raises OSError, and ImageError above the limit."""
        at = 0
        while at < len(chunk):
            if self._begin < 0:
                quote = chunk.find(b'"', at)
                end = quote + 1 if quote >= 0 else len(chunk)
                self.kept += chunk[at:end]
                self._begin = len(self.kept) if quote >= 0 else -1
            else:
                end = self._end_of_text(chunk, at)
                self._take(chunk if (at, end) == (0, len(chunk)) else chunk[at:end])  # megabytes, mostly
                if end < len(chunk):  # at the closing quote
                    self._finish()
                    end += 1
            at = end

    def close(self) -> None:
        """The answer is over. One that ends inside of a text is not whole."""
        if self._begin >= 0:
            self.drop()

    def drop(self) -> None:
        """Leave no file of an answer that is not whole."""
        for file in filter(None, (*self._done, self._file)):
            file.drop()

    def _end_of_text(self, chunk: bytes | bytearray, at: int) -> int:
        """The place of the closing quote, or the end of the chunk where the text goes on."""
        if self._escaped:
            at += 1
            self._escaped = False
        while True:
            quote = chunk.find(b'"', at)
            last = quote if quote >= 0 else len(chunk)
            slashes = 0
            while last - slashes > at and chunk[last - slashes - 1] == ESCAPE:
                slashes += 1
            if quote < 0:
                self._escaped = slashes % 2 == 1
                return len(chunk)
            if slashes % 2 == 0:
                return quote
            at = quote + 1

    def _take(self, part: bytes | bytearray) -> None:
        if self._file:
            self._file.write(part)
            return
        self.kept += part
        if len(self.kept) - self._begin > LONG and not self._wordy:
            self._file = Base64File(self._new(), self._limit)
            self._file.write(bytes(self.kept[self._begin :]))
            if self._file.fault:  # so many words: a message, or a prompt
                self._file.drop()
                self._file, self._wordy = None, True
            else:
                del self.kept[self._begin :]

    def _finish(self) -> None:
        if self._file:
            self._file.close()
            self.kept += f"{BLOB}{'' if self._file.fault else os.path.basename(self._file.path)}".encode()
            self._done.append(self._file)
            self._file = None
        self.kept += b'"'
        self._begin, self._wordy = -1, False
