"""Has a request carried out and delivers its images. It notes whether the client was there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from flux_cli.serve.answering import answers
from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.requests import Sender, refusal_for

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from flux_cli.core.model import Json
    from flux_cli.serve.asking.asked import Asked
    from flux_cli.serve.repeats import Work
    from flux_cli.serve.requests import Made
    from flux_cli.serve.service import Service

NO_STORE = {"cache-control": "no-store"}
# A client that gives up and repeats at once may be seen to come back before it is seen to go.
GRACE_SECONDS = 0.25


async def answer(
    service: Service, request: Request, asked: Asked, digest: str, on_end: Callable[[], None]
) -> Response:
    """Carry out a request, and answer it. The rest is done even if the client goes away."""
    if request.query_params.get("dryRun", "").lower() == "true":
        try:
            price = await service.price(asked)
        finally:
            on_end()
        return json_response(answers.price_document(price))
    gone = asyncio.create_task(_wait_for_end(request))
    sender = _sender(request, digest)
    try:
        await _look_for_repeats(service, sender, gone)
    except BaseException:
        on_end()
        gone.cancel()
        raise
    work = service.requests.begin(asked, sender, on_end)
    work.clients += 1
    work.waiting += 1
    try:
        await asyncio.wait({work.task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.task.done():
            raise _client_went_away()
        made = _result(service, work)
    except BaseException:
        work.waiting -= 1
        gone.cancel()
        raise
    request.state.report, request.state.is_repeat = made.report, work.clients > 1
    return _deliver(request, asked, made, work, gone)


async def _look_for_repeats(service: Service, sender: Sender, gone: asyncio.Task[None]) -> None:
    """Wait for a moment if a client waits for an equal request: it may be about to go away.

    Raises Refusal if this client goes away meanwhile.
    """
    if service.requests.has_equal(sender):
        await asyncio.wait({gone}, timeout=GRACE_SECONDS)
    if gone.done():
        raise _client_went_away()


def _client_went_away() -> Refusal:
    """What the log says. Nobody gets this answer."""
    return Refusal(499, "the client went away", code="client_closed_request")


def _sender(request: Request, digest: str) -> Sender:
    """What tells a request from others: its path, its key, its body, and marks of a retry."""
    headers = request.headers
    key = headers.get("authorization", "")
    whole = sha256(f"{request.url.path}\0{key}\0{digest}".encode()).hexdigest()
    count = headers.get("x-stainless-retry-count", "0")
    return Sender(whole, headers.get("idempotency-key", ""), is_retry=count not in ("", "0"))


async def _wait_for_end(request: Request) -> None:
    """Wait until the client has gone, or the answer is sent."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _result(service: Service, work: Work[Made]) -> Made:
    """The images of a request that has ended. Raises Refusal."""
    try:
        return work.task.result()
    except BaseException as fault:
        raise refusal_for(fault, hosted=service.is_hosted) from fault


def _deliver(
    request: Request, asked: Asked, made: Made, work: Work[Made], gone: asyncio.Task[None]
) -> Response:
    """The answer with the images. It notes whether the client was there until its end."""
    if asked.streams:
        events = answers.events(asked, made.report, made.created, is_edit=bool(asked.images))
        return _Delivery(work, gone, events, {"content-type": "text/event-stream", **NO_STORE})
    body = answers.images_body(asked, made.report, origin_of(request), made.created)
    headers = {"content-type": "application/json", "content-length": str(body.length), **NO_STORE}
    return _Delivery(work, gone, aiter(body), headers)


class _Delivery(StreamingResponse):
    """An answer with images, which are read from the disk while they are sent."""

    def __init__(
        self,
        work: Work[Made],
        gone: asyncio.Task[None],
        content: AsyncIterator[bytes],
        headers: dict[str, str],
    ) -> None:
        super().__init__(content, headers=headers)
        self._work, self._gone = work, gone

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer. A client that goes away meanwhile has not received it."""
        try:
            await self.stream_response(send)
            if not self._gone.done():
                self._work.is_delivered = True
        finally:
            self._work.waiting -= 1
            self._gone.cancel()


def origin_of(request: Request) -> str:
    """Scheme and host of the server, as the client names it."""
    return f"{request.url.scheme}://{request.headers['host']}"


def json_response(document: Json) -> Response:
    """An answer with a document."""
    return Response(answers.json_bytes(document), media_type="application/json", headers=NO_STORE)
