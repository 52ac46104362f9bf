"""Makes small copies of images as data URIs, for pages that load nothing."""

import io
from base64 import b64encode
from typing import NamedTuple

from flux_cli.images.pixels.pillow import catch_faults
from flux_cli.images.pixels.thumbnails import small

QUALITY = 78
METHOD = 2  # of 6: the others take several times as long for a few percent


class Embedded(NamedTuple):
    """A small copy of an image. Width and height are in pixels."""

    uri: str
    width: int
    height: int


def embed(path: str, side: int) -> Embedded:
    """A copy of the image in a file, with sides of at most `side` pixels. Raises ImageError."""
    copy, stream = small(path, (side, side)), io.BytesIO()
    with catch_faults("cannot be shown"):
        copy.save(stream, "webp", quality=QUALITY, method=METHOD)
    data = b64encode(stream.getvalue()).decode("ascii")
    return Embedded(f"data:image/webp;base64,{data}", copy.width, copy.height)
