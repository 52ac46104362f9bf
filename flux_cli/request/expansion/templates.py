"""Text with `{field}`, where `{{` and `}}` are literal braces."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

HINT = "write {{ and }} for braces that belong to the text"


class Template:
    """A template, taken apart once and filled several times. `error` is what it raises."""

    error: type[UsageError] = UsageError

    def __init__(self, text: str, where: str) -> None:
        """Raises UsageError for a template that cannot be read. `where` is its place."""
        self.text, self._where = text, where
        self._parts = self._parse(text) if "{" in text or "}" in text else [(text, "")]

    @property
    def fields(self) -> list[str]:
        return [field for _, field in self._parts if field]

    def check(self, known: Collection[str]) -> None:
        """Raise UsageError for a field that is not known."""
        for field in self.fields:
            if field not in known:
                raise self.unknown(field, known, self._where)

    def fill(self, fields: Mapping[str, str], safe: Callable[[str], str] | None = None) -> str:
        """The text with the values of its fields, each made `safe`. Raises UsageError."""
        text = ""
        for literal, field in self._parts:
            text += literal
            if field:
                if field not in fields:
                    raise self.unknown(field, fields, self._where)
                text += safe(fields[field]) if safe else fields[field]
        return text

    @classmethod
    def unknown(cls, field: str, known: Collection[str], where: str) -> UsageError:
        """The error for a field that does not exist."""
        fields = ", ".join(f"{{{name}}}" for name in list(known)[:12]) or "none"
        hint = did_you_mean(field, known) or f"fields: {fields}; write {{{{ for a brace"
        return cls.error(f"{where}: there is no field {{{field}}}", hint=hint)

    def _parse(self, text: str) -> list[tuple[str, str]]:
        """Pairs of a literal text and the field after it; "" for no field."""
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as fault:
            raise self.error(f"{self._where}: the braces do not match", hint=HINT) from fault
        found = []
        for literal, field, spec, conversion in parts:
            if field == "" or spec or conversion:
                message = f"{self._where}: a field is a name, such as {{name}}"
                raise self.error(message, hint=HINT)
            found.append((literal, field or ""))
        return found
