"""One request and its answer: what is sent, who receives the answer, and within which limits.

Nothing here touches the network: `network` does. `InProcess` answers requests without it.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from flux_cli.core.errors import DiskError, NetworkError, ProviderError, ResourceError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Reply
from flux_cli.http.datauri import too_large_error
from flux_cli.http.errors import root_cause
from flux_cli.http.replies import MARK
from flux_cli.http.splitter import Splitter
from flux_cli.http.spool import ReceivedFile, Spool
from flux_cli.http.trust import host_and_port
from flux_cli.http.unpack import Unpacker, UnpackError
from flux_cli.images.containers.registry import sniff

MAX_BYTES = 128 << 20  # of one answer; the largest known image is 8 MB
MAX_TEXT_BYTES = 8 << 20  # of one answer without its images
# How a text answer may begin: JSON, or events. Blanks and byte order marks may come before it.
TEXT_STARTS = (b"{", b"[", b'"', b"event:", b"data: {", b"data:{", b"id:", b"retry:", b":")
JSON_WORDS = (b"null", b"true", b"false")
BLANKS = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # also the marks and zero bytes of UTF-16 and UTF-32
BEGINNING = 64  # bytes that tell a text answer from others
MOST_BLANKS = 4096  # bytes before them
MAX_SILENCE = 60.0  # seconds without data while an answer or a finished image is read


class HttpRequest(NamedTuple):
    """One HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    silence: float | None = None  # seconds without data before giving up; None: no limit
    into: str | None = None  # path for the body of a good answer; None: the body is JSON
    on_answer: Callable[[Reply], None] | None = None  # called as soon as the answer is complete
    on_begin: Callable[[], None] | None = None  # called when a good answer begins to arrive


class Head(NamedTuple):
    """The status of an answer and its headers, with names in lower case."""

    status: int
    headers: dict[str, str]


class Receiver(Protocol):
    """Takes one answer in parts. An exception raised here ends the exchange and is passed on."""

    def begin(self, head: Head) -> None: ...
    def take(self, part: bytes | bytearray) -> None: ...
    def end(self) -> None: ...


class Sender(Protocol):
    """Sends requests and pushes the answers to their receivers."""

    async def send(self, request: HttpRequest, receiver: Receiver) -> None:
        """Send a request and push the whole answer to the receiver.

        Raises UnreachableError if nothing was sent, NetworkError if the connection broke later,
        and whatever the receiver raises.
        """

    async def close(self) -> None:
        """Close all connections."""


class InProcess:
    """A sender without a network: a function answers every POST. Used by `--offline`."""

    def __init__(self, answer: Callable[[bytes], Reply]) -> None:
        self._answer = answer

    async def send(self, request: HttpRequest, receiver: Receiver) -> None:
        """Push the answer of the function to the receiver."""
        reply = await asyncio.to_thread(self._answer, request.body or b"")
        receiver.begin(Head(reply.status, reply.headers))
        receiver.take(reply.data)
        receiver.end()

    async def close(self) -> None:
        """Do nothing: no connection is open."""


class Exchanges:
    """The exchanges of one run, all through one sender."""

    def __init__(self, spool: Spool, sender: Sender) -> None:
        self._spool, self._sender = spool, sender

    async def close(self) -> None:
        """Close all connections."""
        await self._sender.close()

    async def exchange(self, request: HttpRequest) -> Reply:
        """Send one request and read the answer.

        Raises UnreachableError if nothing was sent, NetworkError if the connection broke later,
        ProviderError or ImageError for answers above a limit, DiskError if they cannot be stored.
        """
        inbox = Inbox(request, self._spool)
        with _translated_errors(request.url):
            try:
                await self._sender.send(request, inbox)
            except BaseException:
                inbox.drop()
                raise
        return inbox.reply


