"""Images in the body of a request. Their bytes are read as they are sent, not before."""

from __future__ import annotations

import base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Protocol, TypeAlias

    from flux_cli.core.model import Json

    # A value in the body of a request.
    Part: TypeAlias = "Json | Upload | list[Part] | Mapping[str, Part]"
    Body: TypeAlias = Mapping[str, Part]
else:
    Protocol = object

FILE, BASE64, DATA_URI = "file", "base64", "data_uri"  # how an image is written into a body
PIECE = 3 << 15  # bytes; a multiple of three, so that the base64 of pieces can be joined


class Content(Protocol):
    """Bytes that are kept somewhere: see `disk.scratch`. `digest` is their SHA-256 in hex."""

    size: int
    digest: str

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes from `start` on. Raises OSError."""


class Upload:
    """One image in a body, and its media type. `name` is that of its file, and `path` as typed."""

    __slots__ = ("content", "encoding", "mime", "name", "path")

    def __init__(self, content: Content, path: str, name: str, mime: str, encoding: str) -> None:
        self.content, self.mime, self.encoding = content, mime, encoding
        self.path, self.name = path, name

    @property
    def size(self) -> int:
        """How many bytes are sent."""
        if self.encoding == FILE:
            return self.content.size
        return len(self._head) + (self.content.size + 2) // 3 * 4

    @property
    def shown(self) -> str:
        """What stands for the image where people read the body."""
        size = f"{self.content.size:,} bytes of {self.mime}"
        form = "" if self.encoding == FILE else f", as {self.encoding.replace('_', ' ')}"
        return f"<{self.name}: {size}{form.replace('uri', 'URI')}>"

    def pieces(self) -> Iterator[bytes]:
        """The bytes that are sent, in pieces. Raises OSError."""
        if self._head:
            yield self._head
        for start in range(0, self.content.size, PIECE):
            piece = self.content.read(start, PIECE)
            yield piece if self.encoding == FILE else base64.b64encode(piece)

    @property
    def _head(self) -> bytes:
        return f"data:{self.mime};base64,".encode() if self.encoding == DATA_URI else b""


def shown_body(body: Mapping[str, Part]) -> dict[str, Json]:
    """A body as JSON for people and documents, without the images themselves."""
    return with_texts(body, lambda upload: upload.shown)


def whole_body(body: Mapping[str, Part]) -> dict[str, Json]:
    """A body as JSON, with the images themselves. Raises OSError."""
    return with_texts(body, lambda upload: b"".join(upload.pieces()).decode())


def with_texts(body: Mapping[str, Part], write: Callable[[Upload], str]) -> dict[str, Json]:
    """A body as JSON, with what `write` makes of each image in its place."""
    return {name: _with_texts(value, write) for name, value in body.items()}


def _with_texts(value: Part, write: Callable[[Upload], str]) -> Json:
    if isinstance(value, Upload):
        return write(value)
    if isinstance(value, dict):
        return with_texts(value, write)
    if isinstance(value, list):
        return [_with_texts(item, write) for item in value]
    return value  # type: ignore[return-value] # everything else is JSON
