"""Templates of a manifest: text with `{field}`, where `{{` and `}}` are literal braces."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

UNSTABLE = ("id", "date", "time")  # fields of `-o` whose value differs from run to run


class Template:
    """A template, taken apart once and filled for each asset."""

    def __init__(self, text: str, where: str) -> None:
        """Raises ManifestError for a template that cannot be read. `where` is its place."""
        self.text, self._where = text, where
        self._parts = _parse(text, where) if "{" in text or "}" in text else [(text, "")]

    @property
    def fields(self) -> list[str]:
        return [field for _, field in self._parts if field]

    def check(self, known: Collection[str]) -> None:
        """Raise ManifestError for a field that is not known."""
        for field in self.fields:
            if field not in known:
                raise unknown_field(field, known, self._where)

    def fill(self, fields: Mapping[str, str], safe: Callable[[str], str] | None = None) -> str:
        """The text with the values of its fields, each made `safe`. Raises ManifestError."""
        text = ""
        for literal, field in self._parts:
            text += literal
            if field:
                if field not in fields:
                    raise unknown_field(field, fields, self._where)
                text += safe(fields[field]) if safe else fields[field]
        return text


class Literal(Template):
    """Text in which braces have no meaning."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self._where = text, where
        self._parts = [(text, "")]


def unknown_field(field: str, known: Collection[str], where: str) -> ManifestError:
    """The error for a field that does not exist."""
    if field in UNSTABLE:
        hint = "names must be the same in every build: use {name}, a column, or a key of [vars]"
    else:
        fields = ", ".join(f"{{{name}}}" for name in list(known)[:12]) or "none"
        hint = did_you_mean(field, known) or f"fields: {fields}; write {{{{ for a brace"
    return ManifestError(f"{where}: there is no field {{{field}}}", hint=hint)


def _parse(text: str, where: str) -> list[tuple[str, str]]:
    """Pairs of a literal text and the field after it; "" for no field."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as fault:
        hint = "write {{ and }} for braces that belong to the text"
        raise ManifestError(f"{where}: the braces do not match", hint=hint) from fault
    found = []
    for literal, field, spec, conversion in parts:
        if field == "" or spec or conversion:
            hint = "write {{ and }} for braces that belong to the text"
            raise ManifestError(f"{where}: a field is a name, such as {{name}}", hint=hint)
        found.append((literal, field or ""))
    return found
