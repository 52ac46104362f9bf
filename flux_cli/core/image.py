"""An image file as flux handles it: its known properties and its bytes."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple


class Inspection(NamedTuple):
    """What is known about an image without decoding it.

    Width and height are in pixels, `size` is in bytes. Both sides are 0 if they are unknown, which
    happens only in formats that flux does not make. `upright` is False if EXIF rotates or mirrors
    the image; width and height are then those of the image as people see it. `fault` says what is
    wrong beside the pixels; "" for a sound image.
    """

    format: str
    width: int
    height: int
    size: int
    upright: bool = True
    fault: str = ""


class ImageFile(NamedTuple):
    """One finished image.

    If metadata was inserted between slices of `data`, `pieces` are the bytes of the file, so that
    the image is not in memory twice.
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
