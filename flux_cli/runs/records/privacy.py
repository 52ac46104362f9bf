"""Removes everything that may contain a prompt from a reply, for `journal_prompts = false`."""

from __future__ import annotations

import json

from flux_cli.core.model import Json
from flux_cli.http.replies import MARK, parse_json

# Texts are kept only under these names. They lead to the image, or name the request and its state.
KEPT = frozenset((
    "b64_json",
    "code",
    "error_code",
    "error_type",
    "id",
    "provider",
    "request_id",
    "status",
))  # fmt: skip
ADDRESSES = ("http://", "https://", "data:", MARK)  # prefixes of texts that lead to an image
ECHOES = ("input",)  # keys under which providers repeat the request; nothing below them is kept
HIDDEN = "(not kept in the journal)"  # replaces an error message, so that `error` is not empty


def without_prompts(body: bytes) -> bytes:
    """An answer without what it repeats of the request. What leads to its images stays."""
    try:
        return json.dumps(_without_prompts(parse_json(body))).encode()
    except RecursionError:  # hundreds of lists in each other: nothing that leads to an image
        return b"null"


def headers_without_prompts(headers: dict[str, Json]) -> dict[str, Json]:
    """Headers of an answer without those that repeat a prompt."""
    return {name: value for name, value in headers.items() if "prompt" not in name.lower()}


def _without_prompts(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_prompts(part) for part in value if _may_stay("", part)]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Json] = {}
    for name, part in value.items():
        if _may_stay(name, part):
            kept[name] = _without_prompts(part)
        if name == "error" and part:
            kept[name] = kept.get(name) or HIDDEN
    return kept


def _may_stay(name: str, value: Json) -> bool:
    if "prompt" in name.lower() or name.lower() in ECHOES:
        return False
    if isinstance(value, str):
        return name in KEPT or value.startswith(ADDRESSES)
    return True
