"""One request and its answer: what is sent, who receives the answer, and within which limits.

Nothing here touches the network: `wire/network` does, and `in_process` answers without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from typing import Protocol

from flux_cli.core.errors import DiskError, FluxError, NetworkError, ProviderError, ResourceError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Reply
from flux_cli.http.datauri import too_large_error
from flux_cli.http.errors import root_cause
from flux_cli.http.replies import MARK
from flux_cli.http.replies.parse import BEGINNING, BLANKS, is_text
from flux_cli.http.splitter import Splitter
from flux_cli.http.spool import ReceivedFile, Spool
from flux_cli.http.trust import host_and_port
from flux_cli.http.unpack import Unpacker, UnpackError
from flux_cli.http.wire.body import Content
from flux_cli.images.containers.registry import sniff

MAX_BYTES = 128 << 20  # of one answer; the largest known image is 8 MB
MAX_TEXT_BYTES = 8 << 20  # of one answer without its images
MOST_BLANKS = 4096  # bytes before them
MAX_SILENCE = 60.0  # seconds without data while an answer or a finished image is read
GIVEN_UP = "flux stopped waiting before the answer was complete"


class HttpRequest(NamedTuple):
    """One HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: Content | None = None
    silence: float | None = None  # seconds without data before giving up; None: no limit
    into: str | None = None  # path for the body of a good answer; None: the body is JSON
    # Called as soon as the answer is complete, or as complete as it gets: see `Inbox.end_early`.
    on_answer: Callable[[Reply], None] | None = None
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


class Exchanges:
    """The exchanges of one run, all through one sender."""

    def __init__(self, spool: Spool, sender: Sender) -> None:
        self._spool, self._sender = spool, sender

    async def close(self) -> None:
        """Close all connections."""
        await self._sender.close()

    async def exchange(self, request: HttpRequest) -> Reply:
        """Send one request and read the answer.

        What has arrived of an answer that is paid for is returned even if its end is missing. It is
        reported, too, if this is canceled meanwhile.

        Raises UnreachableError if nothing was sent, NetworkError if the connection broke later,
        ProviderError or ImageError for answers above a limit, DiskError if they cannot be stored.
        """
        inbox = Inbox(request, self._spool)
        with _translated_errors(request.url):
            try:
                await self._sender.send(request, inbox)
            except NetworkError as fault:
                if not inbox.end_early(fault.message):
                    raise
            except asyncio.CancelledError:  # Ctrl-C, or no time is left
                inbox.end_early(GIVEN_UP)
                raise
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
        self._is_complete = self._has_data = False
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
        is_good, may_be_paid = self._is_good, self._may_be_paid
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
        self._has_data = self._has_data or bool(part)
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
        starts_as_text = is_text(
            beginning[:MOST_BLANKS], self._head.headers.get("content-type", "")
        )
        is_worthless = self._request.method == "GET" and sniff(bytes(beginning)) is None
        if not starts_as_text and not is_worthless:
            self._file = self._spool.open_new()

    def end(self) -> None:
        """Finish the answer and report it at once: a later failure cannot lose it."""
        self._finish("")

    def end_early(self, reason: str) -> bool:
        """Finish an answer whose end may never arrive, for a `reason` that is a sentence.

        What there is of a good answer to a POST is reported, because it is paid for. Everything
        else is dropped. Returns whether there is a reply.
        """
        is_wanted = self._may_be_paid and self._request.on_answer is not None
        if not self._is_complete and is_wanted and self._has_content():
            with contextlib.suppress(OSError, FluxError):  # the reason is what counts
                self._finish(reason)
        self.drop()
        return self._is_complete

    @property
    def _is_good(self) -> bool:
        return 200 <= self._head.status < 300

    @property
    def _may_be_paid(self) -> bool:
        return self._is_good and self._request.method == "POST"

    def _has_content(self) -> bool:
        """Whether anything but blanks has arrived."""
        if self._file or self._packed:
            return self._has_data
        text = self._beginning if self._is_undecided else self._splitter.kept
        return bool(text.strip(BLANKS))

    def _finish(self, broken: str) -> None:
        """Build the reply and report it. `broken` says why its end may be missing."""
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
        self.reply = Reply(self._head.status, self._head.headers, data, broken=broken)
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


@contextlib.contextmanager
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
