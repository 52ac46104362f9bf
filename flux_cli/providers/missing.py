"""The errors for a good answer without an image: what the server says about it, and its body."""

from __future__ import annotations

import json

from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError, ProviderError, UnreadableError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.http.replies import BILLED_HINT, reply_error, request_id_of
from flux_cli.providers.reading.reasons import Reason, find_reason


def no_image_error(
    reply: Reply, body: Json, auth: Auth | None, *, request_id: str = "", who: str = "the answer"
) -> FluxError:
    """The error for a good answer without an image. In messages, `who` is what has none."""
    request_id = request_id or request_id_of(reply, body)
    if not reply.data.strip():
        empty = ProviderError(f"{who} is empty", hint=BILLED_HINT, billed=True)
        empty.status, empty.request_id = reply.status, request_id
        return empty
    if body is None:
        start = plain(reply.data[:200].decode("utf-8", "replace"), 60)
        return unreadable_error(f"{who} is not JSON: it begins with {start!r}", reply, request_id)
    if isinstance(body, dict) and body.get("error"):
        return reply_error(_with_body(reply, body), auth, request_id)
    reason = find_reason(body)
    if reason is None:
        return unreadable_error(f"{who} has no image", reply, request_id)
    error = reply_error(_with_body(reply, _envelope(reason)), auth, request_id)
    if type(error) is ProviderError:  # no refusal of the prompt, the key or the account
        return unreadable_error(f"{who} has no image: {reason.message}", reply, request_id)
    return error


def unreadable_error(message: str, reply: Reply, request_id: str = "") -> UnreadableError:
    """The error for a good answer in which no image was found, and which is kept."""
    name = request_id or request_id_of(reply)
    return UnreadableError(message, reply.data, status=reply.status, request_id=name)


def _envelope(reason: Reason) -> Json:
    """A reason as most servers write it, so that `http.replies` knows what it means."""
    return {"error": {"code": reason.code, "message": reason.message}}


def _with_body(reply: Reply, body: Json) -> Reply:
    return reply._replace(data=json.dumps(body).encode())
