"""Decompresses answers step by step. Servers may compress unasked, and 64 kB can hold 64 MB."""

import zlib
from collections.abc import Iterator

from flux_cli.core.errors import NetworkError, ProviderError
from flux_cli.core.text import plain

STEP_BYTES = 1 << 16
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
RAW_DEFLATE = -zlib.MAX_WBITS
GZIP_START = b"\x1f"
ZLIB_METHOD = 8  # the lower half of the first byte of zlib data
UNSUPPORTED = ("br", "zstd", "compress", "x-compress")


class UnpackError(ProviderError):
    """Data that is not what its content encoding says."""


class Unpacker:
    """Takes the body of an answer in parts. `host` appears in error messages."""

    def __init__(self, encoding: str, host: str) -> None:
        """`encoding` is the Content-Encoding. Raises ProviderError if flux does not support it."""
        name = encoding.strip().lower()
        if name in UNSUPPORTED or "," in name:
            problem = f"an unsupported content encoding: {plain(name, 40)!r}"
            raise ProviderError(f"the answer from {host} has {problem}")
        self._host = host
        self._is_packed = name in ("gzip", "x-gzip", "deflate")
        self._has_begun = False
        self._begin = b""  # kept while "deflate" may mean either format
        self._format_is_known = name != "deflate"
        if self._is_packed:
            self._inflate = zlib.decompressobj(GZIP_OR_ZLIB)

    @property
    def is_packed(self) -> bool:
        """Whether the data has to be decompressed, as far as its label says."""
        return self._is_packed

    def feed(self, raw: bytes | bytearray) -> Iterator[bytes | bytearray]:
        """Decompress the next part, step by step. Raises UnpackError for invalid data."""
        if not self._is_packed:
            yield raw
            return
        if raw and not self._has_begun:
            self._has_begun = True
            if self._format_is_known and not _begins_packed(raw):  # a wrong label
                self._is_packed = False
                yield raw
                return
        while raw:
            if self._inflate.eof:
                if not raw.startswith(GZIP_START):  # padding
                    return
                self._inflate = zlib.decompressobj(GZIP_OR_ZLIB)
            yield self._step(raw)
            raw = self._inflate.unused_data or self._inflate.unconsumed_tail

    def close(self) -> None:
        """Raise NetworkError if the end of the data is missing."""
        if self._is_packed and self._has_begun and not self._inflate.eof:
            raise NetworkError(f"the answer from {self._host} is cut short")

    def _step(self, raw: bytes | bytearray) -> bytes:
        try:
            part = self._inflate.decompress(raw, STEP_BYTES)
        except zlib.error as fault:
            if self._format_is_known:
                message = f"the answer from {self._host} cannot be decompressed: {fault}"
                raise UnpackError(message) from fault
            self._format_is_known = True
            # Many servers leave the zlib header out.
            self._inflate = zlib.decompressobj(RAW_DEFLATE)
            return self._step(self._begin + raw)
        self._format_is_known = self._format_is_known or bool(part)
        self._begin = b"" if self._format_is_known else self._begin + raw
        return part


def _begins_packed(raw: bytes | bytearray) -> bool:
    """Whether data may begin as gzip or zlib. JSON and images do not."""
    return raw.startswith(GZIP_START) or raw[0] & 0xF == ZLIB_METHOD
