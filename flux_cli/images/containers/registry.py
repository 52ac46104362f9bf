"""All containers by format name. Detects the format of bytes and checks that they are complete.

Lengths, checksums and end marks of a container reveal truncation within microseconds per
megabyte. A full decode would cost a hundred times as much and still miss cuts in the last bytes of
PNG and GIF.
"""

from __future__ import annotations

from importlib import import_module

from flux_cli.core.errors import ImageError
from flux_cli.core.image import Inspection
from flux_cli.images.containers.container import Container
from flux_cli.images.formats import FORMATS

MAX_PIXELS = 1 << 28  # the largest WebP; models make 4 million. Larger images would harm viewers


class _Containers(dict[str, Container]):
    """The containers of FORMATS, each loaded when it is first used: most runs see one format.

    They are found by name, so that a new format needs no entry here.
    """

    def __missing__(self, name: str) -> Container:
        container = import_module(f"flux_cli.images.containers.{name}").CONTAINER
        assert isinstance(container, Container)  # noqa: S101 - our own mistake
        self[name] = container
        return container


CONTAINERS = _Containers()


def sniff(data: bytes) -> str | None:
    """The format by its first bytes; None for a format that flux does not know."""
    for name in FORMATS:
        if CONTAINERS[name].matches(data):
            return name
    return None


def inspect(data: bytes) -> Inspection:
    """Check that an image is whole and return its format and size.

    EXIF is not read: `upright` is always True. Raises ImageError for images that are unknown,
    damaged, truncated or far too large.
    """
    name = sniff(data)
    if name is None:
        raise ImageError(f"this is not an image: it begins with {_beginning(data)}")
    try:
        width, height = CONTAINERS[name].check(data)
    except (IndexError, ValueError) as fault:
        message = f"the {name} image is not whole ({len(data):,} bytes: {fault})"
        raise ImageError(message) from fault
    if width < 1 or height < 1:
        raise ImageError(f"the {name} image has no pixels ({width}x{height})")
    if width * height > MAX_PIXELS:
        raise ImageError(f"the {name} image claims {width}x{height} pixels, which is too many")
    return Inspection(name, width, height, len(data))


def _beginning(data: bytes) -> str:
    return repr(data[:24].decode("utf-8", "replace")) if data else "nothing"
