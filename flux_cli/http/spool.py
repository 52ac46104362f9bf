"""What a server sends, kept out of memory: long base64 texts of an answer are decoded into files while they arrive."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pybase64

from flux_cli.core.datauri import too_large
from flux_cli.core.replies import BLOB

LONG = 1 << 16  # bytes; a shorter text stays where it is
BREAKS = ((b"\\/", b"/"), (b"\\n", b""), (b"\\r", b""))  # what JSON writers do to base64
HARMLESS = bytes.maketrans(b"-_", b"+/")  # the alphabet for addresses
ESCAPE = 0x5C


class Spool:
    """A folder for files that may still be needed after a crash. Nobody outside can guess their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self) -> Path:
        """The path of a file that is not there yet."""
        return self._folder / secrets.token_hex(8)

    def find(self, name: str) -> Path | None:
        """The file of that name, if there is one."""
        path = self._folder / name
        return path if name.isalnum() and path.is_file() else None


class Base64File:
    """A file with what a base64 text decodes to, in the order the text arrives. `fault` says why it is none."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.fault = path, ""
        self._file: BinaryIO = path.open("xb")
        self._rest, self._begun, self._size, self._limit = b"", False, 0, limit

    def write(self, part: bytes) -> None:
        """Take the next part. Raises OSError for a full disk and PictureError above the limit."""
        if self.fault:
            return
        if not self._begun:
            self._begun = True
            if part.startswith(b"data:"):
                head, _, part = part.partition(b",")
                self.fault = "" if head.lower().endswith(b";base64") else "it is a data URI without base64"
        part = self._rest + part
        if b"\\" in part:
            for written, meant in BREAKS:
                part = part.replace(written, meant)
        keep = 1 if part.endswith(b"\\") else 0  # an escape that goes on in the next part
        end = (len(part) - keep) // 4 * 4
        self._decode(part[:end])
        self._rest = part[end:]

    def close(self) -> None:
        """Write the rest; what was no base64 leaves no file."""
        if text := self._rest.rstrip(b"="):
            self._decode(text + b"=" * (-len(text) % 4))
        self._rest = b""
        self._file.close()
        if self.fault:
            self.path.unlink(missing_ok=True)

    def _decode(self, text: bytes) -> None:
        if b"-" in text or b"_" in text:  # to look costs a hundredth of translating
            text = text.translate(HARMLESS)
        try:
            data = pybase64.b64decode(text, validate=True)
        except ValueError:
            self.fault = self.fault or "it is no base64"
            return
        self._size += len(data)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._file.write(data)


class Splitter:
    """A JSON text that comes in parts: what is short is `kept`, what is long goes into files.

    In `kept`, `BLOB` and the file's name stand for a long text; `BLOB` alone for one that was no base64.
    """

    def __init__(self, new: Callable[[], Path], limit: int) -> None:
        self.kept = bytearray()
        self._new, self._limit = new, limit
        self._begin = -1  # where in `kept` the text under way begins; -1: between texts
        self._file: Base64File | None = None
        self._wordy = False  # the text under way is long, and no base64
        self._escaped = False  # the next byte belongs to an escape

    def feed(self, chunk: bytes) -> None:
        """Take the next part of the answer. Raises OSError, and PictureError above the limit."""
        at = 0
        while at < len(chunk):
            if self._begin < 0:
                quote = chunk.find(b'"', at)
                end = quote + 1 if quote >= 0 else len(chunk)
                self.kept += chunk[at:end]
                self._begin = len(self.kept) if quote >= 0 else -1
            else:
                end = self._end_of_text(chunk, at)
                self._take(chunk[at:end])
                if end < len(chunk):  # at the closing quote
                    self._finish()
                    end += 1
            at = end

    def close(self) -> None:
        """The answer is over; a text that is still under way is not whole."""
        if self._file:
            self._file.fault = "it is not whole"
            self._file.close()

    def _end_of_text(self, chunk: bytes, at: int) -> int:
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

    def _take(self, part: bytes) -> None:
        if self._file:
            self._file.write(part)
            return
        self.kept += part
        if len(self.kept) - self._begin > LONG and not self._wordy:
            file = Base64File(self._new(), self._limit)
            file.write(bytes(self.kept[self._begin :]))
            if file.fault:  # so many words: a message, or a prompt
                self._wordy = True
                file.close()
            else:
                self._file = file
                del self.kept[self._begin :]

    def _finish(self) -> None:
        if self._file:
            self._file.close()
            self.kept += f"{BLOB}{'' if self._file.fault else self._file.path.name}".encode()
            self._file = None
        self.kept += b'"'
        self._begin, self._wordy = -1, False
