"""One exchange with a server, within limits: the way to it, and what becomes of the answer while it arrives."""

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
from flux_cli.http import spool
from flux_cli.http.carrier import Carrier, Head, HttpRequest, Receiver, cause
from flux_cli.http.datauri import too_large
from flux_cli.http.direct import Direct
from flux_cli.http.spool import Splitter, Spool
from flux_cli.http.trust import host_of
from flux_cli.http.unpack import Unpacker

MAX_BYTES = 128 << 20  # of one answer; the largest known image is 8 MB
MAX_WORDS = 8 << 20  # bytes of an answer without the images in it
CONNECT_SECONDS = 15.0


class Connections:
    """The ways of one run to its servers; `carrier` stands in for the network where there is none."""

    def __init__(self, folder: Spool, connect: float, carrier: Carrier | None = None) -> None:
        self._spool, self._connect, self._carrier = folder, connect, carrier
        self._ways: dict[str, Carrier] = {}  # by scheme

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(way.close() for way in self._ways.values()))

    async def exchange(self, ask: HttpRequest) -> Reply:
        """Send one request and read the answer. Raises UnreachableError where nothing was sent, NetworkError where the
        connection broke afterward, ProviderError for answers over a limit, DiskError where they cannot be kept.
        """
        inbox = Inbox(ask, self._spool)
        with _failures(ask.url):
            try:
                await (self._carrier or self._way(ask.url)).carry(ask, inbox)
            except BaseException:
                inbox.drop()
                raise
        return inbox.reply

    def _way(self, url: str) -> Carrier:
        scheme = url.partition(":")[0].lower()
        if scheme not in self._ways:
            self._ways[scheme] = _through_proxies(self._connect) if _is_proxied(scheme) else Direct(self._connect)
        return self._ways[scheme]


class InProcess:
    """A way without a network: every POST body goes to a function, which answers. It carries `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def carry(self, ask: HttpRequest, receiver: Receiver) -> None:
        """See `Carrier`."""
        reply = await asyncio.to_thread(self._answer, ask.body or b"")
        receiver.begin(Head(reply.status, reply.headers))
        receiver.take(reply.data)
        receiver.end()

    async def close(self) -> None:
        """Nothing is open."""


class Inbox:
    """Takes one answer as it comes, within limits: into a file, or its words, and the images in them into files."""

    def __init__(self, ask: HttpRequest, folder: Spool) -> None:
        self.reply, self.whole = Reply(0, {}, b""), False
        self._ask, self._host, self._size = ask, host_of(ask.url), 0
        self._head, self._unpacker = Head(0, {}), Unpacker("", self._host)  # until the real one comes
        self._splitter = Splitter(folder.new, MAX_BYTES)
        self._file: BinaryIO | None = None

    def begin(self, head: Head) -> None:
        """The answer's head is there. Raises OSError, and ProviderError for packings that flux does not know."""
        self._head, self._unpacker = head, Unpacker(head.headers.get("content-encoding", ""), self._host)
        if self._ask.into and head.status == 200:
            self._file = spool.begin(self._ask.into)

    def take(self, part: bytes | bytearray) -> None:
        """The next part. Raises OSError, and ProviderError or ImageError above a limit."""
        for plain in self._unpacker.feed(part):
            self._size += len(plain)
            if self._size > MAX_BYTES:
                raise ProviderError(f"the answer of {self._host} is larger than {MAX_BYTES >> 20} MiB")
            if self._file:
                self._file.write(plain)
                continue
            self._splitter.feed(plain)
            if len(self._splitter.kept) > MAX_WORDS:
                raise too_large(MAX_WORDS)

    def end(self) -> None:
        """The answer is over. Whoever waits for it hears of it here and now, whatever happens next."""
        self._unpacker.close()
        if self._file:
            spool.end(self._file)
        self._splitter.close()
        self.reply = Reply(self._head.status, self._head.headers, bytes(self._splitter.kept))
        self.whole = True
        if self._ask.heard:
            self._ask.heard(self.reply)

    def drop(self) -> None:
        """Leave no file of an answer that is not whole."""
        if self.whole:
            return
        self._splitter.drop()
        if self._file and self._ask.into:
            with suppress(OSError):  # a full disk takes the last bytes no better
                self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self._ask.into)  # half an image is no image


def _is_proxied(scheme: str) -> bool:
    """Whether a proxy is named for addresses of this kind."""
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return False  # what the next line would find, too, but it costs 10 ms
    from urllib.request import getproxies

    return not {scheme, "all"}.isdisjoint(getproxies())


def _through_proxies(connect: float) -> Carrier:
    from flux_cli.http.proxied import Proxied  # and with it httpx, which nobody else needs

    return Proxied(connect)


@contextmanager
def _failures(url: str) -> Iterator[None]:
    """What else can fail in an exchange, in our own words: the disk, and answers that cannot be read."""
    host = host_of(url)
    try:
        yield
    except ValueError as fault:
        raise ProviderError(f"the answer of {host} cannot be read: {cause(fault)}") from fault
    except OSError as fault:
        if fault.errno in (errno.EMFILE, errno.ENFILE):
            raise NetworkError(f"the answer of {host} cannot be kept: {fault.strerror}") from fault
        raise DiskError(f"the answer of {host} cannot be kept: {fault.strerror}") from fault
