"""Reads what `flux show` prints about an image, such as colors, transparency and frames.

Everything comes from the container; nothing is decoded.
"""

from __future__ import annotations

from flux_cli.core.errors import ImageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import Colors
from flux_cli.images.containers.registry import CONTAINERS, inspect, read_blocks
from flux_cli.images.metadata import exif

MAX_NAME = 100  # characters of a profile's name
MAX_TAGS = 100  # of a profile


class ImageDetails(NamedTuple):
    """One image. `profile` names its ICC profile; `orientation` is EXIF's, 1 for upright."""

    format: str
    width: int
    height: int
    size: int  # bytes
    colors: Colors
    profile: str
    orientation: int

    @property
    def color_space(self) -> str:
        """The name of the profile or color space; "" if there is none, which means sRGB."""
        return self.profile or self.colors.space


def read_details(data: bytes) -> ImageDetails:
    """Read the details of a complete image. Raises ImageError for anything else."""
    image = inspect(data)
    container = CONTAINERS[image.format]
    profile, orientation = "", 1
    try:
        for block in read_blocks(image.format, data):
            if block.kind == "icc":
                profile = profile_name(block.data) or "unnamed ICC profile"
            elif block.kind == "exif":
                orientation = exif.number(block.data, exif.ORIENTATION) or 1
        colors = container.colors(data)
    except (ValueError, IndexError) as fault:
        raise ImageError(f"the parts of the {image.format} image do not add up: {fault}") from fault
    size = image.width, image.height, image.size
    return ImageDetails(image.format, *size, colors, profile, orientation)


def profile_name(icc: bytes) -> str:
    """The description in an ICC profile, of version 2 (ASCII) or 4 (UTF-16); "" for none."""
    count = min(int.from_bytes(icc[128:132], "big"), MAX_TAGS)
    for at in range(132, 132 + 12 * count, 12):
        if icc[at : at + 4] == b"desc":
            start = int.from_bytes(icc[at + 4 : at + 8], "big")
            length = int.from_bytes(icc[at + 8 : at + 12], "big")
            return _description(icc[start : start + length]).strip("\0 ")[:MAX_NAME]
    return ""


def _description(tag: bytes) -> str:
    """The text of a description, in the first of its languages."""
    if tag[:4] == b"mluc":
        length, offset = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        return tag[offset : offset + length].decode("utf-16-be", "replace")
    if tag[:4] == b"desc":
        return tag[12 : 12 + int.from_bytes(tag[8:12], "big")].decode("latin-1")
    return ""
