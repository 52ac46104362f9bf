"""The text of a claim: who sends a request, and in the end what became of it.

It begins as the name of a run and the number of a request, and is replaced by a row of the lock.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.build.lock.reading import read_lock
from flux_cli.build.lock.text import dump, lock_text
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from typing import Any

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.core.model import Json

LARGEST = 1 << 20  # bytes of a claim
UNKNOWN = "unknown"  # the run of a claim that cannot be read
MAX_NUMBER = 10**15


class Claim(NamedTuple):
    """What a claim says: the run that sends the request, or the row that came of it."""

    run: str = UNKNOWN
    number: int = 0
    row: Row | None = None


def claim_path(asset: Asset, take: int) -> str:
    """Where the claim of a request is. Without a seed, every asset has an image of its own."""
    name = sha256(asset.name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    end = "" if asset.seed is not None else f"-{name}"
    return f"claims/{asset.request}-{take}{end}"


def claim_text(run: str, number: int, time: str, token: str) -> bytes:
    """The text of a claim before its request is sent. The token tells runs of one name apart."""
    facts: dict[str, Json] = {"run": run, "number": number, "time": time, "token": token}
    return dump({"schema": 1, **facts}).encode()


def row_text(name: str, row: Row) -> bytes:
    """The text of a claim whose request has ended."""
    return lock_text({name: row}).encode("utf-8", "surrogatepass")


def read_claim(data: bytes | None, request: str) -> Claim:
    """Read the claim of a request. Whatever cannot be read belongs to an unknown run."""
    if data is None or len(data) > LARGEST:
        return Claim()
    try:
        rows = list(read_lock(data, "").rows.values())
    except ManifestError:
        return _read_begun(data)
    is_ours = len(rows) == 1 and rows[0].request == request
    is_over = is_ours and bool(rows[0].original or rows[0].refused)
    return Claim("", 0, rows[0]) if is_over else Claim()


def _read_begun(data: bytes) -> Claim:
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError):
        return Claim()
    run, number = _get(facts, "run"), _get(facts, "number")
    is_number = type(number) is int and 0 < number < MAX_NUMBER  # True is one, too
    if isinstance(run, str) and is_number:
        return Claim(plain(run) or UNKNOWN, number)
    return Claim()


def _get(facts: Any, name: str) -> Any:  # noqa: ANN401 - what JSON can be
    return facts.get(name) if isinstance(facts, dict) else None
