"""An image file as flux handles it: what is known of it, and its bytes."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple


class Inspection(NamedTuple):
    """What is known of an image without decoding it: format, width and height in pixels, bytes.

    `upright` is False where EXIF turns or mirrors the image; width and height are then those of the
    image as people see it.
    """

    format: str
    width: int
    height: int
    size: int
    upright: bool = True


class ImageFile(NamedTuple):
    """One finished image.

    `pieces` are the bytes of the file where something was put between slices of `data`, so that the
    image is not held twice.
    """

    data: bytes
    format: str
    width: int
    height: int
    as_received: bool  # False: decoded and encoded by flux
    pieces: tuple[bytes | memoryview, ...] = ()

    @property
    def parts(self) -> tuple[bytes | memoryview, ...]:
        """The bytes of the file, one part after the other."""
        return self.pieces or (self.data,)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return sum(len(part) for part in self.parts)
