"""Reads answers of servers with tolerance: JSON bodies, errors, request ids, how long to wait.

Providers write errors in many ways (a list, a text, a number as code, HTML, nothing at all), so
this reads whatever is there and never fails. What other folders need is named here.
"""

from flux_cli.http.replies.effects import (
    has_unclear_effect,
    is_busy,
    is_good,
    is_temporary,
    may_retry,
)
from flux_cli.http.replies.failures import (
    BILLED_HINT,
    base_hint,
    job_error,
    redirect_error,
    reply_error,
)
from flux_cli.http.replies.identity import request_id_of
from flux_cli.http.replies.later import retry_after
from flux_cli.http.replies.meaning import SERVER_ERROR
from flux_cli.http.replies.parse import BLOB, MARK, parse_json, parse_object
from flux_cli.http.replies.quotes import texts_of_request

__all__ = [
    "BILLED_HINT",
    "BLOB",
    "MARK",
    "SERVER_ERROR",
    "base_hint",
    "has_unclear_effect",
    "is_busy",
    "is_good",
    "is_temporary",
    "job_error",
    "may_retry",
    "parse_json",
    "parse_object",
    "redirect_error",
    "reply_error",
    "request_id_of",
    "retry_after",
    "texts_of_request",
]
