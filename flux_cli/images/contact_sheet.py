"""Makes a contact sheet of saved images, as an image file. `sheet` computes its layout."""

from __future__ import annotations

from collections.abc import Sequence

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json


class SheetImage(NamedTuple):
    """One image of a sheet, and what its caption shows."""

    path: str
    number: int
    seed: Json = None
    label: str = ""


def make_sheet(
    images: Sequence[SheetImage], file_format: str, quality: int | None
) -> tuple[ImageFile, tuple[ImageError, ...]]:
    """The contact sheet of one or more images, and one error per image that cannot be read.

    The cells of unreadable images stay empty. `quality` (0 to 100) is for lossy formats; None means
    the default.
    """
    from flux_cli.images.pixels import thumbnails
    from flux_cli.images.pixels.render import convert
    from flux_cli.images.sheet import caption

    captions = [caption(image.number, image.seed, image.label) for image in images]
    png, faults = thumbnails.draw_sheet([image.path for image in images], captions)
    return convert(png, file_format, quality), faults
