"""Every status that a POST can return, and every way to say how long to wait."""

from fakes.messages import reply
from fakes.server import Answer

from faults.row import Row, fine, found, good, refused

AGAIN = ("--retries", "1")
NO = {"error": {"message": "not this time", "code": "", "type": "any"}}
DONE = (201, 202, 206)  # with an image in the body
EMPTY = (204, 205)
ELSEWHERE = (300, 301, 303, 304, 307, 308)
KEYS = (401, 402, 403)
WRONG = (400, 404, 409, 413, 418, 422, 451)
OPEN = (408, 499, 500, 502, 504, 507, 520, 524, 598, 599)  # it is unknown whether the work was done
OUR_END = (501, 505)
BUSY = (429, 503)  # the work was not done
# Server errors of which the provider documents that nothing was done
HARMLESS: dict[str, Answer] = {
    "500, x-should-retry": (reply(NO, 500, x_should_retry="true", retry_after="0"),),
    "500, x-fal-retryable": (reply(NO, 500, x_fal_retryable="true", retry_after="0"),),
    "502 ALL_PROVIDERS_EXHAUSTED": (reply({"error": {"message": "not this time", "code": "ALL_PROVIDERS_EXHAUSTED"}}, 502, retry_after="0"),),
}  # fmt: skip
UNKNOWN = (299, 600, 999)
FIREWALL = b"<!doctype html><title>Access denied</title><p>Error reference number: 1010</p>"
# Bodies that say more than their status
GONE_MONEY = (
    {"code": "insufficient_quota", "message": "no"},
    {"code": "billing_hard_limit_reached", "message": "no"},
    {"code": "400", "message": "Budget has been exceeded!"},
)
LOST = (
    "litellm.APIConnectionError: Connection error.",
    "upstream request timeout",
    "socket hang up",
)
NOBODY = ("No deployments available for selected model", "no healthy upstream")


def because(error: object, status: int, **headers: str) -> tuple[Answer, ...]:
    return answered(status, {"error": error}, **headers)


def answered(status: int, body: object = NO, **headers: str) -> tuple[Answer, ...]:
    return ((reply(body, status, **headers),),)


