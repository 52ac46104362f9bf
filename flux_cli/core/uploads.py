"""Images in the body of a request. Their bytes are read as they are sent, not before."""

from __future__ import annotations

import base64

from flux_cli.core.errors import DiskError

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

# How an image is written into a body: its bytes, or its URL if it is uploaded before.
FILE, BASE64, DATA_URI, UPLOADED = "file", "base64", "data_uri", "uploaded"
FORMS = {FILE: "", BASE64: ", as base64", DATA_URI: ", as data URI", UPLOADED: ", uploaded before"}
AGAIN = "nothing was billed: the request was not complete; run the same command again"
PIECE = 3 << 15  # bytes; a multiple of three, so that the base64 of pieces can be joined


class SourceError(DiskError):
    """An image cannot be read while it is sent. A request that is not complete has no effect."""


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
        if not self._is_text:
            return self.content.size
        return len(self._head) + (self.content.size + 2) // 3 * 4

    @property
    def shown(self) -> str:
        """What stands for the image where people read the body."""
        size = f"{self.content.size:,} bytes of {self.mime}"
        return f"<{self.name}: {size}{FORMS[self.encoding]}>"

    def pieces(self) -> Iterator[bytes]:
        """The bytes that are sent, in pieces. Raises SourceError."""
        if self._head:
            yield self._head
        for start in range(0, self.content.size, PIECE):
            piece = self.read(start, PIECE)
            yield base64.b64encode(piece) if self._is_text else piece

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes of the image from `start` on. Raises SourceError."""
        try:
            return self.content.read(start, count)
        except OSError as fault:
            message = f"cannot read {self.name} again to send it: {fault.strerror}"
            raise SourceError(message, hint=AGAIN) from fault

    def uploaded(self) -> Upload:
        """The same image, but uploaded before the request."""
        return Upload(self.content, self.path, self.name, self.mime, UPLOADED)

    @property
    def _is_text(self) -> bool:
        return self.encoding in (BASE64, DATA_URI)

    @property
    def _head(self) -> bytes:
        return f"data:{self.mime};base64,".encode() if self.encoding == DATA_URI else b""


def shown_body(body: Mapping[str, Part]) -> dict[str, Json]:
    """A body as JSON for people and documents, without the images themselves."""
    shown: object = replace_images(body, lambda image: image.shown)
    return shown  # type: ignore[return-value] # texts are JSON


def text_of(image: Upload) -> str:
    """An image as it stands in JSON. Raises SourceError."""
    return b"".join(image.pieces()).decode()


def replace_images(body: Mapping[str, Part], change: Callable[[Upload], Part]) -> dict[str, Part]:
    """A body with what `change` makes of each image in its place."""
    return {name: _replaced(value, change) for name, value in body.items()}


def uploaded_images(body: Mapping[str, Part]) -> list[Upload]:
    """The images of a body that are uploaded before, in their order; equal ones only once."""
    found: dict[str, Upload] = {}

    def collect(image: Upload) -> Upload:
        if image.encoding == UPLOADED:
            found.setdefault(image.content.digest, image)
        return image

    replace_images(body, collect)
    return list(found.values())


def _replaced(value: Part, change: Callable[[Upload], Part]) -> Part:
    if isinstance(value, Upload):
        return change(value)
    if isinstance(value, dict):
        return replace_images(value, change)
    if isinstance(value, list):
        return [_replaced(item, change) for item in value]
    return value
