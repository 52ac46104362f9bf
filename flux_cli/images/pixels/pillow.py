"""What is to know of Pillow: what it raises for other people's files, how EXIF turns them, and what costs nothing.

`Image.open` loads five plug-ins to find the one, and forty where it is WebP or AVIF: 16 and 36 ms in a fresh process,
where the one takes 1 to 6. What the bytes are is known before, so the one is asked for by name.
"""

import contextlib
import importlib
import io
import struct
from collections.abc import Iterator, Mapping

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile as PillowFile

from flux_cli.core.errors import ImageError
from flux_cli.images.formats import FORMATS

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
def catch_faults(what: str) -> Iterator[None]:
    """The one boundary to Pillow: whatever it raises becomes a ImageError saying what could not be done."""
    try:
        yield
    except FAULTS as fault:
        raise ImageError(f"the image {what}: {fault}") from fault


def open_image(data: bytes, file_format: str | None) -> PillowFile:
    """The first image of bytes known to be of a format, still undecoded. Raises what is in FAULTS."""
    if file_format is None:
        raise UnidentifiedImageError("its format is unknown")
    name = FORMATS[file_format].plugin
    plugin = importlib.import_module(f"PIL.{name}ImagePlugin")
    image: PillowFile = getattr(plugin, f"{name}ImageFile")(io.BytesIO(data))
    return image


def save(image: Image.Image, file_format: str, settings: Mapping[str, object]) -> bytes:
    """An image as the bytes of a file."""
    file = _File(f"image.{FORMATS[file_format].suffix}")
    # Pillow keeps the settings of a save in the image itself, and other threads may be saving the same one.
    share(image).save(file, None, **settings)
    return file.getvalue()


def share(image: Image.Image) -> Image.Image:
    """The same pixels as an image of its own, plain and read-only: whoever changes it makes a copy first.

    A copy would cost 11 ms for 4 megapixels in a fresh process, a tenth of what making a JPEG of a PNG takes.
    """
    image.load()
    twin = image._new(image.im)  # noqa: SLF001 - what every method of Pillow makes its results with
    twin.readonly = 1
    return twin


class _File(io.BytesIO):
    """Bytes with a name: from its suffix Pillow knows the one plug-in it needs, from a format it does not."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
