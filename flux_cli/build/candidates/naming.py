"""The keys of candidates: a candidate is planned and requested like an asset without files.

Candidate 1 is the asset itself. Candidate 3 of `goblin` has the key `goblin#3`, in plans, tasks,
journals, and in memory. In a lock, its row is one line within that of the asset.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Row = TypeVar("Row")

MOST = 50  # candidates of one asset
KEY = re.compile(r"(.+)#([1-9][0-9]?)", re.DOTALL)


def key_of(name: str, number: int) -> str:
    """The key of a candidate. That of the first one keeps its image after another was picked."""
    return f"{name}#{number}"


def owner_of(key: str) -> str:
    """The name of the asset that a candidate belongs to; "" if the key is not of a candidate."""
    found = KEY.fullmatch(key)
    return found[1] if found else ""


def number_of(key: str) -> int:
    """The number of a candidate. Raises ValueError for another key."""
    found = KEY.fullmatch(key)
    if found is None:
        raise ValueError(key)
    return int(found[2])


def keys_of(name: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """The keys of the candidates of an asset that have rows, besides its own."""
    for number in range(1, MOST + 1):
        key = key_of(name, number)
        if key in rows:
            yield key


def mark_of(key: str, owner: str, seed: object) -> int:
    """What tells the request of a candidate from that of its owner: its number, without a seed."""
    return number_of(key) if owner and seed is None else 0
