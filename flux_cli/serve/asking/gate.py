"""What every request passes: who may ask, how large a body may be, and one line in the log.

It speaks ASGI, the protocol between a server and its application, and needs no library.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from flux_cli.serve.answering.answers import json_bytes
from flux_cli.serve.answering.refusals import Refusal

if TYPE_CHECKING:
    from flux_cli.serve.service import Service

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]

MAX_BODY = 50 << 20  # bytes
MOST_DRAINED = 256 << 20  # bytes of a body that is too large, which are read before the answer
API = ("/v1/", "/openai/v1/")
IMAGES = "/images/"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
}


class Gate:
    """An application behind the checks of a server."""

    def __init__(self, app: App, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        entry = Entry(scope, time.monotonic())
        extra = {**HEADERS, "x-request-id": entry.identity}
        state = scope.setdefault("state", {})
        state |= {"report": None, "is_repeat": False, "refusal": None}

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                taken = {name for name, _ in message["headers"]}
                more = [(name.encode(), text.encode()) for name, text in extra.items()]
                message["headers"] = [*message["headers"], *(m for m in more if m[0] not in taken)]
            await send(message)

        try:
            extra |= self._check(scope, headers)
            if scope["method"] == "OPTIONS":
                await _send(send_more, 204, b"", _preflight(headers, extra))
            else:
                await self._app(scope, Body(headers, receive).receive, send_more)
        except Refusal as fault:
            state["refusal"] = fault
            body = json_bytes(fault.document())
            shape = {"content-type": "application/json", "content-length": str(len(body))}
            await _send(send_more, fault.status, body, {**fault.headers, **shape})
        except Exception as fault:  # noqa: BLE001 - its client has an answer, or no connection
            self._service.complain(entry, fault)
        finally:
            self._service.log(entry, state)

    def _check(self, scope: Message, headers: dict[str, str]) -> dict[str, str]:
        """The headers for a web page that may ask. Raises Refusal for whoever may not."""
        access, path = self._service.access, scope["path"]
        access.check_host(headers)
        if path.startswith(IMAGES) or scope["method"] == "OPTIONS":
            return access.cors_headers(headers)
        is_visit = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if not is_visit:
            access.check_page(headers, f"{scope['scheme']}://{headers['host']}")
        if path.startswith(API):
            access.check_key(headers)
        return access.cors_headers(headers)


class Body:
    """The body of a request as it arrives, within a limit."""

    def __init__(self, headers: dict[str, str], receive: Receive) -> None:
        self._receive, self._seen = receive, 0
        length = headers.get("content-length", "")
        self._announced = int(length) if length.isascii() and length.isdecimal() else 0
        self._waits = "100-continue" in headers.get("expect", "").lower()

    async def receive(self) -> Message:
        """The next part. Raises Refusal for a body that is too large, once it has arrived.

        A client that has not sent all of it would not read the answer.
        """
        if self._announced > MAX_BODY and self._waits:
            raise _too_large()
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if max(self._seen, self._announced) <= MAX_BODY:
            return message
        while message.get("more_body") and self._seen < MOST_DRAINED:
            message = await self._receive()
            self._seen += len(message.get("body", b""))
        raise _too_large()


class Entry:
    """What the log says of one request. Times are in seconds."""

    def __init__(self, scope: Message, began: float) -> None:
        self.method, self.path = scope["method"], scope["path"]
        self.identity = f"req_{secrets.token_hex(12)}"
        self.status = 499  # unless an answer is sent: the client has gone
        self._began = began

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self._began


def _too_large() -> Refusal:
    return Refusal(413, f"the body has more than {MAX_BODY >> 20} MiB", code="too_large")


def _preflight(headers: dict[str, str], extra: dict[str, str]) -> dict[str, str]:
    """What a listed web page may send."""
    if "access-control-allow-origin" not in extra:
        return {"allow": "GET, HEAD, POST, OPTIONS"}
    return {
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "600",
    }


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    pairs = [(name.encode(), text.encode("latin-1", "replace")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
