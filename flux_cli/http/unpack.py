"""Answers that a server has packed although nobody asked it to, unpacked step by step: 64 kB can hold 64 MB."""

import zlib
from collections.abc import Iterator

from flux_cli.core.errors import NetworkError, ProviderError
from flux_cli.core.text import plain

STEP = 1 << 16  # bytes
EITHER, BARE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS  # gzip or zlib, whichever it is; what some call deflate
GZIP = b"\x1f"  # begins a member


class Unpacker:
    """Takes the body of an answer in parts. `host` is named in errors."""

    def __init__(self, encoding: str, host: str) -> None:
        """Raises ProviderError for packings that flux does not know."""
        name = encoding.strip().lower()
        if name in ("br", "zstd", "compress", "x-compress") or "," in name:
            raise ProviderError(f"the answer of {host} is packed as {plain(name, 40)!r}")
        self._host, self._packed, self._begun = host, name in ("gzip", "x-gzip", "deflate"), False
        self._begin, self._bare = b"", name != "deflate"
        if self._packed:
            self._inflate = zlib.decompressobj(EITHER)

    def feed(self, raw: bytes | bytearray) -> Iterator[bytes | bytearray]:
        """What the next part holds, in steps. Raises ProviderError for what cannot be unpacked."""
        if not self._packed:
            yield raw
            return
        self._begun = self._begun or bool(raw)
        while raw:
            if self._inflate.eof:
                if not raw.startswith(GZIP):  # padding
                    return
                self._inflate = zlib.decompressobj(EITHER)
            yield self._step(raw)
            raw = self._inflate.unused_data or self._inflate.unconsumed_tail

    def close(self) -> None:
        """Raises NetworkError where the end is missing."""
        if self._packed and self._begun and not self._inflate.eof:
            raise NetworkError(f"the answer of {self._host} is cut short")

    def _step(self, raw: bytes | bytearray) -> bytes:
        try:
            part = self._inflate.decompress(raw, STEP)
        except zlib.error as fault:
            if self._bare:
                raise ProviderError(f"the answer of {self._host} cannot be unpacked: {fault}") from fault
            self._bare, self._inflate = True, zlib.decompressobj(BARE)  # many servers leave the zlib header out
            return self._step(self._begin + raw)
        self._bare = self._bare or bool(part)
        self._begin = b"" if self._bare else self._begin + raw
        return part
