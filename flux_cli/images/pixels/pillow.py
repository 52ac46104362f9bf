"""Opens and saves images with Pillow: its plug-ins and its exceptions.

`Image.open` loads five plug-ins to find the right one (16 ms in a fresh process), and forty for
WebP or AVIF (36 ms). The format is already known here, so only its plug-in is loaded, by name
(1 to 6 ms).
"""

import contextlib
import importlib
import io
import struct
from collections.abc import Iterator, Mapping
from types import ModuleType

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile as PillowFile

from flux_cli.core.errors import ImageError
from flux_cli.images.formats import FORMATS

ORIENTATION = 0x0112  # the EXIF tag
SIDEWAYS = range(5, 9)  # values of it that swap width and height
# What Pillow raises for damaged bytes: RuntimeError comes from AVIF, SyntaxError from PNG.
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
    """Turn everything that Pillow raises into an ImageError that says what failed."""
    try:
        yield
    except FAULTS as fault:
        raise ImageError(f"the image {what}: {fault}") from fault


def open_image(data: bytes, file_format: str | None) -> PillowFile:
    """Open bytes of a known format, without decoding them. Raises the exceptions in FAULTS."""
    if file_format is None:
        raise UnidentifiedImageError("its format is unknown")
    plugin, name = _load_plugin(file_format), FORMATS[file_format].plugin
    image: PillowFile = getattr(plugin, f"{name}ImageFile")(io.BytesIO(data))
    return image


def _load_plugin(file_format: str) -> ModuleType:
    """The plug-in for a format. Raises ImportError if its library cannot be loaded.

    Pillow itself would only say that the format is not supported.
    """
    plugin = importlib.import_module(f"PIL.{FORMATS[file_format].plugin}ImagePlugin")
    if not getattr(plugin, "SUPPORTED", True):
        from PIL import features  # rarely needed

        library, _ = features.modules[file_format]
        importlib.import_module(library)  # says why
        raise MemoryError  # there was not enough for it a moment ago
    return plugin


def save(image: Image.Image, file_format: str, settings: Mapping[str, object]) -> bytes:
    """Encode an image as the bytes of a file. `settings` are those of Pillow's `save`.

    Pillow keeps the settings in the image meanwhile, so no other thread may save the same one.
    """
    _load_plugin(file_format)
    file = _File(f"image.{FORMATS[file_format].suffix}")
    image.save(file, None, **settings)
    return file.getvalue()


class _File(io.BytesIO):
    """Bytes with a name. By its suffix, Pillow finds the one plug-in that it needs to load."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
