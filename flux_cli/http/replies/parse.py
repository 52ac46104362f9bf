"""JSON of answers, read with tolerance, and a walk through all its parts."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from flux_cli.core.model import Json
from flux_cli.http.replies.quotes import without_quotes

MARK = "\0blob "  # replaces a text that was moved into a file; the file's name follows
BLOB = json.dumps(MARK)[1:-1]  # the same inside a JSON text
MAX_DIGITS = 300  # of an integer in JSON; longer ones do not fit into a float
MAX_PARTS = 500  # of a body that are looked at
MAX_DEPTH = 12  # levels of a body that are looked at
MAX_TEXT = 1 << 16  # characters of a text in which JSON is looked for
MAX_WORDS = 4000  # characters of one text that are searched
MOST_WORDS = 16_000  # characters of all texts of a body that are searched: each takes a while
# How a text answer may begin: JSON, or events. Blanks and byte order marks may come before it.
TEXT_STARTS = (b"{", b"[", b'"', b"event:", b"data: {", b"data:{", b"id:", b"retry:", b":")
JSON_WORDS = (b"null", b"true", b"false")
BLANKS = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # also the marks and zero bytes of UTF-16 and UTF-32
BEGINNING = 64  # bytes that tell a text answer from others
# Their values are no words.
NAMES = ("code", "error_code", "errorcode", "error_type", "type")
# What repeats the request: its words are the user's, not the server's.
ECHOES = frozenset(("input", "ctx", "prompt", "request", "request_body", "loc", "url", "param"))


def parse_json(data: bytes) -> Json:
    """The JSON of a body, or None if it is not JSON (HTML, cut text, endless nesting).

    Invalid characters and endless numbers are replaced: an image beside them must not be lost.
    """
    try:
        text = data.decode(json.detect_encoding(data), "replace")
        value: Json = json.loads(text.removeprefix("\ufeff"), parse_int=_parse_int)
    except (ValueError, RecursionError):
        return None
    return value


def parse_object(data: bytes) -> dict[str, Json]:
    """The JSON object of a body; an empty one if the body is anything else."""
    value = parse_json(data)
    return value if isinstance(value, dict) else {}


def parse_embedded(text: str) -> Json:
    """The first JSON object in a text, with words around it or none; None if there is no object."""
    start = text.find("{", 0, MAX_TEXT)
    if start < 0:
        return None
    decoder = json.JSONDecoder(parse_int=_parse_int)
    try:
        value: Json = decoder.raw_decode(text[:MAX_TEXT], start)[0]
    except (ValueError, RecursionError):
        return None
    return value


def is_text(beginning: bytes | bytearray, content_type: str) -> bool:
    """Whether an answer that begins so is JSON, a stream of events, or blank."""
    start = bytes(beginning.lstrip(BLANKS))
    if not start or start.startswith(TEXT_STARTS):
        return True
    is_whole = len(start) < BEGINNING
    if is_whole and (start.strip() in JSON_WORDS or start.strip().lstrip(b"-").isdigit()):
        return True
    return content_type.startswith("text/event-stream")


def pairs(body: Json, quoted: Sequence[str] = ()) -> Iterator[tuple[str, Json]]:
    """Every key and value of a body in lower case, the outermost first; "" for items of lists.

    Objects inside texts are walked, too: gateways wrap the errors of others. What repeats the
    request is left out, and of the texts what they quote of it: `quoted` are its texts.
    """
    waiting = deque([("", body, 0)])
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        key, value, depth = waiting.popleft()
        if isinstance(value, str):
            value = without_quotes(value[:MAX_TEXT], quoted)
        yield key, value
        if depth == MAX_DEPTH:
            continue
        inner = parse_embedded(value) if isinstance(value, str) else value
        if isinstance(inner, list):
            waiting.extend((key, item, depth + 1) for item in inner[:MAX_PARTS])
        elif isinstance(inner, dict):
            waiting.extend(_members(inner, depth + 1))


def texts_of(said: Iterable[tuple[str, Json]]) -> Iterator[str]:
    """The beginnings of the texts of a body that may be words, the outermost first."""
    left = MOST_WORDS
    for key, value in said:
        if isinstance(value, str) and key not in NAMES and left > 0:
            text = value[: min(MAX_WORDS, left)]
            left -= len(text)
            yield text


def _members(table: dict[str, Json], depth: int) -> Iterator[tuple[str, Json, int]]:
    for name, value in list(table.items())[:MAX_PARTS]:
        if name.lower() not in ECHOES:
            yield name.lower(), value, depth


def _parse_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None
