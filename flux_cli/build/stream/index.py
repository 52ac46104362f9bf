"""Finds rows of a ledger by name: an index in the cache folder, which may be deleted at any time.

SQLite needs locks that network file systems do not keep, so the index is not beside the ledger. It
knows how much of each part it covers, and is made anew if that part is not what it was.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.stream.ledger import WHOLE, Place, parts_of, read_place, rows_in
from flux_cli.config.folders import cache_path
from flux_cli.core.errors import DiskError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Self

    from flux_cli.build.lock.rows import Row

TAIL = 4096  # bytes before the end of what is covered, by which a part is known again
AT_ONCE = 10_000  # rows that are added together
VERSION = 2  # of the tables
TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;
PRAGMA temp_store = FILE;
CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, size INTEGER, tail TEXT);
CREATE TABLE IF NOT EXISTS rows (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, part TEXT, start INTEGER, length INTEGER,
    state TEXT, time TEXT
);
CREATE TEMP TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""
FIND = "SELECT id, part, name, start, length, state FROM rows WHERE key = ?"
PUT = """
INSERT INTO rows (key, part, name, start, length, state, time) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, part = excluded.part, start = excluded.start,
length = excluded.length, state = excluded.state, time = excluded.time
WHERE part = excluded.part OR excluded.time >= time
"""


class Known(NamedTuple):
    """In which part the row of a name is, and where."""

    part: str
    place: Place


class Index:
    """The rows of a ledger by name, and which names were seen. Nothing in the ledger changes."""

    def __init__(self, ledger: str, folder: str = "", own: str = WHOLE) -> None:
        """`own` is the part of this build: each has an index, since several may build at once.

        Raises ManifestError for a damaged ledger, DiskError.
        """
        self._ledger = ledger
        self._files: dict[str, int] = {}  # open parts
        name = sha256(os.path.realpath(ledger).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        name += "" if own == WHOLE else f"-{own.removesuffix('.jsonl')}"
        self._path = os.path.join(
            folder or os.path.join(cache_path(), "ledgers"), f"{name}-{VERSION}.sqlite"
        )
        self._seen = bytearray()
        with self._failing():
            self._base = self._open()
        self._forget_names()

    def update(self) -> None:
        """Add the rows that were written meanwhile. No name counts as seen. Raises DiskError."""
        with self._failing():
            self._catch_up(self._base)
        self._forget_names()

    def _forget_names(self) -> None:
        self._base.execute("DELETE FROM seen")
        (count,) = self._base.execute("SELECT coalesce(max(id), 0) FROM rows").fetchone()
        self._seen = bytearray(count // 8 + 1)  # a bit for each row

    def row(self, name: str) -> Row | None:
        """The row of a name. Raises ManifestError if it is damaged."""
        found = self._find(_folded(name))
        return self.read(found[1]) if found and found[1].place.name == name else None

    def see(self, name: str) -> tuple[Known | None, bool]:
        """What is known of a name, and whether it was seen before. Now it is.

        Names are equal if file systems may confuse them.
        """
        key = _folded(name)
        found = self._find(key)
        if found is None:
            return None, not self._add(key)
        number, known = found
        byte, bit = number // 8, 1 << number % 8
        was_seen = bool(self._seen[byte] & bit)
        self._seen[byte] |= bit
        return (known if known.place.name == name else None), was_seen

    def read(self, known: Known) -> Row:
        """The row of a name. Raises ManifestError if it is damaged."""
        path = os.path.join(self._ledger, known.part)
        return read_place(self._part(known.part), known.place, path)

    def claim(self, path: str) -> bool:
        """Whether nobody has claimed a path before. Now somebody has."""
        return self._add(f"/{_folded(path)}")

    def _add(self, key: str) -> bool:
        with self._failing():
            added = self._base.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,))
        return bool(added.rowcount)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as fault:
            hint = "make room, or delete it: it is made anew"
            raise DiskError(f"cannot use the index {self._path}: {fault}", hint=hint) from fault

    def _find(self, key: str) -> tuple[int, Known] | None:
        with self._failing():
            found = self._base.execute(FIND, (key,)).fetchone()
        return (found[0], Known(found[1], Place(*found[2:]))) if found else None

    def _part(self, part: str) -> int:
        if part not in self._files:
            self._files[part] = os.open(os.path.join(self._ledger, part), os.O_RDONLY)
        return self._files[part]

    def _open(self) -> sqlite3.Connection:
        """The index, up to date. One that is damaged or stale is made anew."""
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        with contextlib.suppress(sqlite3.Error):
            base = self._connect()
            if self._is_current(base):
                self._catch_up(base)
                return base
            base.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        base = self._connect()
        self._catch_up(base)
        return base

    def _connect(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path)
        base.executescript(TABLES)
        return base

    def _is_current(self, base: sqlite3.Connection) -> bool:
        """Whether everything that the index covers is still in the parts."""
        for name, size, tail in base.execute("SELECT name, size, tail FROM parts"):
            path = Path(self._ledger, name)
            if not path.is_file():
                return False
            with path.open("rb") as file:
                if _tail(file, size) != tail:
                    return False
        return True

    def _catch_up(self, base: sqlite3.Connection) -> None:
        """Add the rows that the index lacks."""
        for name in parts_of(self._ledger):
            known = base.execute("SELECT size FROM parts WHERE name = ?", (name,)).fetchone()
            start = known[0] if known else 0
            with Path(self._ledger, name).open("rb") as file:
                places = rows_in(file, start, os.path.join(self._ledger, name))
                while several := list(islice(places, AT_ONCE)):
                    base.executemany(PUT, ((_folded(one.name), name, *one) for one in several))
                    start = several[-1].start + several[-1].length
                tail = _tail(file, start)
            base.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", (name, start, tail))
        base.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            os.close(file)
        self._base.close()


def _tail(file: BinaryIO, size: int) -> str:
    """The digest of the last bytes of what is covered."""
    file.seek(max(0, size - TAIL))
    return sha256(file.read(min(size, TAIL))).hexdigest()


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else fold(name)
