"""Makes masks: images whose transparent parts are to be changed."""

import io
from typing import NamedTuple

from PIL import Image, ImageOps

from flux_cli.core.errors import ImageError
from flux_cli.images.details import read_details
from flux_cli.images.pixels.color import normalize
from flux_cli.images.pixels.pillow import catch_faults, opened, turn

OPAQUE = 255
MARKS_NOTHING = "the mask marks nothing: it has neither transparent nor white parts"
HINT = "make the parts to change transparent, or white on black"


class Mask(NamedTuple):
    """A mask as PNG. `is_inverted`: it was white where it is transparent now."""

    data: bytes
    width: int
    height: int
    is_inverted: bool


def make_mask(data: bytes) -> Mask:
    """The mask in an image: its transparency, or else its white parts as such.

    Raises ImageError for an image that cannot be decoded, or marks nothing.
    """
    details = read_details(data)
    with catch_faults("cannot be read as a mask"):
        with opened(data, details.format) as source:
            pixels = turn(normalize(source, details), details.orientation)
        alpha = pixels.getchannel("A") if "A" in pixels.getbands() else None
        is_inverted = alpha is None or alpha.getextrema()[0] == OPAQUE
        if is_inverted:
            alpha = ImageOps.invert(pixels.convert("L"))
    assert alpha is not None  # noqa: S101 - made above
    if alpha.getextrema()[0] == OPAQUE:
        raise ImageError(MARKS_NOTHING, hint=HINT)
    made = Image.merge("RGBA", (*[Image.new("L", alpha.size)] * 3, alpha))
    stream = io.BytesIO()
    made.save(stream, "PNG", optimize=True)
    return Mask(stream.getvalue(), *made.size, is_inverted)
