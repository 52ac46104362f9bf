"""The errors for a good answer without an image: what the server says about it, and its body."""

from __future__ import annotations

import json

from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError, ProviderError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.http.replies import BILLED_HINT, BLOB, reply_error, request_id_of
from flux_cli.providers.reading.reasons import Reason, find_reason


class UnreadableError(ProviderError):
    """A good answer in which flux finds no image; a later version may.

    `answer` is its body, as in `Reply`. If its end is missing, that is the message.
    """

    def __init__(self, message: str, reply: Reply, request_id: str = "") -> None:
        name = request_id or request_id_of(reply)
        super().__init__(reply.broken or message, billed=True, status=reply.status, request_id=name)
        self.answer = reply.data


def no_image_error(
    reply: Reply, body: Json, auth: Auth | None, *, request_id: str = "", problem: str = ""
) -> FluxError:
    """The error for a good answer without an image; `problem` is what it lacks, as a sentence."""
    request_id = request_id or request_id_of(reply, body)
    if not reply.data.strip():
        message = problem or "the answer is empty"
        error = ProviderError(message, hint=BILLED_HINT, billed=True, status=reply.status)
        error.request_id = request_id
        return error
    if body is None and not problem:
        start = plain(reply.data[:200].decode("utf-8", "replace").partition(BLOB)[0], 60)
        problem = f"the answer is not JSON: it begins with {start!r}"
    problem = problem or "the answer has no image"
    if isinstance(body, dict) and body.get("error"):
        return reply_error(_with_body(reply, body), auth, request_id)
    reason = find_reason(body)
    if reason is None:
        return UnreadableError(problem, reply, request_id)
    refusal = reply_error(_with_body(reply, _envelope(reason)), auth, request_id)
    if type(refusal) is ProviderError:  # nothing about the prompt, the key or the account
        return UnreadableError(f"{problem}: {reason.message}", reply, request_id)
    return refusal


def _envelope(reason: Reason) -> Json:
    """A reason as most servers write it, so that `http.replies` knows what it means."""
    return {"error": {"code": reason.code, "message": reason.message}}


def _with_body(reply: Reply, body: Json) -> Reply:
    return reply._replace(data=json.dumps(body).encode())
