"""Digests of what was requested: equal for equal requests, whoever sends them and however. Pure."""

from __future__ import annotations

import json
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json

SCHEMA = 1  # increased when the digests of the same facts change
DIGITS = 16  # hex digits


def digest_of_json(facts: dict[str, Json], digits: int = DIGITS) -> str:
    """The beginning of the SHA-256 of canonical JSON: UTF-8, sorted keys, no spaces.

    The schema version is part of it. Text that is not valid Unicode counts by its code points.
    """
    text = json.dumps(
        {"schema": SCHEMA, **facts}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
