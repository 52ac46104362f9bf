"""Reads TOML strictly: every key is taken by name and type, and unknown keys are errors."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TypeGuard, TypeVar

from flux_cli.core.errors import CatalogError, did_you_mean
from flux_cli.core.model import Json
from flux_cli.core.text import decode_text
from flux_cli.disk.pipes import is_pipe

MAX_INTEGER = 1 << 63  # integers of this size or more are not converted to floats
MAX_BYTES = 1 << 20  # a model file is a page of text; more is a mistake
T = TypeVar("T")


def load(path: Path) -> "Table":
    """Read a file. Raises CatalogError if it cannot be read or is not TOML."""
    if is_pipe(path):
        raise wrong(path, "", "is a pipe, not a file")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise wrong(path, "", f"is larger than {MAX_BYTES:,} bytes")
        table = Table(path, "", tomllib.loads(decode_text(text)))
    except OSError as fault:
        raise wrong(path, "", f"cannot be read: {fault.strerror}") from fault
    except (ValueError, RecursionError) as fault:
        raise wrong(path, "", f"is not valid TOML: {fault}") from fault
    return table


class Table:
    """One TOML table. Each key is taken once; `end` reports keys that were not taken."""

    def __init__(self, path: Path, key: str, values: object) -> None:
        self.path, self.key = path, key
        if not isinstance(values, dict):
            raise wrong(path, key, "must be a table")
        self._values: dict[str, object] = dict(values)
        self._taken: list[str] = []

    def wrong(self, key: str, reason: str) -> CatalogError:
        """The error for one key of this table."""
        return wrong(self.path, f"{self.key}.{key}" if self.key else key, reason)

    def take(self, key: str, kind: type[T]) -> T:
        """A required value. Raises CatalogError if it is missing or has another type."""
        value = self.take_or(key, kind, None)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def take_or(self, key: str, kind: type[T], default: T | None) -> T | None:
        """An optional value. Raises CatalogError if it has another type."""
        self._taken.append(key)
        value = self._values.pop(key, default)
        if kind is float:
            value = _as_float(value)
        if value is None:
            return None
        if not _is_a(value, kind):
            raise self.wrong(key, f"must be {_KINDS[kind]}, not {value!r}")
        return value

    def take_texts(self, key: str) -> tuple[str, ...]:
        """An optional list of texts."""
        values = self.take_or(key, list, []) or []
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "must be a list of texts")
        return tuple(values)

    def take_json(self, key: str) -> Json:
        """An optional text, number or boolean."""
        self._taken.append(key)
        value = self._values.pop(key, None)
        if isinstance(value, str | int | float | bool | None):
            return value
        raise self.wrong(key, "must be a text, a number, true or false")

    def fill(self, defaults: Mapping[str, object]) -> None:
        """Add keys that the table does not have. A table below a key gets rows, none is changed."""
        for key, default in defaults.items():
            own = self._values.setdefault(key, default)
            if isinstance(own, dict) and isinstance(default, dict):
                self._values[key] = {**default, **own}

    def tables(self, key: str, *, required: bool = True) -> Iterator[tuple[str, "Table"]]:
        """The tables below a key, by name."""
        found = self.take(key, dict) if required else self.take_or(key, dict, {}) or {}
        for name, values in found.items():
            yield name, Table(self.path, f"{self.key}.{key}.{name}".lstrip("."), values)

    def table(self, key: str) -> "Table | None":
        """The optional table below a key."""
        values = self.take_or(key, dict, None)
        return None if values is None else Table(self.path, f"{self.key}.{key}".lstrip("."), values)

    def names(self) -> tuple[str, ...]:
        """The keys that were not taken yet."""
        return tuple(self._values)

    def rows(self, key: str) -> Iterator["Table"]:
        """The tables of a required list."""
        for index, values in enumerate(self.take(key, list)):
            yield Table(self.path, f"{key}[{index}]", values)

    def end(self) -> None:
        """Raise CatalogError for a key that was not taken."""
        for key in self._values:
            suggestion = did_you_mean(key, self._taken)
            reason = f"is not a known key; {suggestion}" if suggestion else "is not a known key"
            raise self.wrong(key, reason)


def wrong(path: Path, key: str, reason: str) -> CatalogError:
    """The error for a key of a file ("" for the whole file), with the reason."""
    message = f"model file {path}: {key} {reason}" if key else f"model file {path} {reason}"
    hint = "docs/models.md describes model files; without this file flux uses its own data"
    return CatalogError(message, hint=hint)


def _as_float(value: object) -> object:
    """A whole number as a float, unless it is too large; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= MAX_INTEGER:
        return value
    return float(value)


def _is_a(value: object, kind: type[T]) -> TypeGuard[T]:
    """Whether the value has this type. For Python, booleans are also whole numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


_KINDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
    bool: "true or false",
    date: "a date, such as 2026-12-01",
}
