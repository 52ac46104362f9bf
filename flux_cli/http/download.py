"""Brings the images of an answer into files: from the spool, a data URI, or a URL.

Images are downloaded without the key. Only an image on the server itself gets it, if that asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from socket import gethostname
from urllib.parse import urljoin

from flux_cli.core.errors import DiskError, FluxError, ImageError, NetworkError, ProviderError
from flux_cli.core.outcome import ImageSource
from flux_cli.core.text import plain
from flux_cli.http.datauri import decode_data_uri
from flux_cli.http.exchange import MAX_BYTES, MAX_SILENCE, Exchanges, HttpRequest
from flux_cli.http.replies import MARK
from flux_cli.http.spool import Spool
from flux_cli.http.trust import credentials, host_and_port, is_same_origin, media_address
from flux_cli.images.containers.registry import inspect, sniff
from flux_cli.images.digests import EchoError, digest_of, digest_of_bytes
from flux_cli.images.pixels.wholeness import examine

MAX_REDIRECTS = 5
MOST_IMAGES = 16  # of an answer, for each image that was asked for; others are not fetched
LARGE = 16 << 20  # bytes; a larger image takes up to 0.1 s to check
REDIRECTS = (301, 302, 303, 307, 308)
WANTS_KEY = (401, 403)
LATE = (403, 404, 425)  # statuses of an image that was just made and is not everywhere yet
GONE = (404, 410)
LATE_RETRIES = 3  # further ones for such an image: about ten seconds in all
BEGINNING = 256  # bytes that show what a received file is


class Downloads:
    """The images of one run.

    `timeout` is in seconds for all images of an answer. `pause_after` sleeps after a failed
    attempt.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        spool: Spool,
        timeout: float,
        retries: int,
        pause_after: Callable[[int], Awaitable[None]],
    ) -> None:
        self._exchanges, self._spool = exchanges, spool
        self._timeout, self._retries, self._pause_after = timeout, retries, pause_after
        self._inspecting = asyncio.Lock()  # each large image takes its size in memory meanwhile

    def deadline(self) -> float:
        """When images must have arrived whose download begins now, in seconds of the loop."""
        return asyncio.get_running_loop().time() + self._timeout

    async def fetch_all(
        self, images: Sequence[Sequence[str]], source: ImageSource
    ) -> list[str | FluxError]:
        """Bring the images of one answer into files, all by one deadline. See `fetch`.

        Returns the path or the error of each, and one error for all above MOST_IMAGES for each of
        the `asked` ones. Raises the error if there is only one image and it has not arrived.
        """
        most = source.asked * MOST_IMAGES
        if source.until is None:
            source = source._replace(until=self.deadline())
        coming = [self._fetch_or_fail(one, source) for one in images[:most]]
        arrived = [await coming[0]] if len(coming) == 1 else await asyncio.gather(*coming)
        if len(images) > most:
            message = f"the answer has {len(images):,} images, and only {most} were fetched"
            arrived.append(ProviderError(message, billed=True, request_id=source.request_id))
        if len(arrived) == 1 and isinstance(arrived[0], FluxError):
            raise arrived[0]
        return arrived

    async def _fetch_or_fail(self, places: Sequence[str], source: ImageSource) -> str | FluxError:
        """The path of an image that may be in several places, or why it is in none of them."""
        fault: FluxError | None = None
        for place in places:
            try:
                path = await self.fetch(place, source)
                self._refuse_echo(path, source)
                if place != places[-1]:
                    await self.check(path)
            except FluxError as error:
                error.request_id = error.request_id or source.request_id
                is_address_better = isinstance(fault, NetworkError)  # it may work later
                fault = fault if is_address_better else error
            else:
                return path
        return fault or ProviderError("the answer has an image without URL or data", billed=True)

    async def fetch(self, place: str, source: ImageSource) -> str:
        """Bring an image of an answer into a file and return its path.

        `place` is a mark of the spool, a data URI, or a URL, which may be relative. Raises
        ImageError if it is no complete image, or one of the request, ProviderError for an unsafe
        URL, NetworkError if the download fails.
        """
        if place.startswith(MARK):
            name = place.removeprefix(MARK)
            path = self._spool.find(name)
            if path is None:
                problem = "is not in the state folder" if name else "is not valid base64"
                message = f"the image in the answer {problem}"
                raise ImageError(message, billed=True, request_id=source.request_id)
            return self._decoded(path)
        if place[:5].lower() == "data:":
            return self._keep(_decode(place))
        if digest_of(place) in source.sent:  # the URL of a reference, which the provider has read
            raise _echo_error(source)
        if source.until is None:
            source = source._replace(until=self.deadline())
        return await self._download(place, source)

    def _refuse_echo(self, path: str, source: ImageSource) -> None:
        """Raise EchoError if a received file is an image of the request."""
        if not source.sent:
            return
        with contextlib.suppress(OSError):
            if digest_of_bytes(self._spool.read(path)) in source.sent:
                raise _echo_error(source)

    def beginning(self, path: str) -> bytes:
        """The first bytes of a received file; b"" if it cannot be read."""
        try:
            return self._spool.head(path, BEGINNING)
        except OSError:
            return b""

    async def check(self, path: str) -> None:
        """Check that a received file is a whole image. Raises ImageError, NetworkError."""
        try:
            await self._inspect(path)
        except OSError as fault:
            raise NetworkError(f"cannot read the file: {fault.strerror}") from fault

    def _decoded(self, path: str) -> str:
        """The path of a received image, which is decoded if its file has a text.

        Raises ImageError for a long text that looks like base64 and is not.
        """
        head = self.beginning(path)
        text = head.strip()
        is_uri = text[:5].lower() == b"data:"
        if sniff(head) is not None or not (is_uri or _is_base64(text)):
            return path
        try:
            whole = self._spool.read(path).decode("ascii").strip()
            data = _decode(whole if is_uri else f"data:;base64,{whole}")
        except (OSError, ValueError):
            return path
        except ImageError:
            if len(text) < BEGINNING // 2:  # a word
                return path
            raise
        return path if sniff(data[:BEGINNING]) is None else self._keep(data)

    def _keep(self, data: bytes) -> str:
        """The path of a new file with these bytes. Raises DiskError."""
        try:
            return self._spool.keep(data)
        except OSError as fault:
            raise DiskError(f"cannot store the image: {fault.strerror}", billed=True) from fault

    async def _download(self, url: str, source: ImageSource) -> str:
        """Download an image, with retries. Returns its path."""
        address = _address(url, source)
        fault: FluxError = NetworkError("not attempted")
        attempt = 0
        try:
            async with asyncio.timeout_at(source.until):
                while True:
                    try:
                        return await self._fetch(address, source)
                    except (NetworkError, ImageError) as error:
                        fault = error
                    if attempt >= self._most_retries(fault, source):
                        break
                    await self._pause_after(attempt)
                    attempt += 1
        except TimeoutError:
            fault = NetworkError(f"not within {self._timeout:g} s")
        except (DiskError, ProviderError) as error:  # a retry would not help
            fault = error
        raise _lost_image_error(fault, address, source) from fault

    def _most_retries(self, fault: FluxError, source: ImageSource) -> int:
        """How often a download is retried. One that is only late has more time."""
        is_late = source.is_fresh and fault.status in LATE
        return self._retries + LATE_RETRIES if is_late and self._retries else self._retries

    async def _fetch(self, address: str, source: ImageSource) -> str:
        """GET an image into a file, following redirects. Raises NetworkError or ImageError."""
        path, is_whole = self._spool.new(), False
        key: dict[str, str] = {}
        can_get_key = source.auth is not None and is_same_origin(address, source.base)
        try:
            for _ in range(MAX_REDIRECTS + 2):
                request = HttpRequest("GET", address, key, silence=MAX_SILENCE, into=path)
                reply = await self._exchanges.exchange(request)
                if can_get_key and reply.status in WANTS_KEY:
                    key, can_get_key = credentials(address, source.auth), False
                    continue
                if reply.status not in REDIRECTS:
                    break
                target = urljoin(address, reply.headers.get("location", ""))
                address = media_address(target, source.base, gethostname())
                key, can_get_key = {}, False
            if reply.status != 200:
                message = f"{host_and_port(address)} answered HTTP {reply.status}"
                raise NetworkError(message, status=reply.status)
            await self._inspect(path)
            is_whole = True
        except OSError as fault:  # such as too many open files: a retry may help
            raise NetworkError(f"cannot read the file: {fault.strerror}") from fault
        finally:
            if not is_whole:
                self._spool.release(path)
        return path

    async def _inspect(self, path: str) -> None:
        """Check that a file is a whole image. Raises OSError, and ImageError if it is not.

        A large one is read in a thread, and one that is not sound, because it is decoded: other
        requests, and Ctrl-C, must not wait for it.
        """
        if self._spool.size(path) <= LARGE:
            with contextlib.suppress(ImageError):
                inspect(self._spool.read(path))
                return
        async with self._inspecting:
            await asyncio.to_thread(self._inspect_now, path)

    def _inspect_now(self, path: str) -> None:
        examine(self._spool.read(path))


