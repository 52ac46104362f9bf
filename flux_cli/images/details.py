"""Reads how the pixels of an image are stored: size, orientation, colors, transparency, frames.

Everything comes from the container; nothing is decoded.
"""

from __future__ import annotations

from contextlib import suppress

from flux_cli.core.image import Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import HDR, Colors, Container
from flux_cli.images.containers.parts import EXIF_HEAD
from flux_cli.images.containers.registry import CONTAINERS, inspect, read_blocks
from flux_cli.images.metadata import exif

ORIENTATIONS = range(1, 9)  # of EXIF
SIDEWAYS = range(5, 9)  # those that swap width and height
MAX_DEPTH = 8  # bits per channel of all files that flux makes
MAX_NAME = 100  # characters of a profile's name
MAX_TAGS = 100  # of a profile


class ImageDetails(NamedTuple):
    """One image. `width` and `height` are those of the stored pixels.

    `profile` names its ICC profile `icc`; `orientation` is EXIF's, 1 for upright.
    """

    format: str
    width: int
    height: int
    size: int  # bytes
    colors: Colors
    profile: str
    orientation: int
    icc: bytes = b""

    @property
    def color_space(self) -> str:
        """The name of the profile or color space; "" if there is none, which means sRGB."""
        if self.colors.has_first_codes:
            return self.colors.space or self.profile
        return self.profile or self.colors.space

    @property
    def inexact(self) -> tuple[str, ...]:
        """What files that flux makes of the pixels cannot hold; empty if they can be lossless."""
        lost = []
        if self.colors.depth > MAX_DEPTH:
            lost.append(f"its {self.colors.depth} bits per channel (8 are written)")
        if self.colors.codes and self.colors.codes[1] in HDR:
            lost.append(f"its HDR colors ({HDR[self.colors.codes[1]]})")
        if self.colors.gain_map:
            lost.append("its HDR gain map")
        return tuple(lost)

    @property
    def lost(self) -> tuple[str, ...]:
        """What a conversion does not keep: also the frames of an animation behind the first."""
        frames = self.colors.frames
        if frames == 1:
            return self.inexact
        count = f" ({frames} frames)" if frames else ""
        return (*self.inexact, f"its animation{count}: only the first frame is written")

    @property
    def seen(self) -> tuple[int, int]:
        """Width and height in pixels of the upright image."""
        return turn_size((self.width, self.height), self.orientation)


def turn_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """A size of stored pixels as that of the upright image, or the other way round."""
    return size[::-1] if orientation in SIDEWAYS else size


def upright(image: Inspection, data: bytes) -> Inspection:
    """What is known about an image as people see it: EXIF may turn it."""
    if image.format not in CONTAINERS:  # flux does not make it, so nothing is planned
        return image
    return as_seen(image, describe(image, data))


def as_seen(image: Inspection, details: ImageDetails) -> Inspection:
    """The image as people see it: like `upright`, with its details at hand."""
    width, height = details.seen
    return image._replace(width=width, height=height, upright=details.orientation == 1)


def read_details(data: bytes) -> ImageDetails:
    """Read the details of a complete image. Raises ImageError for anything else."""
    return describe(inspect(data), data)


def describe(image: Inspection, data: bytes) -> ImageDetails:
    """The details of an image that was inspected already.

    This is the only reader of orientation, depth, frames and color: what is shown, planned and done
    agrees. Metadata that does not add up counts as missing, because it says nothing about pixels.
    """
    container = CONTAINERS[image.format]
    colors, blocks = Colors(), {"icc": b"", "exif": b""}
    with suppress(ValueError, IndexError):
        colors = container.colors(data)
    with suppress(ValueError, IndexError):
        for block in read_blocks(image.format, data):
            if block.kind in blocks:
                blocks[block.kind] = blocks[block.kind] or block.data
    orientation = 1
    with suppress(ValueError, IndexError):
        orientation = _orientation(container, data, blocks["exif"])
    icc = blocks["icc"]
    profile = (profile_name(icc) or "unnamed ICC profile") if icc else ""
    size = image.width, image.height, image.size
    return ImageDetails(image.format, *size, colors, profile, orientation, icc)


def _orientation(container: Container, data: bytes, block: bytes) -> int:
    """The container's own orientation, or that in EXIF; 1 where that is not a valid one."""
    if container.orientation:
        return container.orientation(data)
    found = exif.number(block.removeprefix(EXIF_HEAD), exif.ORIENTATION)
    return found if found is not None and found in ORIENTATIONS else 1


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
