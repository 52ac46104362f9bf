"""What is to know of Pillow: what it raises for other people's files, and how EXIF turns them."""

import contextlib
import struct
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

from flux_cli.core.errors import PictureError

ORIENTATION = 0x0112  # the EXIF tag
SIDEWAYS = range(5, 9)  # values of it that swap width and height
# What Pillow's readers raise for damaged bytes, by format: RuntimeError is AVIF's, SyntaxError PNG's.
FAULTS = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    EOFError,
    OverflowError,
    struct.error,
)


@contextlib.contextmanager
def pillow(what: str) -> Iterator[None]:
    """The one boundary to Pillow: whatever it raises becomes a PictureError saying what could not be done."""
    try:
        yield
    except FAULTS as fault:
        raise PictureError(f"the picture {what}: {fault}") from fault
