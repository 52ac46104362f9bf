"""Removes keys from a reply, and for `journal_prompts = false` all that may contain a prompt."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from flux_cli.core.errors import ImageError
from flux_cli.core.model import Json
from flux_cli.core.text import may_show_key, redact
from flux_cli.http.datauri import decode_data_uri
from flux_cli.http.replies import MARK
from flux_cli.images.containers.registry import inspect, sniff
from flux_cli.images.formats import FORMATS
from flux_cli.providers.reading.bodies import read_body
from flux_cli.providers.reading.finder import PLACES, source_of
from flux_cli.providers.reading.tasks import TASK_IDS
from flux_cli.providers.reading.walk import fold

SEARCHED = 1 << 17  # characters; hiding keys in them takes up to half a second
BEGINNING = 1024  # bytes that tell a text from other data
LONGEST = 4  # bytes of a character, which may be cut at the end
PARTS = 1 << 16  # values in a reply; a reply of ten images has hundreds
# Texts are kept only under these names. They lead to the image, or name the request and its state.
KEPT = frozenset((
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
# Blanks instead of everything but plain characters, so that large data is searched fast.
ODD = bytes(set(range(256)) - set(range(32, 127))) + b"%\\&"
WITHOUT_ESCAPES = bytes.maketrans(ODD, b" " * len(ODD))
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")  # encodings with zero bytes
HIDDEN = "(not kept in the journal)"  # replaces an error message, so that `error` is not empty


def without_keys(data: bytes) -> str:
    """The text of a reply without keys.

    If hiding keys in it would take seconds, only what leads to images; "" if that would, too.
    """
    text = data.decode(json.detect_encoding(data), "replace")
    if not _is_slow(text):
        return redact(text)
    if text.count(",") + text.count("[") > PARTS:
        return ""
    text = without_prompts(data).decode()
    return "" if _is_slow(text) else redact(text)


def bytes_without_keys(data: bytes) -> bytes | None:
    """Any data with `***` instead of keys; None if large data may have one."""
    if len(data) <= SEARCHED:
        return redact(data.decode("latin-1")).encode("latin-1")
    words = data.translate(WITHOUT_ESCAPES).decode("ascii")
    return None if may_show_key(words) else data


def image_without_keys(data: bytes) -> bytes:
    """A whole image with `***` instead of keys if it is a text, such as SVG.

    Takes seconds if a large one may show a key.
    """
    if not is_text(data):
        return data
    safe = bytes_without_keys(data)
    return redact(data.decode("latin-1")).encode("latin-1") if safe is None else safe


def is_text(data: bytes) -> bool:
    """Whether data begins as text in any encoding. Other data has zero bytes."""
    head = data[:BEGINNING]
    if b"\0" not in head:
        return True
    return sniff(data) not in FORMATS and any(_is_text_in(encoding, head) for encoding in WIDE)


def _is_text_in(encoding: str, head: bytes) -> bool:
    """Whether all of the first bytes of data are readable characters in an encoding."""
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError as fault:
        if fault.start < len(head) - LONGEST:
            return False
        text = head[: fault.start].decode(encoding)
    words = text.removeprefix("\ufeff").split()
    return bool(words) and all(map(str.isprintable, words))


def is_private_text(data: bytes) -> bool:
    """Whether data is text that may repeat the prompt. An image is none, nor one in base64."""
    return _is_prose(data) and not _is_encoded_image(data.strip())


def _is_prose(data: bytes) -> bool:
    """Whether data is text and not a whole image, as SVG may be."""
    if not is_text(data):
        return False
    try:
        inspect(data)
    except ImageError:
        return True
    return False


def _is_encoded_image(text: bytes) -> bool:
    """Whether a text is an image in base64 or in a data URI. It may be damaged at its end."""
    uri = f"data:;base64,{text.decode('latin-1')}"
    if text[:5].lower() == b"data:":
        uri = f"data:{text[5:].decode('latin-1')}"
    for part in (uri, uri[:BEGINNING]):
        with contextlib.suppress(ImageError):
            return not _is_prose(decode_data_uri(part, len(part)))
    return False


def _is_slow(text: str) -> bool:
    """Whether hiding keys in the text takes long, in which nothing else could be done."""
    return len(text) > SEARCHED and may_show_key(text)


def without_prompts(body: bytes) -> bytes:
    """An answer without what it repeats of the request. What leads to its images stays.

    Of an answer with more than PARTS values, only the first ones are looked at, and kept.
    """
    answer = read_body(body)
    if isinstance(answer, str) and not _may_stay("", answer):
        return b"null"
    try:
        return json.dumps(_without_prompts("", answer, iter(range(PARTS)))).encode()
    except RecursionError:  # hundreds of lists in each other: nothing that leads to an image
        return b"null"


def headers_without_prompts(headers: dict[str, Json]) -> dict[str, Json]:
    """Headers of an answer without those that repeat a prompt."""
    return {name: value for name, value in headers.items() if "prompt" not in name.lower()}


def _without_prompts(name: str, value: Json, left: Iterator[int]) -> Json:
    """A value under `name` without prompts. `left` ends when no further one may be looked at."""
    if isinstance(value, list):
        parts = [part for part, _ in zip(value, left, strict=False) if _may_stay(name, part)]
        return [_without_prompts(name, part, left) for part in parts]
    if isinstance(value, str):
        return MARK if _is_inline_text(name, value) else value
    if not isinstance(value, dict):
        return value
    kept: dict[str, Json] = {}
    for (key, part), _ in zip(value.items(), left, strict=False):
        if _may_stay(key, part):
            kept[key] = _without_prompts(key, part, left)
        if key == "error" and part:
            kept[key] = kept.get(key) or HIDDEN
    return kept


def _is_inline_text(name: str, value: str) -> bool:
    """Whether a text that should be an image, in base64 or a data URI, holds or is other text."""
    if name in KEPT or fold(name) in TASK_IDS or value.startswith(MARK):
        return False
    place = source_of(name, value)
    uri = place if place[:5].lower() == "data:" else value
    if uri[:5].lower() != "data:":
        return False
    try:
        return _is_prose(decode_data_uri(f"data:{uri[5:]}", len(uri)))
    except ImageError:
        return True


def _may_stay(name: str, value: Json) -> bool:
    if "prompt" in name.lower() or name.lower() in ECHOES:
        return False
    if isinstance(value, str):
        folded = fold(name)
        if name in KEPT or folded in TASK_IDS or value.startswith(ADDRESSES):
            return True
        return (not name or folded in PLACES) and bool(source_of(name, value))
    return True
