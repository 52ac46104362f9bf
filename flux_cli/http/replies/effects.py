"""What a request with a certain answer has done: nothing, something, or nobody knows.

A POST is retried only if it certainly did nothing; what is unclear may have been billed.
"""

from __future__ import annotations

from flux_cli.core.errors import ProviderError, RateError
from flux_cli.core.outcome import Reply
from flux_cli.http.replies.meaning import SERVER_ERROR, UNCLEAR, Meaning, fold, read_meaning

TOO_MANY, UNAVAILABLE = 429, 503
RETRYABLE = frozenset((TOO_MANY, UNAVAILABLE))  # busy: nothing was done
GATEWAY_STATUSES = frozenset((502, UNAVAILABLE, 504))  # of one that asks others to do the work
INCAPABLE = frozenset((501, 505))  # the server cannot do the work, so it did none
# What providers document about server errors: one with such a header or code did nothing that is
# charged, and the same request may be sent again.
NOT_DONE_HEADERS = {
    "x-should-retry": "true",  # OpenAI; its libraries follow it
    "x-fal-retryable": "true",  # fal, which charges for no server error
    "x-fal-needs-retry": "1",  # the older name
}
NOT_DONE_CODES = frozenset(
    (
        "allprovidersexhausted",  # Lumenfall: every upstream failed or refused
        "ratelimited",
        "ratelimitexceeded",
        "toomanyrequests",
        "concurrentrequestslimit",  # fal, as the next: no runner has begun
        "runnerschedulingfailure",
        "runnerconnectiontimeout",
        "runnerconnectionrefused",
    )
)
BUSY_KINDS = (ProviderError, RateError)  # others do not go away by waiting


def is_good(reply: Reply) -> bool:
    """Whether the status is a success."""
    return 200 <= reply.status < 300


def is_temporary(reply: Reply) -> bool:
    """Whether reading again may help: the server or a proxy reports trouble of its own."""
    return reply.status in (408, 425, TOO_MANY) or reply.status >= SERVER_ERROR


def may_retry(reply: Reply) -> bool:
    """Whether a request with this answer certainly had no effect, and may be sent again."""
    if any(reply.headers.get(name, "").lower() == "false" for name in NOT_DONE_HEADERS):
        return False  # the server says that a retry is useless
    meaning = read_meaning(reply)
    if meaning.kind not in BUSY_KINDS:
        return False
    return is_busy(reply, meaning) or _is_harmless_failure(reply, meaning)


def is_busy(reply: Reply, meaning: Meaning | None = None) -> bool:
    """Whether the server refused a request because of others: all of them must slow down."""
    meaning = meaning or read_meaning(reply)
    if meaning.kind not in BUSY_KINDS:
        return False
    is_clear = not meaning.is_unclear or _is_documented(reply, meaning)
    if reply.status in RETRYABLE:
        return is_clear
    is_refusal = 400 <= reply.status < SERVER_ERROR and reply.status not in UNCLEAR
    return is_refusal and meaning.kind is RateError


def has_unclear_effect(reply: Reply) -> bool:
    """Whether the work may have been done, and billed, although the answer is an error."""
    meaning = read_meaning(reply)
    if _is_harmless_failure(reply, meaning) or reply.status in INCAPABLE:
        return False
    if meaning.is_unclear or reply.status in UNCLEAR:
        return True
    return reply.status >= SERVER_ERROR and reply.status != UNAVAILABLE


def _is_harmless_failure(reply: Reply, meaning: Meaning) -> bool:
    """Whether a server error says that nothing was done, as documented or in a gateway's words."""
    is_gateway = reply.status in GATEWAY_STATUSES
    return (is_gateway and meaning.is_harmless) or _is_documented(reply, meaning)


def _is_documented(reply: Reply, meaning: Meaning) -> bool:
    """Whether a server error says, as its provider documents, that nothing was done."""
    if reply.status < SERVER_ERROR:
        return False
    if any(reply.headers.get(name, "").lower() == word for name, word in NOT_DONE_HEADERS.items()):
        return True
    return fold(meaning.code) in NOT_DONE_CODES
