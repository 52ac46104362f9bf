"""One request and its answer, through one httpx client, within limits while the answer arrives."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import BinaryIO

import httpx

from flux_cli.core.errors import DiskError, NetworkError, ProviderError
from flux_cli.core.request import Reply
from flux_cli.http.datauri import too_large_error
from flux_cli.http.errors import (
    connection_broken_error,
    invalid_address_error,
    root_cause,
    unreachable_error,
)
from flux_cli.http.proxies import proxy_mounts, tls_context
from flux_cli.http.receiver import Head, HttpRequest, Receiver
from flux_cli.http.splitter import Splitter
from flux_cli.http.spool import Spool, close_written, open_for_writing
from flux_cli.http.transport import PushTransport
from flux_cli.http.trust import host_and_port
from flux_cli.http.unpack import Unpacker

DEFAULT_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": "flux-image-cli",
}
MAX_BYTES = 128 << 20  # of one answer; the largest known image is 8 MB
MAX_TEXT_BYTES = 8 << 20  # of one answer without its images
CONNECT_SECONDS = 15.0
MAX_SILENCE = 60.0  # seconds without data while an answer or a finished image is read


class Connections:
    """The HTTP client of one run. `transport` replaces the network if it is given, proxies included."""

    def __init__(self, folder: Spool, connect: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`connect` is the connection timeout in seconds."""
        self._spool, self._connect, self._transport = folder, connect, transport
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._client:
            await self._client.aclose()

    async def exchange(self, request: HttpRequest) -> Reply:
        """Send one request and read the answer.

        Raises UnreachableError if nothing was sent, NetworkError if the connection broke later,
        ProviderError or ImageError for answers above a limit, DiskError if they cannot be stored.
        """
        inbox = Inbox(request, self._spool)
        with _translated_errors(request.url):
            try:
                await self._send(request, inbox)
            except BaseException:
                inbox.drop()
                raise
        return inbox.reply

    async def _send(self, request: HttpRequest, inbox: Inbox) -> None:
        self._client = self._client or _new_client(self._transport)
        timeout = httpx.Timeout(request.silence, connect=self._connect, pool=None)
        sent = self._client.build_request(
            request.method, request.url, headers=request.headers, content=request.body, timeout=timeout,
            extensions={"receiver": inbox},
        )  # fmt: skip
        response = await self._client.send(sent, stream=True)
        try:
            if not inbox.is_complete:  # through a proxy: the answer is read here, and not pushed
                inbox.begin(Head(response.status_code, dict(response.headers)))
                async for part in response.aiter_raw():
                    inbox.take(part)
                inbox.end()
        finally:
            await response.aclose()


def _new_client(transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """A client that reads nothing of the environment but what `proxies` has read, and keeps no cookies."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(
        transport=transport or PushTransport(tls_context),
        mounts={} if transport else proxy_mounts(),
        headers=DEFAULT_HEADERS,
        cookies=no_cookies,
        trust_env=False,
    )


class InProcess(httpx.AsyncBaseTransport):
    """A transport without a network: a function answers every POST. Used by `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Push the answer to the receiver."""
        receiver: Receiver = request.extensions["receiver"]
        reply = await asyncio.to_thread(self._answer, request.content)
        receiver.begin(Head(reply.status, reply.headers))
        receiver.take(reply.data)
        receiver.end()
        return httpx.Response(reply.status)


class Inbox:
    """Receives one answer within limits: into the file the request names, or into `reply`.

    Images inside a JSON answer go into files of their own, see `splitter`.
    """

    def __init__(self, request: HttpRequest, folder: Spool) -> None:
        self.reply = Reply(0, {}, b"")
        self.is_complete = False
        self._request, self._host, self._size = request, host_and_port(request.url), 0
        self._head, self._unpacker = Head(0, {}), Unpacker("", self._host)  # until `begin`
        self._splitter = Splitter(folder.new, MAX_BYTES)
        self._file: BinaryIO | None = None

    def begin(self, head: Head) -> None:
        """Take the head. Raises OSError, and ProviderError for an unsupported content encoding."""
        self._head = head
        self._unpacker = Unpacker(head.headers.get("content-encoding", ""), self._host)
        if self._request.into and head.status == 200:
            self._file = open_for_writing(self._request.into)

    def take(self, part: bytes | bytearray) -> None:
        """Take the next part. Raises OSError, and ProviderError or ImageError above a limit."""
        for plain in self._unpacker.feed(part):
            self._size += len(plain)
            if self._size > MAX_BYTES:
                raise ProviderError(f"the answer from {self._host} is larger than {MAX_BYTES >> 20} MiB")
            if self._file:
                self._file.write(plain)
                continue
            self._splitter.feed(plain)
            if len(self._splitter.kept) > MAX_TEXT_BYTES:
                raise too_large_error(MAX_TEXT_BYTES)

    def end(self) -> None:
        """Finish the answer and report it at once: a later failure cannot lose it."""
        self._unpacker.close()
        if self._file:
            close_written(self._file)
        self._splitter.close()
        self.reply = Reply(self._head.status, self._head.headers, bytes(self._splitter.kept))
        self.is_complete = True
        if self._request.on_answer:
            self._request.on_answer(self.reply)

    def drop(self) -> None:
        """Remove the files of an answer that is not complete."""
        if self.is_complete:
            return
        self._splitter.drop()
        if self._file and self._request.into:
            with suppress(OSError):  # closing writes the last bytes, and a disk may be full
                self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self._request.into)


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turn errors of httpx, of the disk and of invalid answers into FluxErrors."""
    host = host_and_port(url)
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
        raise unreachable_error(url, fault) from fault
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as fault:
        raise invalid_address_error(url, fault) from fault
    except (httpx.HTTPError, httpx.StreamError) as fault:
        raise connection_broken_error(url, fault) from fault
    except ValueError as fault:
        raise ProviderError(f"cannot read the answer from {host}: {root_cause(fault)}") from fault
    except OSError as fault:
        message = f"cannot store the answer from {host}: {fault.strerror}"
        if fault.errno in (errno.EMFILE, errno.ENFILE):
            raise NetworkError(message) from fault
        raise DiskError(message) from fault
