"""Originals in a shared store, by their digests."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.build.disk import ORIGINALS, place
from flux_cli.build.execution.originals import keep
from flux_cli.core.errors import NetworkError

if TYPE_CHECKING:
    from flux_cli.build.lock.rows import Original
    from flux_cli.build.stores.store import Store

MOST_KNOWN = 100_000
LARGEST = 128 << 20  # bytes, as of an answer; the largest known image has 8 MB


def path_of(original: Original) -> str:
    """Where an original is in a store."""
    return f"originals/{original.name}"


class StoredOriginals:
    """The originals of a store. What was seen once is not looked for again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, bool] = {}  # by name

    def has(self, original: Original) -> bool:
        """Whether the store has it. Raises NetworkError: what is not known must not be paid for."""
        if original.name not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            size = self._store.size(path_of(original))
            self._known[original.name] = size == original.bytes
        return self._known[original.name]

    def put(self, original: Original, data: bytes) -> None:
        """Store an original. Its name says what it is, so one that is there is the same."""
        if not self._known.get(original.name):
            self._store.put(path_of(original), data)
        self._known[original.name] = True

    def fetch(self, root: str, original: Original) -> None:
        """Keep an original beside the manifest, unless it is there.

        Raises NetworkError if the store lacks it, or if its bytes are others.
        """
        try:
            if os.path.getsize(place(f"{ORIGINALS}/{original.name}", root)) == original.bytes:
                return
        except OSError:
            pass
        found = self._store.get(path_of(original), min(original.bytes, LARGEST))
        if found is None:
            message = f"the store does not have {path_of(original)}"
            hint = "build on the machine that made it, or request the image again with --reroll"
            raise NetworkError(message, hint=hint)
        if found.data is None or sha256(found.data).hexdigest() != original.sha256:
            message = f"{path_of(original)} in the store is damaged: its bytes are others"
            hint = "delete it there, and build on the machine that made it, or use --reroll"
            raise NetworkError(message, hint=hint)
        keep(root, original, found.data)
