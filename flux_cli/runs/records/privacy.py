"""Removes keys from a reply, and for `journal_prompts = false` all that may contain a prompt."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flux_cli.core.model import Json
from flux_cli.core.text import may_show_key, redact
from flux_cli.http.replies import MARK, parse_json

SEARCHED = 1 << 17  # characters; hiding keys in them takes up to half a second
PARTS = 1 << 16  # values in a reply; a reply of ten images has hundreds
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


def without_keys(data: bytes) -> str:
    """The text of a reply without keys.

    If hiding keys in it would take seconds, only what leads to images; "" if that would, too.
    """
    text = data.decode("utf-8", "replace")
    if not _is_slow(text):
        return redact(text)
    if text.count(",") + text.count("[") > PARTS:
        return ""
    text = without_prompts(data).decode()
    return "" if _is_slow(text) else redact(text)


def _is_slow(text: str) -> bool:
    """Whether hiding keys in the text takes long, in which nothing else could be done."""
    return len(text) > SEARCHED and may_show_key(text)


def without_prompts(body: bytes) -> bytes:
    """An answer without what it repeats of the request. What leads to its images stays.

    Of an answer with more than PARTS values, only the first ones are looked at, and kept.
    """
    try:
        return json.dumps(_without_prompts(parse_json(body), iter(range(PARTS)))).encode()
    except RecursionError:  # hundreds of lists in each other: nothing that leads to an image
        return b"null"


def headers_without_prompts(headers: dict[str, Json]) -> dict[str, Json]:
    """Headers of an answer without those that repeat a prompt."""
    return {name: value for name, value in headers.items() if "prompt" not in name.lower()}


def _without_prompts(value: Json, left: Iterator[int]) -> Json:
    """The value without prompts. `left` ends when no further value may be looked at."""
    if isinstance(value, list):
        parts = [part for part, _ in zip(value, left, strict=False) if _may_stay("", part)]
        return [_without_prompts(part, left) for part in parts]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Json] = {}
    for (name, part), _ in zip(value.items(), left, strict=False):
        if _may_stay(name, part):
            kept[name] = _without_prompts(part, left)
        if name == "error" and part:
            kept[name] = kept.get(name) or HIDDEN
    return kept


def _may_stay(name: str, value: Json) -> bool:
    if "prompt" in name.lower() or name.lower() in ECHOES:
        return False
    if isinstance(value, str):
        return name in KEPT or value.startswith(ADDRESSES)
    return True
