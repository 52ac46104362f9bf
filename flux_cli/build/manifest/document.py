"""Reads the text of a manifest: TOML, or the same structure as JSON."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError
from flux_cli.core.text import decode_text
from flux_cli.request.expansion.strict_json import read_json

if TYPE_CHECKING:
    from typing import Any


def read_document(data: bytes, name: str) -> dict[str, Any]:
    """The tables of a manifest. A `name` that ends in `.json` says that it is JSON.

    Raises ManifestError for anything that is not such a document.
    """
    try:
        text = decode_text(data)
    except UnicodeDecodeError as fault:
        message = f"{name} is not valid UTF-8"
        raise ManifestError(message, hint="convert it with iconv") from fault
    is_json = name.lower().endswith(".json")
    try:
        document = read_json(text) if is_json else tomllib.loads(text.replace("\r\n", "\n"))
    except RecursionError as fault:
        raise ManifestError(f"{name}: it is nested too deeply") from fault
    except ValueError as fault:  # of TOML and JSON alike
        kind = "JSON" if is_json else "TOML"
        hint = "TOML needs quotes around strings and around names with spaces or dots"
        raise ManifestError(f"{name} is not valid {kind}: {fault}", hint=hint) from fault
    if not isinstance(document, dict):
        raise ManifestError(f"{name} must be a JSON object", hint='begin with {"assets": {…}}')
    return document