STATUSES = (
    *(fine(f"{number} with an image", "2xx means success", post=answered(number, found())) for number in DONE),
    *(Row(f"{number} without a body", "2xx, but there is no image", post=answered(number, b"")) for number in EMPTY),
    *(refused(f"{number}", "a redirect; the key is not sent to another host", post=answered(number, b"", location="{other}/v1"), says=("redirect",)) for number in ELSEWHERE),
    *(refused(f"{number}", "a problem with the key, balance or account", post=answered(number), code=4, line=AGAIN, says=("not this time",)) for number in KEYS),
    *(refused(f"{number}", "the provider refuses the request", post=answered(number), line=AGAIN, says=(str(number),)) for number in WRONG),
    *(Row(f"{number}", "the work may have been done: never retried", post=answered(number), line=AGAIN, says=(str(number),)) for number in OPEN),
    *(refused(f"{number}", "the server cannot do the work", post=answered(number), line=AGAIN, says=(str(number),)) for number in OUR_END),
    *(refused(f"{number}", "busy: retried, then given up", post=answered(number, retry_after="0"), line=AGAIN, posts=2, says=(str(number),)) for number in BUSY),
    *(fine(f"{number}, then an image", "busy once", post=(*answered(number, retry_after="0"), (good(),)), line=AGAIN, posts=2) for number in BUSY),
    *(fine(f"{name}, then an image", "the provider says that nothing was done", post=(answer, (good(),)), line=AGAIN, posts=2) for name, answer in HARMLESS.items()),
    *(refused(f"{name}, always", "retried, then given up", post=(answer,), line=AGAIN, posts=2, says=("not this time",)) for name, answer in HARMLESS.items()),
    Row("503, x-should-retry: false", "the provider says that a retry is useless", post=answered(503, retry_after="0", x_should_retry="false"), line=AGAIN, billed=False),
    *(Row(f"{name}: {number}", "the work may have been done: never retried", post=answered(number, retry_after="0"), provider=name, line=AGAIN, says=(str(number),)) for name in ("bfl", "fal", "replicate") for number in (500, 502)),
    *(Row(f"{number}", "an unknown status", post=answered(number), billed=None) for number in UNKNOWN),
    Row("status 000", "not a valid status", post=answered(0)),
    *(refused(f"{number}: {error['code']}", "money that is gone does not come back by waiting", post=because(error, number, retry_after="0"), code=4, line=AGAIN, says=("top up",)) for error in GONE_MONEY for number in (400, 429, 503)),
    *(Row(f"{number}: {words}", "a gateway lost its upstream: never retried", post=because(words, number, retry_after="0"), line=AGAIN) for words in LOST for number in (500, 503)),
    *(fine(f"{number}: {words}", "a gateway found nobody to ask: retried", post=(*because(words, number, retry_after="0"), (good(),)), line=AGAIN, posts=2) for words in NOBODY for number in (502, 503)),
    *(Row(f"500: {words}", "no gateway says so: never retried", post=because(words, 500, retry_after="0"), line=AGAIN) for words in NOBODY),
    refused("a firewall", "403 with an HTML page is not about the key", post=answered(403, FIREWALL), says=("firewall", "Access denied")),
    refused("an unknown path", "404, and the base URL has no /v1", base="http://127.0.0.1:{port}", post=answered(404, b"404 page not found"), says=(r"=http://127.0.0.1:\d+/openai/v1$",)),
    refused("the whole endpoint as base URL", "404", base="http://127.0.0.1:{port}/openai/v1/images/generations", post=answered(404, b""), says=(r"=http://127.0.0.1:\d+/openai/v1$",)),
    refused("moderation through a gateway", "400, flattened by LiteLLM", post=because({"code": "400", "message": "litellm.ContentPolicyViolationError: no"}, 400), code=5),
    refused("moderation", "400 CONTENT_POLICY_VIOLATION", post=answered(400, {"error": {"code": "CONTENT_POLICY_VIOLATION", "message": "no"}}), code=5),
)  # fmt: skip

LONG = ("86400", "1e9", "Fri, 31 Dec 2100 23:59:59 GMT")
ODD = ("-1", "soon", "inf", "nan", "0x10", "Wed, 99 Foo 9999 99:99:99 GMT", "\uff11", "9" * 5000)
SAID: tuple[tuple[str, object, dict[str, str]], ...] = (
    ("words", {"error": {"message": "Please try again in 20ms."}}, {}),
    ("a field", {"error": {"details": [{"retryDelay": "0.02s"}]}}, {}),
    ("a header", NO, {"x_ratelimit_reset_requests": "20ms"}),
)
WAITING = (
    *(refused(f"Retry-After: {text}", "too long to wait: given up at once", post=answered(429, retry_after=text), line=AGAIN) for text in LONG),
    *(fine(f"Retry-After: {text[:30]!r}", "invalid: ignored", post=(*answered(429, retry_after=text.encode().decode("latin-1")), (good(),)), line=AGAIN, posts=2) for text in ODD if text != "9" * 5000),
    *(fine(f"{number}, a wait in {where}", "waited for", post=(*answered(number, body, **headers), (good(),)), line=AGAIN, posts=2) for number in BUSY for where, body, headers in SAID),
    refused("a wait of ten years in the body", "given up at once", post=answered(429, {"retry_after": 315_360_000}), line=AGAIN, says=("3,650 days",)),
    refused("Retry-After: 5,000 digits", "too long to wait", post=answered(429, retry_after="9" * 5000), line=AGAIN, posts=range(1, 3)),
    fine("Retry-After: 0", "retried at once", post=(*answered(429, retry_after="0"), (good(),)), line=AGAIN, posts=2),
    fine("Retry-After in the past", "retried at once", post=(*answered(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), (good(),)), line=AGAIN, posts=2),
    Row("Retry-After beyond the deadline", "60 s, but only 1 s is left", post=answered(429, retry_after="60"), line=("--retries", "1", "--timeout", "1"), billed=False),
)  # fmt: skip
