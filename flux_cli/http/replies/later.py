"""How long a server asks to wait: in headers, in fields of the body, or in words.

Seconds, times since the epoch, durations such as `1m30s`, and dates are all in use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.http.replies.parse import MAX_WORDS, pairs, parse_json, texts_of

# Headers about this refusal, and their unit in seconds.
AFTER_HEADERS = {
    "retry-after-ms": 0.001,
    "x-ms-retry-after-ms": 0.001,
    "retry-after": 1.0,
    "x-retry-after": 1.0,
    "retry-after-seconds": 1.0,
    "x-ratelimit-retry-after": 1.0,
    "x-rate-limit-retry-after-seconds": 1.0,
    "x-ratelimit-reset-after": 1.0,
}
# Headers about a window that begins anew, one for each kind of limit: requests, tokens, images
RESET_HEADER = r"rate-?limit\b.*reset"
RATE_LIMIT = r"\b(?:reset|t)=(\d{1,6})\b"  # in the header RateLimit of the draft standard
# Fields of bodies, without punctuation and without the unit at their end
FIELDS = frozenset(
    (
        "retryafter",
        "retrydelay",
        "retryin",
        "retryat",
        "retrywait",
        "estimatedtime",
        "estimatedwait",
        "estimatedwaittime",
        "resetafter",
        "resetin",
        "resetsin",
        "resetat",
        "resetsat",
        "resettime",
        "ratelimitreset",
        "wait",
        "waittime",
        "waitfor",
        "cooldown",
        "cooldowntime",
        "backoff",
        "timetoreset",
        "timeuntilreset",
        "availablein",
        "availableat",
        "nextretry",
    )
)
FIELD_UNITS = {
    "milliseconds": 0.001,
    "millis": 0.001,
    "ms": 0.001,
    "seconds": 1.0,
    "secs": 1.0,
    "sec": 1.0,
    "minutes": 60.0,
    "mins": 60.0,
}
UNITS = {"ms": 0.001, "mi": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
NUMBER = r"(?<![\d.])(?:\d{1,6}(?:\.\d{1,9})?)"
UNIT = r"(?:ms|milli\w*|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
PART = rf"{NUMBER}(?: more)? ?{UNIT}"
DURATION = rf"{PART}(?:(?:,? and |, ?| )?\d{{1,6}}(?:\.\d{{1,9}})? ?{UNIT})*"
WORDS = (
    (
        rf"\b(?:again|retry\w*|resets?|wait\w*|available (?:in|after|within)|back|later|refresh\w*"
        rf"|replenish\w*)\b[^.\d]{{0,40}}?(?P<wait>{DURATION})(?! ?(?:an?|per|each|every|/) ?[a-z])"
    ),
    r"\bretry[ _-]after[ :=]{1,3}(?P<wait>\d{1,6}(?:\.\d{1,9})?)(?![\d.]*\w)",
)
LONGEST = 100 * 365 * 86_400.0  # seconds; a longer wait is a mistake
EPOCH = 1e9  # larger numbers are times, in seconds or in milliseconds
EPOCH_MS = 1e11
ISO = r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-]\d\d):?(\d\d))?"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def retry_after(reply: Reply, now: float) -> float | None:
    """Seconds the server asks to wait; None if it does not say.

    `now` is the time in seconds since the epoch.
    """
    for name, unit in AFTER_HEADERS.items():
        text = _longest(reply.headers.get(name, ""))
        seconds = _parse_seconds(text)
        seconds = parse_wait(text, now) if seconds is None else seconds * unit
        if _is_believable(seconds):
            return seconds
    body = parse_json(reply.data[: 1 << 20])
    if body is None:
        body = reply.data[:MAX_WORDS].decode("utf-8", "replace")
    seconds = wait_in_body(list(pairs(body, reply.texts)), now)
    return _until_reset(reply.headers, now) if seconds is None else seconds


def wait_in_body(said: Sequence[tuple[str, Json]], now: float = 0.0) -> float | None:
    """Seconds that the pairs of a body ask to wait, in a field or in words."""
    for key, value in said:
        if _is_believable(seconds := _wait_of_field(key, value, now)):
            return seconds
    for text in texts_of(said):
        if (seconds := _wait_in_words(text)) is not None:
            return seconds
    return None


def parse_wait(text: str, now: float) -> float | None:
    """The seconds of a number, a duration or a date; None for anything else."""
    text = text.strip()
    seconds = _parse_seconds(text)
    if seconds is not None:
        return _from_now(seconds, now)
    duration = text.lower().removeprefix("pt")  # ISO 8601
    if re.fullmatch(DURATION, duration):
        return _sum(duration)
    return _until_date(text, now)


def _is_believable(seconds: float | None) -> bool:
    return seconds is not None and seconds <= LONGEST


def _longest(text: str) -> str:
    """The longest wait of a header that was sent more than once, as `2, 5`."""
    if not re.fullmatch(r"[\d.]{1,12}(, ?[\d.]{1,12})+", text):
        return text
    return max(text.split(","), key=lambda part: _parse_seconds(part) or 0.0)


def _wait_of_field(key: str, value: Json, now: float) -> float | None:
    name = "".join(filter(str.isalnum, key)).removeprefix("x")
    unit = 1.0
    for ending, size in FIELD_UNITS.items():
        if name.endswith(ending) and name not in FIELDS:
            name, unit = name.removesuffix(ending), size
            break
    if name not in FIELDS or isinstance(value, bool):
        return None
    if isinstance(value, dict):  # Google's Duration
        value = value.get("seconds")
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        return None
    seconds = _parse_seconds(value)
    if seconds is not None and unit != 1.0:
        return seconds * unit
    return parse_wait(value, now)


def _wait_in_words(text: str) -> float | None:
    text = " ".join(text.lower().split())
    for words in WORDS:
        if found := re.search(words, text):
            seconds = _parse_seconds(found["wait"])
            return _sum(found["wait"]) if seconds is None else seconds
    return None


def _until_reset(headers: dict[str, str], now: float) -> float | None:
    """Seconds until the last window begins anew, of those that are used up or do not say it."""
    waits = []
    for name, value in headers.items():
        if not re.search(RESET_HEADER, name):
            continue
        left = _parse_seconds(headers.get(name.replace("reset", "remaining"), ""))
        wait = parse_wait(value, now)
        if not left and wait is not None and _is_believable(wait):
            waits.append(wait)
    if found := re.search(RATE_LIMIT, headers.get("ratelimit", "")):
        waits.append(float(found[1]))
    return max(waits, default=None)


def _sum(duration: str) -> float:
    """The seconds of a text such as `1m30s` or `2 minutes and 5 seconds`."""
    parts = re.findall(rf"(\d+(?:\.\d+)?)(?: more)? ?({UNIT})", duration)
    return sum(float(number) * _unit_of(unit) for number, unit in parts)


def _unit_of(unit: str) -> float:
    """Seconds of a unit: `mi` of milliseconds is not `mi` of minutes."""
    if unit.startswith(("min", "hr")):
        return UNITS[unit[0]]
    return UNITS.get(unit[:2]) or UNITS[unit[0]]


def _from_now(seconds: float, now: float) -> float:
    """Seconds from now, of a number that may be a time."""
    if seconds < EPOCH:
        return seconds
    time = seconds / 1000 if seconds >= EPOCH_MS else seconds
    return max(0.0, time - now)


def _until_date(text: str, now: float) -> float | None:
    if not text[:1].isalnum():
        return None
    from email.utils import parsedate_to_datetime  # slow to import, and dates are rare

    try:
        return max(0.0, parsedate_to_datetime(_as_mail_date(text)).timestamp() - now)
    except (ValueError, OverflowError, OSError, IndexError):
        return None


def _as_mail_date(text: str) -> str:
    """A date of ISO 8601 as it is written in mail; any other text as it is."""
    found = re.fullmatch(ISO, text)
    if not found:
        return text
    year, month, day, time, hours, minutes = found.groups()
    name = MONTHS[int(month) - 1]
    return f"{day} {name} {year} {time} {hours or '+00'}{minutes or '00'}"


def _parse_seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
