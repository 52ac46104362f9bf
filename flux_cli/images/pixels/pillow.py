"""Opens and saves images with Pillow: its plug-ins and its exceptions.

`Image.open` loads five plug-ins to find the right one (16 ms in a fresh process), and forty for
WebP or AVIF (36 ms). The format is already known here, so only its plug-in is loaded, by name
(1 to 6 ms).
"""

import contextlib
import importlib
import io
import struct
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile as PillowFile

from flux_cli.core.errors import ImageError
from flux_cli.images.formats import FORMATS
from flux_cli.images.outputs import MAX_PIXELS

# How an image is turned upright, by its orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
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
    if file_format not in FORMATS:
        raise UnidentifiedImageError("flux cannot decode its format")
    plugin, name = _load_plugin(file_format), FORMATS[file_format].plugin
    image: PillowFile = getattr(plugin, f"{name}ImageFile")(io.BytesIO(data))
    return image


def turn(image: Image.Image, orientation: int) -> Image.Image:
    """The image upright; it is not copied if it is upright already."""
    if orientation not in TURNS:
        return image
    turned = image.transpose(TURNS[orientation])
    turned.info = image.info
    return turned


@contextlib.contextmanager
def opened(data: bytes, file_format: str | None) -> Iterator[PillowFile]:
    """Open an image like `open_image`, without Pillow's warnings about odd files.

    Raises ImageError if it has more pixels than allowed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = open_image(data, file_format)
        check_pixels(file_format, *source.size)
        yield source


def check_pixels(file_format: str | None, width: int, height: int) -> None:
    """Raise ImageError for more pixels than flux decodes.

    A JPEG can be decoded at a smaller scale, so only memory limits it: see `memory`.
    """
    if width * height > MAX_PIXELS and file_format != "jpeg":
        message = f"the image has {width}x{height} pixels; the limit is {MAX_PIXELS:,}"
        raise ImageError(message, hint="only a JPEG can have more")


def can_use(file_format: str) -> bool:
    """Whether this build of Pillow has the library for a format."""
    try:
        _load_plugin(file_format)
    except ImportError:
        return False
    return True


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
