"""Has a request carried out and delivers its images. It notes whether the client was there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

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
    """Carry out a request, and answer it. The rest is done even if the client goes away.

    `on_end` is called when the files of the request are not needed anymore.
    """
    if request.query_params.get("dryRun", "").lower() == "true":
        try:
            price = await service.price(asked)
        finally:
            on_end()
        return json_response(answers.price_document(price))
    gone = asyncio.create_task(_wait_for_end(request))
    try:
        return await _carry_out(service, request, asked, Asking(digest, on_end, gone))
    except BaseException:
        gone.cancel()
        raise


class Asking(NamedTuple):
    """A client that waits. `gone` ends when it goes away."""

    digest: str
    on_end: Callable[[], None]
    gone: asyncio.Task[None]


async def _carry_out(service: Service, request: Request, asked: Asked, asking: Asking) -> Response:
    sender, gone = _sender(request, asking.digest), asking.gone
    try:
        if service.requests.waits_for_equal(sender):
            await asyncio.wait({gone}, timeout=GRACE_SECONDS)
        _expect_client(gone)
        work = service.requests.begin(asked, sender, asking.on_end)
    except BaseException:
        asking.on_end()
        raise
    work.clients += 1
    work.waiting += 1
    try:
        await asyncio.wait({work.task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.task.done():
            _expect_client(gone)
        made = _result(service, work)
    except BaseException:
        work.waiting -= 1
        raise
    request.state.report, request.state.is_repeat = made.report, work.clients > 1
    return _deliver(request, asked, made, work, gone)


def _expect_client(gone: asyncio.Task[None]) -> None:
    """Raise Refusal if the client has gone, for the log."""
    if gone.done():
        raise Refusal(499, "the client went away", code="client_closed_request")


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
