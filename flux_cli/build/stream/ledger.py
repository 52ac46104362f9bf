"""The record of a build from JSON lines: a folder of files, to which rows are appended.

A row is a line, in the words of a lock; the last one of a name counts. Every write ends with a
line break. What follows the last one was cut short: readers leave it out, and the next build that
writes removes it, so that no row becomes a part of it.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.build.lock.checks import table_of
from flux_cli.build.lock.file import root_of
from flux_cli.build.lock.reading import read_lock
from flux_cli.build.lock.rows import File
from flux_cli.build.lock.text import END, START, lock_text
from flux_cli.core.errors import DiskError, ManifestError, OutputError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.disk.publish import sync_folder
from flux_cli.request.expansion.strict_json import read_json
from flux_cli.runs.records.store import hold, write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, BinaryIO, Self

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.shards.division import Shard

PART = re.compile(r"\d{1,6}-of-\d{1,6}\.jsonl")
WHOLE = "1-of-1.jsonl"  # the part of a build that is not divided
DOUBTS = frozenset(("placeholder", "refused", "unclear"))  # keys of rows that need a closer look
MAX_ROW = 16 << 20  # bytes
FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
HINT = "restore the ledger from a backup: without it, images would be paid for again"
OPENING, CLOSING = START.encode(), f"{END}\n".encode()
MARK = '{"schema": 1, "complete": "'
MARK_LINE = re.compile(rf'{re.escape(MARK)}([0-9TZ:-]+)"}}\n'.encode())


class Place(NamedTuple):
    """Where the row of a name is: from which byte on, and how many there are.

    `state` is what an asset must be like to be unchanged; "" if only the row itself can tell.
    `time` is when the image was generated: among parts, the newest row of a name counts.
    """

    name: str
    start: int
    length: int
    state: str = ""
    time: str = ""


def state_of(request: str, files: Iterable[tuple[str, str, int]]) -> str:
    """A request and files as one text: the path of each, the digest of how it is made, its size."""
    return "\n".join([request, *(f"{path}\t{output}\t{size}" for path, output, size in files)])


def files_in(state: str) -> dict[str, File]:
    """The files that a state names. Their digests are not in it."""
    rows = (line.split("\t") for line in state.split("\n")[1:])
    return {path: File(output, "", int(size)) for path, output, size in rows}


def line_of(name: str, row: Row) -> bytes:
    """The line of a row."""
    text = lock_text({name: row}).replace("\n", "")
    return f"{text}\n".encode("utf-8", "surrogatepass")


def mark_of(time: str) -> bytes:
    """The line that ends what a limit covers: at this time, everything of a part was built."""
    return f'{MARK}{time}"}}\n'.encode()


def time_of_mark(line: bytes) -> str:
    """The time of a line that is a mark; "" if it is none."""
    found = MARK_LINE.fullmatch(line)
    return found[1].decode() if found else ""


def lines_in(file: BinaryIO, start: int, path: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a part from a byte on, and where they are, without those that were cut short.

    Raises ManifestError for one that is too long.
    """
    file.seek(start)
    while (line := file.readline(MAX_ROW)).endswith(b"\n"):
        if b"\0" not in line:  # a power cut leaves zeros of a write that nobody waited for
            yield start, line
        start += len(line)
    if len(line) == MAX_ROW:
        raise ManifestError(f"{path}, byte {start}: not a row of a ledger", hint=HINT)


def rows_in(file: BinaryIO, start: int, path: str) -> Iterator[Place]:
    """Where the rows of a part are, from a byte on. Marks are left out.

    Raises ManifestError for a line that no build has written.
    """
    for place, line in lines_in(file, start, path):
        if time_of_mark(line):
            continue
        where = f"{path}, byte {place}"
        name, row = read_line(line, where)
        with _damage(where):
            state, time = _state(row), str(row.get("generated", {}).get("time", ""))
        yield Place(name, place, len(line), state, time)


def read_line(line: bytes, where: str) -> tuple[str, dict[str, Any]]:
    """The name and the row of a line, as JSON. Raises ManifestError if it is no row."""
    if not line.startswith(OPENING) or not line.endswith(CLOSING):
        raise ManifestError(f"{where}: not a row of a ledger", hint=HINT)
    with _damage(where):
        ((name, row),) = read_json(line.decode())["assets"].items()
        return name, table_of(row)


