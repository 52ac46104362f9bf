"""Answers of servers, read with tolerance: what failed and of which kind, how long to wait, what a JSON body says.

Providers disagree on every detail of an error (a list, a text, a number as code, HTML, nothing at all), so this reads
whatever is there and never raises for it. Codes decide before HTTP statuses; the `type` field varies and is ignored.
"""

import json
import math
import re

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
from flux_cli.core.request import Auth, Reply
from flux_cli.core.text import SHOWN, plain

MARK = "\0blob "  # begins what stands for a text taken out of an answer on arrival; the name of its file follows
BLOB = json.dumps(MARK)[1:-1]  # the same as JSON writes it
TOO_MANY = 429
RETRYABLE = frozenset((TOO_MANY, 500, 502, 503))
UNCLEAR = frozenset((408, 499, 504, 520, 524, 598, 599))  # leave open whether the work was done, and paid for
DIGITS = 300  # of a whole number in JSON; one more, and no float could hold it
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
BY_WORDS: dict[str, type[FluxError]] = {
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
    429: RateError,
}
HINTS: dict[type[FluxError], str] = {
    AuthError: "check {key}{page}",
    PaymentError: "top up the account{page}, then run the same command again",
    ModerationError: "rephrase the prompt, or try another route with --route",
    NotFoundError: "see the known models with: flux models",
    RateError: "wait a little, or lower --concurrency",
    ValidationError: "see what is sent, and why, with: flux resolve",
}


def parse_json(data: bytes) -> Json:
    """The JSON of a body, or None for anything that is none (HTML, cut text, nesting without end).

    A broken letter or a number without end beside an image is no reason to lose the image.
    """
    try:
        text = data.decode(json.detect_encoding(data), "replace")
        value: Json = json.loads(text.removeprefix("\ufeff"), parse_int=_whole)
    except (ValueError, RecursionError):
        return None
    return value


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= DIGITS else None


def failure(reply: Reply, auth: Auth | None = None, request_id: str = "") -> FluxError:
    """The error a reply describes, in our taxonomy; `billed` where the server may have done the work."""
    code, message = _words(reply)
    kind = BY_CODE.get(code.upper()) or _by_words(message) or BY_STATUS.get(reply.status, ProviderError)
    said = f": {message}" if message else " and said nothing about why"
    text = f"the provider refused with {code or 'HTTP ' + str(reply.status)}{said}"
    if kind is ProviderError:
        text = f"the provider failed with {code or 'HTTP ' + str(reply.status)}{said}"
    billed = reply.status in UNCLEAR or (is_good(reply) and kind is ProviderError)
    page = f" ({auth.page})" if auth and auth.page else ""
    hint = HINTS.get(kind, "").format(key=auth.variable if auth else "the key", page=page)
    return kind(text, hint=hint, billed=billed, status=reply.status, request_id=request_id or identity(reply))


def is_good(reply: Reply) -> bool:
    """Whether the server did what it was asked."""
    return 200 <= reply.status < 300


def is_passing(reply: Reply) -> bool:
    """Whether a read may go better the next time: whatever a server or a proxy before it says of its own troubles."""
    return reply.status in (408, 425, TOO_MANY) or reply.status >= 500


def forbids_retry(reply: Reply) -> bool:
    """Whether the server itself says that repeating is useless, or has ended because of the caller's own deadline."""
    said = (reply.headers.get(name, "").lower() for name in ("x-should-retry", "x-fal-retryable"))
    return "false" in said


def identity(reply: Reply, body: Json = None) -> str:
    """The name the provider gave this request, from a header or the body; "" where it gave none."""
    for name in ("x-lumenfall-request-id", "x-request-id", "x-fal-request-id"):
        if value := reply.headers.get(name):
            return plain(value, 100)
    own = body.get("id") if isinstance(body, dict) else None
    return plain(own, 100) if isinstance(own, str) else ""


def retry_after(reply: Reply, now: float) -> float | None:
    """Seconds the server asks to wait: milliseconds, seconds, an HTTP date, or its own words. None: it does not say.

    `now` is the time in seconds since the epoch.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        if (seconds := _seconds(reply.headers.get(name, ""))) is not None:
            return seconds / scale
    if date := reply.headers.get("retry-after"):
        from email.utils import parsedate_to_datetime  # dear, and dates are rare

        try:
            return max(0.0, parsedate_to_datetime(date).timestamp() - now)
        except (ValueError, OverflowError, OSError):
            return None
    if reply.status == 429 and (found := re.search(r"resets in ~?(\d{1,6})\s*s", _words(reply)[1])):
        return float(found[1])
    return None


def _by_words(message: str) -> type[FluxError] | None:
    """The kind of an error whose status or code says something else: providers do that with keys and balances."""
    folded = message.lower()
    return next((kind for words, kind in BY_WORDS.items() if words in folded), None)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _words(reply: Reply) -> tuple[str, str]:
    """Code and message of an error body, each "" where the server gave none."""
    body = parse_json(reply.data[: 1 << 20])
    if not isinstance(body, dict):
        text = reply.data[: 8 * SHOWN].decode("utf-8", "replace").strip()
        return "", "" if text.startswith("<") else plain(text)
    error = body.get("error")
    source = error if isinstance(error, dict) else body
    code = next((source[key] for key in ("code", "error_code", "error_type") if source.get(key)), "")
    detail = source.get("detail")
    if not code and isinstance(detail, list) and detail and isinstance(detail[0], dict):
        code = detail[0].get("type", "")  # fal's typed errors
    words = next((found for key in ("message", "error", "detail", "title", "errors") if (found := source.get(key))), "")
    return plain(str(code), 60) if isinstance(code, str | int) else "", plain(_flat(words))


def _flat(words: Json, depth: int = 3) -> str:
    """A message as text: validation lists say where and what."""
    if isinstance(words, str):
        return words
    if depth == 0 or words is None:
        return ""
    if isinstance(words, list):
        return "; ".join(_flat(item, depth - 1) for item in words[:5])
    if isinstance(words, dict):
        where = words.get("loc")
        place = ".".join(str(part) for part in where[:5]) + ": " if isinstance(where, list) else ""
        return place + (_flat(words.get("msg") or words.get("message"), depth - 1) or _as_json(words))
    return str(words)


def _as_json(words: Json) -> str:
    try:
        return json.dumps(words, ensure_ascii=False)[:SHOWN]
    except (ValueError, RecursionError):
        return ""
