"""Strict reading of TOML: every key is taken by name and type, and what nobody took is an error."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from flux_cli.core.errors import CatalogError, did_you_mean
from flux_cli.core.model import Json

LARGEST = 1 << 63  # whole numbers beyond it are no sizes, prices or bounds
MAX_BYTES = 1 << 20  # a model is a page of text; more is a mistake
T = TypeVar("T")


def load(path: Path) -> "Table":
    """The top table of a file. Raises CatalogError where it is none."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise wrong(path, "", f"is larger than {MAX_BYTES:,} bytes")
        table = Table(path, "", tomllib.loads(text.decode()))
    except OSError as fault:
        raise wrong(path, "", f"cannot be read: {fault.strerror}") from fault
    except (ValueError, RecursionError) as fault:
        raise wrong(path, "", f"is no TOML: {fault}") from fault
    return table


class Table:
    """One TOML table that is taken apart key by key; what is left at the end is an error."""

    def __init__(self, path: Path, key: str, values: object) -> None:
        self.path, self.key = path, key
        if not isinstance(values, dict):
            raise wrong(path, key, "must be a table")
        self._values: dict[str, object] = dict(values)

    def wrong(self, key: str, reason: str) -> CatalogError:
        return wrong(self.path, f"{self.key}.{key}" if self.key else key, reason)

    def take(self, key: str, kind: type[T]) -> T:
        """A required value. Raises CatalogError where it is missing or of another type."""
        value = self.take_or(key, kind, None)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def take_or(self, key: str, kind: type[T], default: T | None) -> T | None:
        value = self._values.pop(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
            value = float(value)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            raise self.wrong(key, f"must be {_KINDS[kind]}, not {value!r}")
        return value

    def take_texts(self, key: str) -> tuple[str, ...]:
        values = self.take_or(key, list, []) or []
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "must be a list of texts")
        return tuple(values)

    def take_json(self, key: str) -> Json:
        value = self._values.pop(key, None)
        if isinstance(value, str | int | float | bool | None):
            return value
        raise self.wrong(key, "must be a text, number or truth value")

    def tables(self, key: str, *, required: bool = True) -> Iterator[tuple[str, "Table"]]:
        found = self.take(key, dict) if required else self.take_or(key, dict, {}) or {}
        for name, values in found.items():
            yield name, Table(self.path, f"{self.key}.{key}.{name}".lstrip("."), values)

    def rows(self, key: str) -> Iterator["Table"]:
        for index, values in enumerate(self.take(key, list)):
            yield Table(self.path, f"{key}[{index}]", values)

    def end(self, known: Iterable[str]) -> None:
        """Raise CatalogError if the file says anything that was not understood."""
        for key in self._values:
            near = did_you_mean(key, known)
            raise self.wrong(key, f"is not a key{'; ' + near if near else ''}")


def wrong(path: Path, key: str, reason: str) -> CatalogError:
    """The error that names file, key and reason."""
    message = f"model file {path}: {key + ' ' if key else ''}{reason}"
    return CatalogError(message, hint="docs/models.md describes the file; delete it to use what flux knows itself")


_KINDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
    bool: "true or false",
}