@contextmanager
def _damage(where: str) -> Iterator[None]:
    """Raise ManifestError for whatever a row cannot be."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as fault:
        raise ManifestError(f"{where}: damaged: {fault}", hint=HINT) from fault


def _state(row: dict[str, Any]) -> str:
    files = row.get("files")
    if not files or row.keys() & DOUBTS:
        return ""
    listed = ((path, file["output"], file["bytes"]) for path, file in sorted(files.items()))
    return state_of(row["request"], listed)


def read_place(file: int, place: Place, path: str) -> Row:
    """The row at a place. Raises ManifestError if it is damaged, and must not count as missing."""
    where = f"{path}, byte {place.start}"
    rows = read_lock(os.pread(file, place.length, place.start), where).rows
    if place.name not in rows:
        raise ManifestError(f"{where}: not the row of {place.name}", hint=HINT)
    return rows[place.name]


def parts_of(ledger: str) -> list[str]:
    """The names of the parts of a ledger, the one that was written last at the end.

    Raises OutputError if it is not a folder.
    """
    try:
        names = [name for name in os.listdir(ledger) if PART.fullmatch(name)]
        return sorted(names, key=lambda name: (os.stat(os.path.join(ledger, name)).st_mtime, name))
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise OutputError(f"--ledger {ledger}: {fault.strerror}", hint="name a folder") from fault


def part_name(shard: Shard | None) -> str:
    """The name of the part that a shard writes."""
    return f"{shard.number}-of-{shard.shards}.jsonl" if shard else WHOLE


def notes_path(ledger: str, part: str = WHOLE) -> str:
    """What stands for the lock of a part: builds keep notes under its name in the folder of images.

    It is not in the folder of the ledger, which may be shared by machines.
    """
    digest = sha256(
        os.path.realpath(os.path.join(ledger, WHOLE)).encode("utf-8", "surrogateescape")
    )
    own = "" if part == WHOLE else f".{part.removesuffix('.jsonl')}"
    return f"ledger-{digest.hexdigest()[:16]}{own}.lock"


class Writer:
    """Appends rows to one part of a ledger. Nobody else writes to it meanwhile.

    `copy` gets what was appended, when it is on the disk.
    """

    def __init__(
        self, ledger: str, part: str = WHOLE, copy: Callable[[bytes], None] | None = None
    ) -> None:
        """Raises OutputError, and UsageError if another build is writing to it."""
        self.path, self._copy = os.path.join(ledger, part), copy
        try:
            os.makedirs(ledger, exist_ok=True)
            self._file = os.open(self.path, FLAGS, 0o666)
        except OSError as fault:
            message = f"cannot write {self.path}: {fault.strerror}"
            raise OutputError(message, hint="name a folder in --ledger") from fault
        if hold(self._file) is False:
            os.close(self._file)
            message = f"another build is writing to {self.path}"
            raise UsageError(message, hint="wait until it has ended")
        sync_folder(root_of(self.path))

    def add(self, rows: Mapping[str, Row]) -> None:
        """Append rows in one write, and wait for the disk. Raises DiskError."""
        if not rows:
            return
        self._append(b"".join(line_of(name, row) for name, row in rows.items()))

    def mark(self, time: str) -> None:
        """Append that everything was built, unless that is the last line. Raises DiskError."""
        size = _whole_size(self._file)
        start = max(0, size - len(mark_of(time)))
        if size and not time_of_mark(os.pread(self._file, size - start, start)):
            self._append(mark_of(time))

    def _append(self, data: bytes) -> None:
        try:
            os.ftruncate(self._file, _whole_size(self._file))
            write_all(self._file, data)
            os.fsync(self._file)
        except OSError as fault:
            message = f"cannot write {self.path}: {fault.strerror}"
            hint = "the images are saved; make room and run again"
            raise DiskError(message, hint=hint) from fault
        if self._copy:
            self._copy(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _whole_size(file: int) -> int:
    """How many bytes of a part are whole lines."""
    size = os.fstat(file).st_size
    start = max(0, size - MAX_ROW)
    if not size or os.pread(file, 1, size - 1) == b"\n":
        return size
    return start + os.pread(file, MAX_ROW, start).rfind(b"\n") + 1
