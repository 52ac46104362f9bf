"""The error that an answer describes: its class, its text, and a hint that helps."""

from __future__ import annotations

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
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.http.replies.address import base_of, likely_base
from flux_cli.http.replies.effects import has_unclear_effect, is_good
from flux_cli.http.replies.identity import id_of_failure
from flux_cli.http.replies.meaning import Meaning, kind_of_text, read_meaning
from flux_cli.http.replies.page import is_page
from flux_cli.http.replies.tables import PLAIN_ON_TLS_WORDS, Kind
from flux_cli.http.trust import host_and_port

BILLED_HINT = "check your provider's request list before you run it again"
PROXY_STATUS = 407
GATEWAY_VARIABLE = "LUMENFALL_API_KEY"
GATEWAY_URL_VARIABLE = "LUMENFALL_BASE_URL"
HINTS: dict[Kind, str] = {
    PaymentError: "top up the account{page}, then run the same command again",
    ModerationError: "rephrase the prompt",
    RateError: "wait a moment, then run the same command again",
    ValidationError: "see what is sent and why with: flux resolve",
}
UPSTREAM_KEY_WORDS = r"litellm\.AuthenticationError"


def reply_error(
    reply: Reply, auth: Auth | None = None, request_id: str = "", url: str = ""
) -> FluxError:
    """The error that a reply to `url` describes. `billed`: the server may have done the work."""
    meaning = read_meaning(reply)
    kind = meaning.kind
    is_unclear = is_good(reply) or has_unclear_effect(reply)
    billed = is_unclear and kind is ProviderError  # a refusal with a code of its own is clear
    return kind(
        _text(reply, meaning),
        hint=BILLED_HINT if billed else _hint(reply, meaning, auth, url),
        billed=billed,
        status=reply.status,
        request_id=request_id or id_of_failure(reply),
    )


def job_error(provider: str, words: str, request_id: str, quoted: Sequence[str] = ()) -> FluxError:
    """The error of a job that was accepted and failed, for the reason that the provider wrote.

    `quoted` are the texts of its request, whose words do not count.
    """
    kind = kind_of_text(words, quoted)
    verb = "failed" if kind is ProviderError else "refused"
    hint = HINTS.get(kind, "").format(page="")
    return kind(f"{provider} {verb}: {words}", hint=hint, request_id=request_id)


def redirect_error(reply: Reply, url: str) -> FluxError | None:
    """The error for a redirect, which no request with a key follows; None for other answers."""
    if not 300 <= reply.status < 400:
        return None
    location = reply.headers.get("location", "nowhere")
    message = f"{host_and_port(url)} redirects to {plain(location, 200)}"
    base = base_of(url)
    path = url.removeprefix(base) if base else ""
    hint = "check --base-url; a page to sign in on may be in front of the server"
    if not base or location.endswith(path):
        hint = f"set the new address with --base-url {plain(location.removesuffix(path), 200)}"
    if "://" not in location:
        hint = "check --base-url"
    return ProviderError(
        f"{message}; the key is not sent to other addresses", hint=hint, status=reply.status
    )


def _text(reply: Reply, meaning: Meaning) -> str:
    subject, reason = "the provider", f": {meaning.message}" if meaning.message else ""
    if meaning.is_front:
        subject = "a firewall in front of the server"
    if reply.status == PROXY_STATUS:
        subject = "the proxy"
    if reason and _is_page(reply):
        reason = f" and the page {meaning.message!r}"
    is_failure = meaning.kind is ProviderError and subject == "the provider"
    verb = "failed" if is_failure else "refused"
    code = meaning.code or f"HTTP {reply.status}"
    return f"{subject} {verb} with {code}{reason or ' and gave no reason'}"


def _hint(reply: Reply, meaning: Meaning, auth: Auth | None, url: str) -> str:
    """What to do next. No hint names a command that does not help with this server."""
    if re.search(PLAIN_ON_TLS_WORDS, meaning.message, re.IGNORECASE):
        return "the server expects TLS: write the base URL with https://"
    if reply.status == PROXY_STATUS:
        return "write user name and password into the proxy's URL: http://USER:PASSWORD@HOST:PORT"
    if meaning.is_front:
        return "this is not about the key; try another network, or ask who runs the server"
    if meaning.kind is AuthError:
        return _key_hint(reply, meaning, auth)
    if meaning.kind is NotFoundError:
        return _place_hint(meaning, url, auth)
    page = f" ({auth.page})" if auth and auth.page else ""
    hint = HINTS.get(meaning.kind, "").format(page=page)
    if meaning.kind is ModerationError and _is_gateway(auth):
        hint += ", or try another route with --route"
    return hint


def _key_hint(reply: Reply, meaning: Meaning, auth: Auth | None) -> str:
    if reply.headers.get("www-authenticate", "").lower().startswith("basic"):
        return "the server wants a user name and password, not a key"
    if re.search(UPSTREAM_KEY_WORDS, meaning.message):
        return "the server's own key for its provider is refused; tell who runs the server"
    if auth is None:
        return "check the key: none was sent"
    return f"check {auth.variable} ({auth.page})" if auth.page else f"check {auth.variable}"


def base_hint(base: str, auth: Auth | None) -> str:
    """What to type in place of a base URL that looks wrong; "" if it looks right."""
    is_gateway = _is_gateway(auth)
    better = likely_base(base, is_gateway=is_gateway)
    if not better:
        return ""
    return f"try {GATEWAY_URL_VARIABLE}={better}" if is_gateway else f"try --base-url {better}"


def _is_gateway(auth: Auth | None) -> bool:
    return auth is not None and auth.variable == GATEWAY_VARIABLE


def _place_hint(meaning: Meaning, url: str, auth: Auth | None) -> str:
    """The hint for an unknown model or path."""
    base = base_of(url)
    said = f"{meaning.code} {meaning.message}".lower()
    is_about_model = "model" in said or "deployment" in said
    better = "" if is_about_model or not base else base_hint(base, auth)
    if better:
        return f"the path is unknown there; {better}"
    if not base or _is_gateway(auth):
        return "list known models with: flux models"
    if is_about_model:
        return f"the server lists its models at {base}/models"
    return "the path is unknown there; check --base-url and what the server can do"


def _is_page(reply: Reply) -> bool:
    return is_page(reply.data[:200].decode("utf-8", "replace"))
