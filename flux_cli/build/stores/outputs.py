"""Writes finished files at addresses: `s3://bucket/img/hero.webp`. Nothing is overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import OutputError
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from flux_cli.build.stores.store import Store


def write_output(store: Store, path: str, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file to a path below the address of a store.

    Raises OutputError if an object with other bytes is there, unless told to `overwrite`. The
    same bytes are no conflict: a restarted worker writes its files again. Raises NetworkError.
    """
    if overwrite:
        store.put(path, data)
    elif not store.put_if_absent(path, data):
        found = store.get(path, len(data))
        if found is None or found.data != data:
            place = plain(f"{store.address}/{path}")
            raise OutputError(f"{place} exists already", hint="add --overwrite to replace it")
