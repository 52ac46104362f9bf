"""Brings the images of an answer into files: from the spool, a data URI, or a URL.

Images are downloaded without the key.
"""

import asyncio
from collections.abc import Awaitable, Callable
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


class Downloads:
    """The images of one run.

    `timeout` is in seconds per image. `pause_after` sleeps after a failed attempt.
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

    async def fetch(self, source: str, base: str, request_id: str = "") -> str:
        """Bring an image of an answer into a file and return its path.

        `source` is a mark of the spool, a data URI, or a URL, which may be relative to `base`.
        `request_id` is for errors. Raises ImageError if it is not a complete image, ProviderError
        for an unsafe URL, NetworkError if the download fails.
        """
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
        return await self._download(source, base, request_id)

    async def _download(self, url: str, base: str, request_id: str = "") -> str:
        """Download an image, with retries and without a key. Returns its path."""
        address = media_address(url, base)
        fault: FluxError = NetworkError("not attempted")
        try:
            async with asyncio.timeout(self._timeout):
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
                address = media_address(urljoin(address, reply.headers.get("location", "")), base)
            if reply.status != 200:
                message = f"{host_and_port(address)} answered HTTP {reply.status}"
                raise NetworkError(message, status=reply.status)
            inspect(self._spool.read(path))  # just written, so still in memory
            is_whole = True
        except OSError as fault:  # such as too many open files: a retry may help
            raise NetworkError(f"cannot read the file: {fault.strerror}") from fault
        finally:
            if not is_whole:
                self._spool.release(path)
        return path


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
