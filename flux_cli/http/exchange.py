"""One request and its answer: chooses the connection and enforces limits while the answer arrives."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from flux_cli.core.errors import DiskError, NetworkError, ProviderError
from flux_cli.core.request import Reply
from flux_cli.http.carrier import Carrier, Head, HttpRequest, Receiver, root_cause
from flux_cli.http.datauri import too_large_error
from flux_cli.http.direct import Direct
from flux_cli.http.splitter import Splitter
from flux_cli.http.spool import Spool, close_written, open_for_writing
from flux_cli.http.trust import host_and_port
from flux_cli.http.unpack import Unpacker

MAX_BYTES = 128 << 20  # of one answer; the largest known image is 8 MB
MAX_TEXT_BYTES = 8 << 20  # of one answer without its images
CONNECT_SECONDS = 15.0
MAX_SILENCE = 60.0  # seconds without data while an answer or a finished image is read


class Connections:
    """All connections of one run. `carrier` replaces the network if it is given."""

    def __init__(self, folder: Spool, connect: float, carrier: Carrier | None = None) -> None:
        self._spool, self._connect = folder, connect
        self._replacement = carrier
        self._carriers: dict[str, Carrier] = {}  # by scheme

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(carrier.close() for carrier in self._carriers.values()))

    async def exchange(self, request: HttpRequest) -> Reply:
        """Send one request and read the answer.

        Raises UnreachableError if nothing was sent, NetworkError if the connection broke later,
        ProviderError or ImageError for answers above a limit, DiskError if they cannot be stored.
        """
        inbox = Inbox(request, self._spool)
        with _translated_errors(request.url):
            try:
                await (self._replacement or self._carrier_for(request.url)).carry(request, inbox)
            except BaseException:
                inbox.drop()
                raise
        return inbox.reply

    def _carrier_for(self, url: str) -> Carrier:
        scheme = url.partition(":")[0].lower()
        if scheme not in self._carriers:
            make = _proxied_carrier if _is_proxied(scheme) else Direct
            self._carriers[scheme] = make(self._connect)
        return self._carriers[scheme]


class InProcess:
    """A carrier without a network: a function answers every POST. Used by `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def carry(self, request: HttpRequest, receiver: Receiver) -> None:
        """See `Carrier`."""
        reply = await asyncio.to_thread(self._answer, request.body or b"")
        receiver.begin(Head(reply.status, reply.headers))
        receiver.take(reply.data)
        receiver.end()

    async def close(self) -> None:
        """Nothing to close."""


class Inbox:
    """Receives one answer within limits: into the file the request names, or into `reply`.

    Images inside a JSON answer go into files of their own, see `splitter`.
    """

    def __init__(self, request: HttpRequest, folder: Spool) -> None:
        self.reply = Reply(0, {}, b"")
        self._is_complete = False
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
        self._is_complete = True
        if self._request.on_answer:
            self._request.on_answer(self.reply)

    def drop(self) -> None:
        """Remove the files of an answer that is not complete."""
        if self._is_complete:
            return
        self._splitter.drop()
        if self._file and self._request.into:
            with suppress(OSError):  # closing writes the last bytes, and a disk may be full
                self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self._request.into)


def _is_proxied(scheme: str) -> bool:
    """Whether the environment names a proxy for this scheme."""
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return False  # getproxies would say the same after 10 ms
    from urllib.request import getproxies

    return not {scheme, "all"}.isdisjoint(getproxies())


def _proxied_carrier(connect: float) -> Carrier:
    from flux_cli.http.proxied import Proxied  # imports httpx, which nothing else needs

    return Proxied(connect)


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turn errors of the disk and of invalid answers into FluxErrors."""
    host = host_and_port(url)
    try:
        yield
    except ValueError as fault:
        raise ProviderError(f"cannot read the answer from {host}: {root_cause(fault)}") from fault
    except OSError as fault:
        message = f"cannot store the answer from {host}: {fault.strerror}"
        if fault.errno in (errno.EMFILE, errno.ENFILE):
            raise NetworkError(message) from fault
        raise DiskError(message) from fault