def _echo_error(source: ImageSource) -> EchoError:
    message = "the answer only repeats an image of the request"
    return EchoError(message, billed=True, request_id=source.request_id)


def _decode(uri: str) -> bytes:
    """The bytes in a data URI, whose scheme may be in capitals. Raises ImageError."""
    return decode_data_uri(f"data:{uri[5:]}", MAX_BYTES)


def _is_base64(text: bytes) -> bool:
    """Whether the beginning of a file may be that of a base64 text."""
    packed = b"".join(text.splitlines())
    return bool(packed) and packed.translate(None, b"+/=-_").isalnum()


def _address(url: str, source: ImageSource) -> str:
    """The URL of an image. Raises ProviderError, with advice, if it is unsafe."""
    try:
        return media_address(url, source.base, gethostname())
    except ProviderError as error:
        error.hint = source.advice
        raise


def _lost_image_error(fault: FluxError, address: str, source: ImageSource) -> FluxError:
    """The error for an image that is paid for and was not downloaded."""
    is_kept = isinstance(fault, DiskError | ImageError | ProviderError)
    kind = type(fault) if is_kept else NetworkError
    where = f"it may still be available for a while: {plain(address, 2000)}"
    if fault.status in GONE:
        where = f"the server does not have it: {plain(address, 2000)}"
    return kind(
        f"the image was made but could not be downloaded: {fault}",
        hint="; or: ".join(filter(None, (where, source.advice))),
        billed=True,
        status=fault.status,
        request_id=source.request_id,
    )
