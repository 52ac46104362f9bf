"""Reads answers of servers with tolerance: JSON bodies, errors, request ids, how long to wait.

Providers write errors in many ways (a list, a text, a number as code, HTML, nothing at all), so
this reads whatever is there and never fails. Codes win over HTTP statuses; `type` fields are
ignored.
"""

import json
import math
import re
from collections.abc import Sequence

from flux_cli.core.auth import Auth
from flux_cli.core.errors import (
    AuthError,
    FluxError,
    ModerationError,
    NotFoundError,
    PaymentError,
    ProviderError,
    RateError,
    ValidationError,
)
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import SHOWN, plain

MARK = "\0blob "  # replaces a text that was moved into a file; the file's name follows
BLOB = json.dumps(MARK)[1:-1]  # the same inside a JSON text
TOO_MANY, UNAVAILABLE = 429, 503
SERVER_ERROR = 500  # and above: the server failed, but its job may still finish and be billed
# Except by these rules:
RETRYABLE = frozenset((TOO_MANY, UNAVAILABLE))  # busy: nothing was done
INCAPABLE = frozenset((501, 505))  # the server cannot do the work, so it did none
UNCLEAR = frozenset((408, 499))  # the work may have been done, although the status is below 500
# What providers document about server errors: one with such a header or code did nothing that is
# charged, and the same request may be sent again.
NOT_DONE_HEADERS = {
    "x-should-retry": "true",  # OpenAI; its libraries follow it
    "x-fal-retryable": "true",  # fal, which charges for no server error
    "x-fal-needs-retry": "1",  # the older name
}
NOT_DONE_CODES = frozenset(
    (
        "ALL_PROVIDERS_EXHAUSTED",  # Lumenfall: every upstream failed or refused
        "RATE_LIMITED",
        "RATE_LIMIT_EXCEEDED",
        "CONCURRENT_REQUESTS_LIMIT",  # fal
    )
)
MAX_DIGITS = 300  # of an integer in JSON; longer ones do not fit into a float
BILLED_HINT = "check your provider's request list before you run it again"
BY_CODE: dict[str, type[FluxError]] = {
    "AUTHENTICATION_FAILED": AuthError,
    "INVALID_API_KEY": AuthError,
    "INSUFFICIENT_BALANCE": PaymentError,
    "INSUFFICIENT_QUOTA": PaymentError,
    "CONTENT_POLICY_VIOLATION": ModerationError,
    "MODERATION_BLOCKED": ModerationError,
    "MODEL_NOT_FOUND": NotFoundError,
    "MODEL_DISABLED": NotFoundError,
    "RECORDING_NOT_FOUND": NotFoundError,
    "INVALID_REQUEST": ValidationError,
    "UNKNOWN_PARAMETER": ValidationError,
    "RATE_LIMITED": RateError,
    "RATE_LIMIT_EXCEEDED": RateError,
    "ALL_PROVIDERS_EXHAUSTED": ProviderError,
    "AUTH_ERROR": AuthError,
    "NOT_FOUND": NotFoundError,
    "NO_MEDIA_GENERATED": ProviderError,
    "CONCURRENT_REQUESTS_LIMIT": RateError,
}
BY_MESSAGE: dict[str, type[FluxError]] = {
    "invalid api key": AuthError,  # BFL, with 422
    "not authenticated": AuthError,
    "exhausted balance": PaymentError,  # fal, with 403
    "flagged as sensitive": ModerationError,  # Replicate
}
BY_STATUS: dict[int, type[FluxError]] = {
    400: ValidationError,
    401: AuthError,
    402: PaymentError,
    403: AuthError,
    404: NotFoundError,
    413: ValidationError,
    422: ValidationError,
    TOO_MANY: RateError,
}
HINTS: dict[type[FluxError], str] = {
    AuthError: "check {key}{page}",
    PaymentError: "top up the account{page}, then run the same command again",
    ModerationError: "rephrase the prompt, or try another route with --route",
    NotFoundError: "list known models with: flux models",
    RateError: "wait a moment, or lower --concurrency",
    ValidationError: "see what is sent and why with: flux resolve",
}


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


def _parse_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def reply_error(reply: Reply, auth: Auth | None = None, request_id: str = "") -> FluxError:
    """The error that a reply describes. `billed` is set if the server may have done the work."""
    code, message = _code_and_message(reply)
    by_words = BY_CODE.get(code.upper()) or _class_by_message(message)
    kind = by_words or BY_STATUS.get(reply.status, ProviderError)
    verb = "failed" if kind is ProviderError else "refused"
    reason = f": {message}" if message else " and gave no reason"
    text = f"the provider {verb} with {code or f'HTTP {reply.status}'}{reason}"
    is_unclear = is_good(reply) or has_unclear_effect(reply)
    billed = is_unclear and kind is ProviderError  # a refusal with a code of its own is clear
    page = f" ({auth.page})" if auth and auth.page else ""
    hint = HINTS.get(kind, "").format(key=auth.variable if auth else "the key", page=page)
    if billed:
        hint = BILLED_HINT
    return kind(
        text,
        hint=hint,
        billed=billed,
        status=reply.status,
        request_id=request_id or request_id_of(reply),
    )


