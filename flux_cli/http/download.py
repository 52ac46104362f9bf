"""Brings the images of an answer into files: from the spool, a data URI, or a URL.

Images are downloaded without the key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from socket import gethostname
from urllib.parse import urljoin

from flux_cli.core.errors import DiskError, FluxError, ImageError, NetworkError, ProviderError
from flux_cli.core.text import plain
from flux_cli.http.datauri import decode_data_uri
from flux_cli.http.exchange import MAX_BYTES, MAX_SILENCE, Exchanges, HttpRequest
from flux_cli.http.replies import MARK
from flux_cli.http.spool import Spool
from flux_cli.http.trust import host_and_port, media_address
from flux_cli.images.containers.registry import inspect

MAX_REDIRECTS = 5
MOST_IMAGES = 16  # of an answer, for each image that was asked for; others are not fetched
LARGE = 16 << 20  # bytes; a larger image takes up to 0.1 s to check


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
        self,
        sources: Sequence[str],
        base: str,
        request_id: str,
        *,
        asked: int = 1,
        until: float | None = None,
    ) -> list[str | FluxError]:
        """Bring the images of one answer into files, all by one deadline. See `fetch`.

        Returns the path or the error of each, and one error for all above MOST_IMAGES for each of
        the `asked` ones. Raises the error if there is only one
        source and its image has not arrived.
        """
        most = asked * MOST_IMAGES
        until = self.deadline() if until is None else until
        coming = [self._fetch_or_fail(one, base, request_id, until) for one in sources[:most]]
        arrived = [await coming[0]] if len(coming) == 1 else await asyncio.gather(*coming)
        if len(sources) > most:
            message = f"the answer has {len(sources):,} images, and only {most} were fetched"
            arrived.append(ProviderError(message, billed=True, request_id=request_id))
        if len(arrived) == 1 and isinstance(arrived[0], FluxError):
            raise arrived[0]
        return arrived

    async def _fetch_or_fail(
        self, source: str, base: str, request_id: str, until: float
    ) -> str | FluxError:
        try:
            return await self.fetch(source, base, request_id, until)
        except FluxError as fault:
            fault.request_id = fault.request_id or request_id
            return fault

    async def fetch(
        self, source: str, base: str, request_id: str = "", until: float | None = None
    ) -> str:
        """Bring an image of an answer into a file and return its path.

        `source` is a mark of the spool, a data URI, or a URL, which may be relative to `base`; ""
        if the answer has none. `request_id` is for errors. Raises ImageError if it is not a
        complete image, ProviderError for an unsafe URL, NetworkError if the download fails.
        """
        if not source:
            raise ProviderError("the answer has an image without URL or data", billed=True)
        if source.startswith(MARK):
            name = source.removeprefix(MARK)
            path = self._spool.find(name)
            if path is None:
                problem = "is not in the state folder" if name else "is not valid base64"
                message = f"the image in the answer {problem}"
                raise ImageError(message, billed=True, request_id=request_id)
            return path
        if source.startswith("data:"):
            data = decode_data_uri(source, MAX_BYTES)
            try:
                return self._spool.keep(data)
            except OSError as fault:
                raise DiskError(f"cannot store the image: {fault.strerror}", billed=True) from fault
        until = self.deadline() if until is None else until
        return await self._download(source, base, request_id, until)

    async def _download(self, url: str, base: str, request_id: str, until: float) -> str:
        """Download an image, with retries and without a key. Returns its path."""
        address = media_address(url, base, gethostname())
        fault: FluxError = NetworkError("not attempted")
        try:
            async with asyncio.timeout_at(until):
                for attempt in range(self._retries + 1):
                    try:
                        return await self._fetch(address, base)
                    except (NetworkError, ImageError) as error:
                        fault = error
                        if attempt < self._retries:
                            await self._pause_after(attempt)
        except TimeoutError:
            fault = NetworkError(f"not within {self._timeout:g} s")
        except (DiskError, ProviderError) as error:  # a retry would not help
            fault = error
        raise _lost_image_error(fault, address, request_id) from fault

    async def _fetch(self, address: str, base: str) -> str:
        """GET an image into a file, following redirects. Raises NetworkError or ImageError."""
        path, is_whole = self._spool.new(), False
        try:
            for _ in range(MAX_REDIRECTS + 1):
                request = HttpRequest("GET", address, {}, silence=MAX_SILENCE, into=path)
                reply = await self._exchanges.exchange(request)
                if reply.status not in (301, 302, 303, 307, 308):
                    break
                target = urljoin(address, reply.headers.get("location", ""))
                address = media_address(target, base, gethostname())
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

        A large one is read in a thread: other requests, and Ctrl-C, must not wait for it.
        """
        if self._spool.size(path) <= LARGE:
            inspect(self._spool.read(path))
            return
        async with self._inspecting:
            await asyncio.to_thread(self._inspect_now, path)

    def _inspect_now(self, path: str) -> None:
        inspect(self._spool.read(path))


def _lost_image_error(fault: FluxError, address: str, request_id: str) -> FluxError:
    """The error for an image that is paid for and was not downloaded."""
    is_kept = isinstance(fault, DiskError | ImageError | ProviderError)
    kind = type(fault) if is_kept else NetworkError
    return kind(
        f"the image was made but could not be downloaded: {fault}",
        hint=f"it may still be available for a while: {plain(address, 2000)}",
        billed=True,
        status=fault.status,
        request_id=request_id,
    )
