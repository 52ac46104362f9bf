"""Parts of a ledger in a shared store, in segments: nothing can be added to an object.

A machine whose disk is new gets the ledger from there. Segments are never changed, and the part on
a disk is what counts: without a segment, the claims still say what was paid for.
"""

from __future__ import annotations

import contextlib
import os
import re
from io import BytesIO
from typing import TYPE_CHECKING

from flux_cli.build.stream.ledger import lines_in, rows_in
from flux_cli.core.errors import ManifestError, NetworkError, OutputError
from flux_cli.disk.publish import link_or_move
from flux_cli.runs.records.store import new_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.build.stores.store import Store

FOLDER = "ledger"
PATH = re.compile(r"ledger/(\d{1,6}-of-\d{1,6})/[^/]+\.jsonl")
LARGEST = 64 << 20  # bytes of a segment; flux writes about one MB


class Segments:
    """The segments of all parts, as one command reads and writes them."""

    def __init__(self, store: Store) -> None:
        self._store, self._name = store, new_name()
        self._written = 0

    def put(self, part: str, data: bytes) -> None:
        """Store rows that were appended to a part. Raises NetworkError."""
        self._written += 1
        name = f"{self._name}-{self._written:06}.jsonl"
        self._store.put(f"{FOLDER}/{part.removesuffix('.jsonl')}/{name}", data)

    def fetch(self, ledger: str) -> None:
        """Write the parts that a ledger lacks on this disk. Raises NetworkError, OutputError."""
        parts: dict[str, list[str]] = {}
        for path, _ in self._store.list(FOLDER):
            if found := PATH.fullmatch(path):
                parts.setdefault(f"{found[1]}.jsonl", []).append(path)
        for part, paths in parts.items():
            if not os.path.lexists(os.path.join(ledger, part)):
                self._fetch(sorted(paths), ledger, part)

    def _fetch(self, paths: Sequence[str], ledger: str, part: str) -> None:
        """Write one part. It gets its name only when it is whole."""
        place = os.path.join(ledger, part)
        unfinished = os.path.join(ledger, f".{part}-{os.urandom(8).hex()}")
        try:
            os.makedirs(ledger, exist_ok=True)
            with open(unfinished, "xb") as file:
                file.writelines(map(self._read, paths))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another build was faster
                link_or_move(unfinished, place)
        except OSError as fault:
            message = f"cannot write {place}: {fault.strerror}"
            raise OutputError(message, hint="name a folder in --ledger") from fault
        finally:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)

    def _read(self, path: str) -> bytes:
        """The rows of a segment. They are read here: on a disk, damage would be there to stay."""
        found = self._store.get(path, LARGEST)
        if found is None or found.data is None or not _are_rows(found.data, path):
            message = f"{path} in the store is damaged"
            raise NetworkError(message, hint="delete it there: its rows are in claims, too")
        return found.data


def _are_rows(data: bytes, path: str) -> bool:
    """Whether bytes are whole lines of a ledger."""
    try:
        for _ in rows_in(BytesIO(data), 0, path):
            pass
        size = sum(len(line) for _, line in lines_in(BytesIO(data), 0, path))
    except ManifestError:
        return False
    return 0 < size == len(data)