def is_good(reply: Reply) -> bool:
    """Whether the status is a success."""
    return 200 <= reply.status < 300


def is_temporary(reply: Reply) -> bool:
    """Whether reading again may help: the server or a proxy reports trouble of its own."""
    return reply.status in (408, 425, TOO_MANY) or reply.status >= 500


def may_retry(reply: Reply) -> bool:
    """Whether a request with this answer certainly had no effect, and may be sent again."""
    if any(reply.headers.get(name, "").lower() == "false" for name in NOT_DONE_HEADERS):
        return False  # the server says that a retry is useless
    return reply.status in RETRYABLE or _is_harmless_failure(reply)


def has_unclear_effect(reply: Reply) -> bool:
    """Whether the work may have been done, and billed, although the answer is an error."""
    if reply.status < SERVER_ERROR:
        return reply.status in UNCLEAR
    is_clear = reply.status == UNAVAILABLE or reply.status in INCAPABLE
    return not is_clear and not _is_harmless_failure(reply)


def _is_harmless_failure(reply: Reply) -> bool:
    """Whether a server error says, as its provider documents, that nothing was done."""
    if reply.status < SERVER_ERROR:
        return False
    if any(reply.headers.get(name, "").lower() == word for name, word in NOT_DONE_HEADERS.items()):
        return True
    code, _ = _code_and_message(reply)
    return code.upper() in NOT_DONE_CODES


def request_id_of(reply: Reply, body: Json = None) -> str:
    """The provider's id of this request, from a header or the body; "" if there is none."""
    for name in ("x-lumenfall-request-id", "x-request-id", "x-fal-request-id"):
        if value := reply.headers.get(name):
            return plain(value, 100)
    own = body.get("id") if isinstance(body, dict) else None
    return plain(own, 100) if isinstance(own, str) else ""


def retry_after(reply: Reply, now: float) -> float | None:
    """Seconds the server asks to wait, from headers or its message; None if it does not say.

    `now` is the time in seconds since the epoch.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        if (seconds := _parse_seconds(reply.headers.get(name, ""))) is not None:
            return seconds / scale
    if date := reply.headers.get("retry-after"):
        from email.utils import parsedate_to_datetime  # slow to import, and dates are rare

        try:
            return max(0.0, parsedate_to_datetime(date).timestamp() - now)
        except (ValueError, OverflowError, OSError):
            return None
    if reply.status != TOO_MANY:
        return None
    _, message = _code_and_message(reply)
    found = re.search(r"resets in ~?(\d{1,6})\s*s", message)
    return float(found[1]) if found else None


def _class_by_message(message: str) -> type[FluxError] | None:
    """The error class by words of the message. Some providers report keys and balances that way."""
    folded = message.lower()
    return next((kind for words, kind in BY_MESSAGE.items() if words in folded), None)


def _parse_seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _code_and_message(reply: Reply) -> tuple[str, str]:
    """Code and message of an error body; "" for what is missing."""
    body = parse_json(reply.data[: 1 << 20])
    if not isinstance(body, dict):
        text = reply.data[: 8 * SHOWN].decode("utf-8", "replace").strip()
        is_html = text.startswith("<")
        return "", "" if is_html else plain(text)
    error = body.get("error")
    source = error if isinstance(error, dict) else body
    code = _first(source, ("code", "error_code", "error_type"))
    detail = source.get("detail")
    if not code and isinstance(detail, list) and detail and isinstance(detail[0], dict):
        code = detail[0].get("type", "")  # fal's typed errors
    message = _first(source, ("message", "error", "detail", "title", "errors"))
    code_text = plain(str(code), 60) if isinstance(code, str | int) else ""
    return code_text, plain(_flatten(message))


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
        message = _flatten(words.get("msg") or words.get("message"), depth - 1)
        return _place(words.get("loc")) + (message or _as_json(words))
    return str(words)


def _place(where: Json) -> str:
    """Where in the request something is wrong, as `body.prompt: `; "" if it is not said."""
    if not isinstance(where, list):
        return ""
    return ".".join(map(str, where[:5])) + ": "


def _as_json(words: Json) -> str:
    try:
        return json.dumps(words, ensure_ascii=False)[:SHOWN]
    except (ValueError, RecursionError):
        return ""
