"""Saves what a gateway said about a model: one JSON file per base URL and model, in a cache folder.

`config/folders.py` says where. A file that cannot be read counts as none.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flux_cli.catalog.gateway.reading import read_schema
from flux_cli.catalog.gateway.schema import GatewaySchema, document_of
from flux_cli.core.errors import DiskError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import plain
from flux_cli.disk.owners import is_trusted
from flux_cli.disk.pipes import open_file
from flux_cli.disk.publish import publish

if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.request import Resolved

KIND = "flux gateway schema"  # marks the file
DAY = 86_400.0  # seconds
FRESH, USABLE = DAY, 30 * DAY  # seconds
MAX_BYTES = 4 << 20
MAX_DIGITS = 300  # of an integer; longer ones take long to read
URL_LENGTH, MODEL_LENGTH = 2000, 300  # characters


class Saved(NamedTuple):
    """What a gateway said about a model, from which URL, and when."""

    schema: GatewaySchema
    model: str
    base_url: str
    source: str  # the URL
    fetched: datetime  # UTC

    @property
    def day(self) -> str:
        return self.fetched.date().isoformat()

    @property
    def age(self) -> float:
        """Seconds since it was fetched; negative if a clock was wrong."""
        return time.time() - self.fetched.timestamp()

    @property
    def is_usable(self) -> bool:
        """Whether it is recent enough to be used at all."""
        return -DAY <= self.age <= USABLE

    @property
    def is_old(self) -> bool:
        """Whether it should be fetched again."""
        return self.age > FRESH


def explain_saved(resolved: Resolved, path: str, base_url: str) -> Resolved:
    """The request with the notes and the price of the file at `path`, if that can be used."""
    saved = read_saved(path, base_url, resolved.model_id)
    if saved is None or not saved.is_usable:
        return resolved
    from flux_cli.catalog.gateway.notes import explain

    return explain(resolved, saved.schema, saved.day, is_old=saved.is_old)


def read_saved(path: str, base_url: str, model: str) -> Saved | None:
    """The saved schema of a model at a base URL; None if the file has none, or is not the user's.

    Its name is not enough: some file systems do not tell letters of different case apart.
    """
    document = _read(path) if is_trusted(path) else {}
    expected = {"kind": KIND, "base_url": base_url, "model": model}
    if any(document.get(key) != value for key, value in expected.items()):
        return None
    schema, source = read_schema(document.get("schema")), document.get("source")
    fetched = _read_time(document.get("fetched"))
    if schema is None or fetched is None or not isinstance(source, str):
        return None
    return Saved(schema, model, base_url, plain(source, URL_LENGTH), fetched)


def save(saved: Saved, path: str) -> None:
    """Write the file, and replace one that is there. Raises DiskError."""
    document = {
        "kind": KIND,
        "source": saved.source,
        "fetched": time_text(saved.fetched),
        "base_url": saved.base_url,
        "model": saved.model,
        "schema": document_of(saved.schema),
    }
    data = json.dumps(document, indent=2, allow_nan=False).encode()
    try:
        publish([data], path, f".flux-{os.getpid()}.part")
    except OSError as fault:
        raise DiskError(f"cannot write {path}: {fault.strerror}") from fault


def now() -> datetime:
    """The time to save, in whole seconds of UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def time_text(moment: datetime) -> str:
    """A time in UTC as ISO 8601."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: str) -> dict[str, Json]:
    """The JSON object in a file; empty for anything else."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with open_file(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            document = json.loads(data, parse_int=_read_integer)
            return document if isinstance(document, dict) else {}
    return {}


def _read_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _read_time(text: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