class Inbox:
    """Receives one answer within limits: into the file the request names, or into `reply`.

    Images inside a JSON answer go into files of their own, see `splitter`. A good answer to a POST
    that is no JSON goes into one file as it is, and `reply` has its mark. So does one to a GET that
    is an image; others say nothing about the image. A good answer to a POST that cannot be
    decompressed is kept as it came.
    """

    def __init__(self, request: HttpRequest, spool: Spool) -> None:
        self.reply = Reply(0, {}, b"")
        self._is_complete = False
        self._request, self._host, self._size = request, host_and_port(request.url), 0
        self._head, self._unpacker = Head(0, {}), Unpacker("", self._host)  # until `begin`
        self._splitter = Splitter(spool.open_new, MAX_BYTES)
        self._spool = spool
        self._file: ReceivedFile | None = None
        self._beginning = bytearray()  # of an answer that may be a text or not
        self._is_undecided = False
        self._packed: ReceivedFile | None = None  # a good answer as it came, if it is packed

    def begin(self, head: Head) -> None:
        """Take the head. Raises OSError, and ProviderError for an unsupported content encoding."""
        self._head = head
        is_good = 200 <= head.status < 300
        may_be_paid = is_good and self._request.method == "POST"
        try:
            self._unpacker = Unpacker(head.headers.get("content-encoding", ""), self._host)
        except ProviderError:
            if not may_be_paid:
                raise
            self._file = self._spool.open_new()
        if may_be_paid and self._unpacker.is_packed:
            self._packed = self._spool.open_new()
        if self._request.on_begin and is_good:
            self._request.on_begin()
        if self._request.into and head.status == 200:
            self._file = self._spool.open(self._request.into)
        elif not self._request.into:
            self._is_undecided = is_good and self._file is None

    def take(self, part: bytes | bytearray) -> None:
        """Take the next part. Raises OSError, and ProviderError or ImageError above a limit."""
        if self._packed:
            self._packed.write(part)
        try:
            for plain in self._unpacker.feed(part):
                self._size += len(plain)
                if self._size > MAX_BYTES:
                    size = f"larger than {MAX_BYTES >> 20} MiB"
                    raise ProviderError(f"the answer from {self._host} is {size}")
                self._take_plain(plain)
        except UnpackError:
            if not self._packed:
                raise
            self._keep_packed(self._packed)

    def _keep_packed(self, packed: ReceivedFile) -> None:
        """Go on with an answer that cannot be decompressed as if it were not packed."""
        self._packed = None
        self.drop()
        self._splitter = Splitter(self._spool.open_new, MAX_BYTES)
        self._unpacker, self._file, self._is_undecided = Unpacker("", self._host), packed, False

    def _take_plain(self, part: bytes | bytearray) -> None:
        """Take a decompressed part. The first bytes decide where it goes."""
        if self._is_undecided:
            part = self._beginning + part if self._beginning else part
            if len(part) < MOST_BLANKS and len(part.lstrip(BLANKS)) < BEGINNING:
                self._beginning = bytearray(part)
                return
            self._decide(part)
        if self._file:
            self._file.write(part)
            return
        self._splitter.feed(part)
        if len(self._splitter.kept) > MAX_TEXT_BYTES:
            raise too_large_error(MAX_TEXT_BYTES)

    def _decide(self, beginning: bytes | bytearray) -> None:
        """Choose where a good answer goes, by its first bytes."""
        self._is_undecided = False
        is_text = _is_text(beginning[:MOST_BLANKS], self._head.headers.get("content-type", ""))
        is_worthless = self._request.method == "GET" and sniff(bytes(beginning)) is None
        if not is_text and not is_worthless:
            self._file = self._spool.open_new()

    def end(self) -> None:
        """Finish the answer and report it at once: a later failure cannot lose it."""
        try:
            self._unpacker.close()
        except NetworkError:
            if not self._packed:
                raise
            self._keep_packed(self._packed)
        if self._is_undecided:  # it is short
            self._decide(self._beginning)
            self._take_plain(self._beginning)
        if self._file:
            self._file.close()
        self._splitter.close()
        data = bytes(self._splitter.kept)
        if self._file and not self._request.into:
            data = json.dumps(MARK + os.path.basename(self._file.path)).encode()
        self.reply = Reply(self._head.status, self._head.headers, data)
        self._is_complete = True
        if self._packed:
            self._packed.drop()
        if self._request.on_answer:
            self._request.on_answer(self.reply)

    def drop(self) -> None:
        """Remove the files of an answer that is not complete."""
        if self._is_complete:
            return
        self._splitter.drop()
        for file in (self._file, self._packed):
            if file:
                file.drop()


def _is_text(beginning: bytes | bytearray, content_type: str) -> bool:
    """Whether an answer that begins so is JSON, a stream of events, or blank."""
    start = bytes(beginning.lstrip(BLANKS))
    if not start or start.startswith(TEXT_STARTS):
        return True
    is_whole = len(start) < BEGINNING
    if is_whole and (start.strip() in JSON_WORDS or start.strip().lstrip(b"-").isdigit()):
        return True
    return content_type.startswith("text/event-stream")


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turn errors of this machine and of invalid answers into FluxErrors."""
    host = host_and_port(url)
    try:
        yield
    except ValueError as fault:
        raise ProviderError(f"cannot read the answer from {host}: {root_cause(fault)}") from fault
    except MemoryError as fault:
        raise ResourceError(f"not enough memory for the answer from {host}") from fault
    except OSError as fault:
        message = f"cannot store the answer from {host}: {fault.strerror}"
        if fault.errno in (errno.EMFILE, errno.ENFILE):
            raise NetworkError(message) from fault
        raise DiskError(message) from fault
