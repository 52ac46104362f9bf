"""Encodes the bodies of POSTs: JSON, or a form. Images are read while they are sent."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flux_cli.core.request import FORM
from flux_cli.core.uploads import Upload

if TYPE_CHECKING:
    from flux_cli.core.request import Post
    from flux_cli.core.uploads import Body, Part

SUFFIXES = {"image/jpeg": "jpg"}  # where they are not the second half of the media type


class Form(NamedTuple):
    """The fields of a form, as httpx takes them. A file is a name, a reader and a media type."""

    texts: Mapping[str, str]
    files: Sequence[tuple[str, tuple[str, io.RawIOBase, str]]]


class JsonStream:
    """JSON with images in it, as a body that httpx reads piece by piece."""

    def __init__(self, parts: Sequence[bytes | Upload]) -> None:
        self._parts = parts
        self.length = sum(map(_size, parts))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            for piece in part.pieces():
                yield piece


def _size(part: bytes | Upload) -> int:
    return part.size if isinstance(part, Upload) else len(part)


Content: TypeAlias = bytes | JsonStream | Form


def encode(post: Post) -> Content:
    """The body of a POST, as it is sent. It can be sent again."""
    if not post.uploads:
        return _json(post.body).encode()
    return _form(post.body) if post.uploads == FORM else stream_json(post.body)


def _json(body: Body, stand_in: Callable[[Upload], str] | None = None) -> str:
    """The body as JSON, with what `stand_in` makes of each image in its place."""
    return json.dumps(
        body,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
        default=stand_in,
    )


def stream_json(body: Body) -> JsonStream:
    """A body as JSON in parts: in the places of images are marks, until they are sent."""
    mark = token_hex(16)
    uploads: list[Upload] = []

    def stand_in(upload: Upload) -> str:
        uploads.append(upload)
        return mark

    first, *others = _json(body, stand_in).encode().split(mark.encode())
    parts: list[bytes | Upload] = [first]
    for upload, part in zip(uploads, others, strict=True):
        parts += [upload, part]
    return JsonStream(parts)


def _form(body: Body) -> Form:
    """The body as a form. Images of one name are several fields."""
    texts: dict[str, str] = {}
    files: list[tuple[str, tuple[str, io.RawIOBase, str]]] = []
    for name, value in body.items():
        images = _images(value)
        for image in images:
            suffix = SUFFIXES.get(image.mime, image.mime.partition("/")[2])
            # Names of files are nobody's business, but servers look at their suffix.
            file_name = f"image-{len(files) + 1}.{suffix}"
            files.append((name, (file_name, _Reader(image), image.mime)))
        if not images:
            is_text = isinstance(value, str)
            texts[name] = str(value) if is_text else json.dumps(value, allow_nan=False)
    return Form(texts, files)


def _images(value: Part) -> list[Upload]:
    """The images in a field of a form."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, Upload)]


class _Reader(io.RawIOBase):
    """An image as an open file. httpx reads it from the beginning whenever it sends it."""

    def __init__(self, upload: Upload) -> None:
        self._image, self._at = upload, 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._image.content.size}[
            whence
        ]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        piece = self._image.read(self._at, self._image.content.size if size < 0 else size)
        self._at += len(piece)
        return piece
