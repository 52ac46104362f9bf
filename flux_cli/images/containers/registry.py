"""All containers by format name. Detects the format of bytes and checks that they are complete.

Lengths, checksums and end marks of a container reveal truncation within microseconds per
megabyte. A full decode would cost a hundred times as much and still miss cuts in the last bytes of
PNG and GIF.

A file that fails this check may still hold all its pixels: `look` leaves out what is damaged beside
them. Whether a decoder finds all pixels is checked in `pixels/wholeness.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import islice

from flux_cli.core.errors import ImageError
from flux_cli.core.image import Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import Block, Container
from flux_cli.images.containers.parts import MAX_CONTENT, TooManyPartsError, splice
from flux_cli.images.formats import FOREIGN, FORMATS

MAX_BLOCKS = 1000  # pieces of metadata of an image that are read
MAX_PACKETS = 4  # of XMP among them; reading XML takes long, and an image has one
MAX_PIXELS = 1 << 28  # the largest WebP; models make 4 million. Larger images would harm viewers


class Look(NamedTuple):
    """An image as decoders see it.

    `sound` are the bytes to decode, and to read metadata from: without the faults of the file.
    `others` are the same with another end, in pieces, and `shorter` have fewer bytes of pixels: see
    `Mending`.
    """

    image: Inspection
    sound: bytes
    others: tuple[tuple[memoryview | bytes, ...], ...] = ()
    shorter: tuple[tuple[memoryview | bytes, ...], ...] = ()


class _Containers(dict[str, Container]):
    """The containers of all formats, each loaded when it is first used: most runs see one format.

    Those of FORMATS are found by name, so that a new format needs no entry here.
    """

    def __missing__(self, name: str) -> Container:
        if name in FOREIGN:
            from flux_cli.images.containers import foreign  # rarely needed

            self.update(foreign.CONTAINERS)
            return self[name]
        container = import_module(f"flux_cli.images.containers.{name}").CONTAINER
        assert isinstance(container, Container)  # noqa: S101 - our own mistake
        self[name] = container
        return container


CONTAINERS = _Containers()


def sniff(data: bytes) -> str | None:
    """The format by its bytes; None for a format that flux does not know.

    This may be one of FOREIGN: a format that flux neither reads nor makes.
    """
    for name in (*FORMATS, *FOREIGN):
        if CONTAINERS[name].matches(data):
            return name
    return None


def inspect(data: bytes) -> Inspection:
    """Check that an image is whole and sound, and return its format and size.

    EXIF is not read: `upright` is always True. Raises ImageError for images that are unknown,
    damaged, truncated or far too large.
    """
    name = sniff(data)
    if name is None:
        raise ImageError(f"this is not an image: it begins with {_beginning(data)}")
    try:
        width, height = CONTAINERS[name].check(data)
    except TooManyPartsError as fault:
        message = f"the {name} image cannot be used ({len(data):,} bytes): {fault}"
        raise ImageError(message) from fault
    except (IndexError, ValueError) as fault:
        raise broken_error(name, len(data), _reason(fault)) from fault
    if name in FOREIGN:
        return Inspection(name, width, height, len(data))
    if width < 1 or height < 1:
        raise ImageError(f"the {name} image has no pixels ({width}x{height})")
    if width * height > MAX_PIXELS:
        raise ImageError(f"the {name} image claims {width}x{height} pixels, which is too many")
    return Inspection(name, width, height, len(data))


def look(data: bytes) -> Look:
    """Inspect an image like a decoder: what holds no pixels may be damaged or missing.

    Such an image has a `fault`. Raises ImageError like `inspect`, also if the container shows that
    pixels are missing.
    """
    try:
        return Look(inspect(data), data)
    except ImageError as error:
        fault, name = error.__cause__, sniff(data)
        mend = CONTAINERS[name].mend if name else None
        if mend is None or fault is None or isinstance(fault, TooManyPartsError):
            raise
        try:
            mending = mend(data)
            first, *others = [splice(data, edits) for edits in mending.versions]
            shorter = tuple(splice(data, edits) for edits in mending.shorter)
            sound = b"".join(first)
            image = inspect(sound)
        except (IndexError, ValueError, ImageError):
            raise error from fault
        image = image._replace(size=len(data), fault=_reason(fault))
        return Look(image, sound, tuple(others), shorter)


def broken_error(name: str, size: int, reason: str) -> ImageError:
    """The error for an image of `size` bytes whose pixels are not all there."""
    return ImageError(f"the {name} image is not whole ({size:,} bytes: {reason})")


def read_blocks(name: str, data: bytes) -> Iterator[Block]:
    """The metadata of an image of a known format, as far as it is within limits.

    Raises ValueError or IndexError if its parts do not add up.
    """
    left, packets = MAX_CONTENT, 0
    for block in islice(CONTAINERS[name].blocks(data), MAX_BLOCKS):
        left -= len(block.data)
        packets += block.kind == "xmp"
        if left < 0:
            return
        if block.kind != "xmp" or packets <= MAX_PACKETS:
            yield block


def _reason(fault: BaseException) -> str:
    return "the end is missing" if isinstance(fault, IndexError) else str(fault)


def _beginning(data: bytes) -> str:
    return repr(data[:24].decode("utf-8", "replace")) if data else "nothing"
