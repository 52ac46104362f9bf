"""Digests that decide what is built: of what is asked, of what that means, and of each output.

They cover content only: no provider, price, path, order, environment or version of flux. Values are
canonical JSON. What a group shares comes first, so that its part is computed once.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.request.digest import DIGITS, SCHEMA, canonical, digest_of_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json

OUTPUT_DIGITS = 8  # hex digits


class Head(NamedTuple):
    """What the requests of many assets share: the text that begins and ends their digests."""

    start: bytes
    end: bytes


def head_of(parameters: Mapping[str, Json], references: Mapping[str, Json]) -> Head:
    """The shared part of requests: parameters with the model, and the digests of references."""
    start = f"[{SCHEMA},{canonical(dict(parameters))},"
    return Head(_bytes(start), _bytes(f",{canonical(dict(references))}]"))


def request_digest(head: Head, prompt: str, seed: Json, candidate: int = 0) -> str:
    """The digest of one request. `seed` is None if the manifest names none.

    `candidate` tells requests apart that say the same: 0 for the only one.
    """
    middle = _bytes(f"{canonical(prompt)},{canonical(seed)}")
    end = head.end[:-1] + _bytes(f",{candidate}]") if candidate else head.end
    return sha256(head.start + middle + end).hexdigest()[:DIGITS]


def output_digest(facts: Mapping[str, Json]) -> str:
    """The digest of how one file is made from the original."""
    return digest_of_json(dict(facts), OUTPUT_DIGITS)


def _bytes(text: str) -> bytes:
    """Text that is not valid Unicode counts by its code points."""
    return text.encode("utf-8", "surrogatepass")
