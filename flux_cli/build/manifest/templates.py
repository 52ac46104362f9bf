"""Templates of a manifest: their errors, and text in which braces have no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.request.expansion import templates

if TYPE_CHECKING:
    from collections.abc import Collection

UNSTABLE = ("id", "date", "time")  # fields of `-o` whose value differs from run to run


class Template(templates.Template):
    """A template of a manifest. All its errors are ManifestErrors."""

    error = ManifestError

    @classmethod
    def unknown(cls, field: str, known: Collection[str], where: str) -> UsageError:
        """The error for a field that does not exist."""
        error = super().unknown(field, known, where)
        if field in UNSTABLE:
            error.hint = (
                "names must be the same in every build: use {name}, a column, or a key of [vars]"
            )
        return error


class Literal(Template):
    """Text in which braces have no meaning."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self._where = text, where
        self._parts = [(text, "")]
