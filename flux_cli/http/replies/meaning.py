"""What an error answer means, by its codes, then its words, then its status.

Codes and words are read wherever they stand: in an `error` object, a list, a text, a JSON text
inside a message, and in the names of exceptions that gateways write into messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from flux_cli.core.errors import (
    ModerationError,
    PaymentError,
    ProviderError,
    RateError,
    ValidationError,
)
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import SHOWN, plain
from flux_cli.http.replies.later import wait_in_body
from flux_cli.http.replies.page import is_page, page_title
from flux_cli.http.replies.parse import pairs, parse_embedded, parse_json, texts_of
from flux_cli.http.replies.tables import (
    ADDRESS,
    CODES,
    FRONT_WORDS,
    HARMLESS_WORDS,
    NAMED,
    PARTS_OF_CODES,
    RATE_WORDS,
    STATUSES,
    UNCLEAR_PARTS_OF_CODES,
    UNCLEAR_WORDS,
    WORDS,
    WORK_WORDS,
    Kind,
)

MAX_BODY = 1 << 20  # bytes of a body that are read
MAX_CODE = 60  # characters
CODE_FIELDS = ("code", "error_code", "errorcode", "error_type", "status", "reason", "name", "title")
MESSAGE_FIELDS = (
    "message",
    "error",
    "detail",
    "title",
    "errors",
    "error_message",
    "errorMessage",
    "error_description",
    "status_msg",
    "description",
    "msg",
    "reason",
)
INNER_MESSAGES = ("msg", "message", "error", "detail", "error_message")
SERVER_ERROR = 500  # and above: the server failed, but its job may still finish and be billed
UNCLEAR = frozenset((408, 499))  # the work may have been done, although the status is below 500
FORBIDDEN = 403
BUSY_STATUSES = (429, 503)
# `code: x` of an error that a gateway printed into a message, as JSON or as Python writes it
PRINTED_CODE = r"""["'](?:code|error_code|reason)\\*["']: ?\\*["']([\w .-]{1,60})"""
BARE_CODE = r"[A-Z][A-Z0-9_]{3,59}"  # in place of a message: `IMAGE_SAFETY`
EXCEPTION = r"\b[A-Z]\w{3,60}(?:Error|Exception|Timeout)\b|\blitellm\.(?:\w+\.)*(\w+)"
# `type` varies for the same failure. It counts only where there is no code, and only for these.
BY_TYPE = (ModerationError, PaymentError)


class Meaning(NamedTuple):
    """What an error answer says. Texts are safe to show."""

    kind: Kind
    code: str = ""
    message: str = ""
    is_unclear: bool = False  # a gateway lost its upstream, or the work had begun
    is_harmless: bool = False  # a gateway says that it found nobody to ask
    is_front: bool = False  # the answer of a firewall or proxy in front of the server


def read_meaning(reply: Reply) -> Meaning:
    """What an answer says about a failure, whatever its status."""
    body = parse_json(reply.data[:MAX_BODY])
    if body is None:
        body = reply.data[: 8 * SHOWN].decode("utf-8", "replace").strip()
    title = page_title(body) if isinstance(body, str) and is_page(body) else None
    code, message = ("", title) if title is not None else read_code_and_message(body)
    said = list(pairs(title if title is not None else body, reply.texts))
    texts = list(texts_of(said))
    codes = list(_codes(said, texts))
    is_unclear = _is_unclear(reply.status, codes, texts)
    has_begun = reply.status >= SERVER_ERROR and _finds(WORK_WORDS, texts)
    is_front = reply.status == FORBIDDEN and (title is not None or _finds(FRONT_WORDS, texts))
    kind = _kind_of_codes(code, codes)
    if kind is RateError and _kind_of_words(texts, said, reply.status) is PaymentError:
        kind = PaymentError  # gateways name their errors after the status; the words say more
    # Pages are written by what stands in front of a server, and say nothing about the request.
    if kind is None and not (is_unclear or is_front or title is not None):
        kind = _kind_of_words(texts, said, reply.status) or _kind_of_type(code, said)
    if kind is None:
        default = ProviderError if is_unclear or is_front else STATUSES.get(reply.status)
        kind = default or ProviderError
    is_failure = kind is ProviderError
    return Meaning(
        kind,
        code,
        message,
        is_unclear=(is_unclear or has_begun) and is_failure,
        is_harmless=not (is_unclear or has_begun) and _finds(HARMLESS_WORDS, texts),
        is_front=is_front and is_failure,
    )


def kind_of_text(text: str, quoted: Sequence[str] = ()) -> Kind:
    """The error class of a reason that a provider wrote about a job that failed.

    `quoted` are the texts of its request, whose words do not count.
    """
    said = list(pairs(text, quoted))
    texts = list(texts_of(said))
    by_code = _kind_of_codes("", _codes(said, texts))
    return by_code or _kind_of_words(texts, said, SERVER_ERROR) or ProviderError


def read_code_and_message(body: Json) -> tuple[str, str]:
    """Code and message of an error body; "" for what is missing."""
    while isinstance(body, list) and body and isinstance(body[0], dict):
        body = body[0]
    if not isinstance(body, dict):
        return "", plain(_flatten(body) if isinstance(body, str | list) else "")
    error = body.get("error")
    if isinstance(error, list) and error and isinstance(error[0], dict):
        error = error[0]
    source = error if isinstance(error, dict) else body
    code = _first(source, ("code", "error_code", "errorCode", "error_type"))
    detail = source.get("detail")
    if not code and isinstance(detail, list) and detail and isinstance(detail[0], dict):
        code = detail[0].get("type", "")  # fal's typed errors
    message = _first(source, MESSAGE_FIELDS)
    inner = parse_embedded(message) if isinstance(message, str) and message[:1] == "{" else None
    if isinstance(inner, dict) and inner != body:
        inner_code, inner_message = read_code_and_message(inner)
        return _code_text(code) or inner_code, inner_message or plain(_flatten(message))
    return _code_text(code), plain(_flatten(message))


def fold(code: str) -> str:
    """A code without case and punctuation."""
    return "".join(filter(str.isalnum, code.lower()))


def _code_text(code: Json) -> str:
    return plain(str(code), MAX_CODE) if isinstance(code, str | int) else ""


def _codes(said: Sequence[tuple[str, Json]], texts: Iterable[str]) -> Iterator[str]:
    """Every code of a body, folded: of its fields first, then those inside of messages."""
    for key, value in said:
        is_code = key in CODE_FIELDS or (key == "type" and _is_in_list(said))
        if is_code and isinstance(value, str | int) and len(str(value)) <= MAX_CODE:
            yield fold(str(value))
    for text in texts:
        if re.fullmatch(BARE_CODE, text):
            yield fold(text)
        yield from map(fold, re.findall(PRINTED_CODE, text))
        yield from (fold(found[0]) for found in re.finditer(EXCEPTION, text))


def _is_in_list(said: Sequence[tuple[str, Json]]) -> bool:
    """Whether the errors are a list of typed ones, as fal and FastAPI write them."""
    return any(key == "detail" and isinstance(value, list) for key, value in said)


def _kind_of_codes(code: str, codes: Iterable[str]) -> Kind | None:
    """The class of the first code that is known. One that only calls the request wrong is weak."""
    weak = None
    for one in chain((fold(code),), codes):
        kind = _kind_of_code(one)
        if kind not in (None, ValidationError):
            return kind
        weak = weak or kind
    return weak


def _kind_of_code(code: str) -> Kind | None:
    if code in CODES:
        return CODES[code]
    return next((kind for part, kind in PARTS_OF_CODES if part in code), None)


def _kind_of_words(
    texts: Sequence[str], said: Sequence[tuple[str, Json]], status: int
) -> Kind | None:
    """The class by words of the messages. Some providers say everything that way."""
    texts = [re.sub(f"{ADDRESS}|{NAMED}", " ", text, flags=re.IGNORECASE) for text in texts]
    kind = next((kind for kind, words in WORDS if _finds("|".join(words), texts)), None)
    if kind is RateError and status >= SERVER_ERROR:
        return None  # it failed halfway, whatever it says
    is_limit = kind is PaymentError and status in BUSY_STATUSES
    if is_limit and (wait_in_body(said) is not None or _finds("|".join(RATE_WORDS), texts)):
        return RateError  # what comes back in seconds is no money that is gone
    return kind


def _kind_of_type(code: str, said: Sequence[tuple[str, Json]]) -> Kind | None:
    if code and not code.isdecimal():
        return None
    types = (value for key, value in said if key == "type" and isinstance(value, str))
    kinds = (_kind_of_code(fold(value)) for value in types)
    return next((kind for kind in kinds if kind in BY_TYPE), None)


def _is_unclear(status: int, codes: Sequence[str], texts: Sequence[str]) -> bool:
    if status < 400:
        return False
    parts = UNCLEAR_PARTS_OF_CODES if status >= SERVER_ERROR or status in UNCLEAR else ()
    if any(part in code for code in codes for part in parts):
        return True
    return status >= SERVER_ERROR and _finds(UNCLEAR_WORDS, texts)


def _finds(words: str, texts: Iterable[str]) -> bool:
    return any(re.search(words, text, re.IGNORECASE) for text in texts)


def _first(table: dict[str, Json], keys: Sequence[str]) -> Json:
    """The value of the first key that is there and not empty, else ""."""
    for key in keys:
        if value := table.get(key):
            return value
    return ""


def _flatten(words: Json, depth: int = 3) -> str:
    """A message as text. Items of validation lists say where and what is wrong."""
    if isinstance(words, str):
        return words
    if depth == 0 or words is None:
        return ""
    if isinstance(words, list):
        return "; ".join(_flatten(item, depth - 1) for item in words[:5])
    if isinstance(words, dict):
        message = _flatten(_first(words, INNER_MESSAGES), depth - 1)
        return _place(words.get("loc")) + (message or _as_json(words))
    return str(words)


def _place(where: Json) -> str:
    """Where in the request something is wrong, as `body.prompt: `; "" if it is not said."""
    if not isinstance(where, list):
        return ""
    return ".".join(map(str, where[:5])) + ": "


def _as_json(words: Json) -> str:
    import json

    try:
        return json.dumps(words, ensure_ascii=False)[:SHOWN]
    except (ValueError, RecursionError):
        return ""
