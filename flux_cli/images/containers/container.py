"""The interface of the format modules in this folder, and the data they exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.parts import Edit

BlockKind: TypeAlias = Literal["xmp", "exif", "iptc", "text", "comment", "icc", "c2pa", "density"]

# ITU-T H.273: color spaces by number, as PNG and AVIF name them.
PRIMARIES = {1: "BT.709", 5: "BT.601", 6: "BT.601", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
HDR = {16: "PQ", 18: "HLG"}  # transfers that reach beyond white
SRGB = (1, 13)  # primaries and transfer


class Block(NamedTuple):
    """One piece of metadata, unpacked. `key` is the keyword of a text.

    A density is packed as the format does it.
    """

    kind: BlockKind
    data: bytes
    key: str = ""


LARGE = 1 << 31  # bytes; no metadata is longer


class Colors(NamedTuple):
    """How the pixels are stored. Defaults mean that the container does not say so.

    `codes` are primaries and transfer by their numbers in ITU-T H.273. `gamma` is the exponent from
    light to values (0.45455 for most images), and `chroma` has x and y of white, red, green and
    blue.
    """

    model: str = ""  # "RGB", "gray", "palette", "YCbCr", "CMYK", "YUV 4:2:0"
    depth: int = 0  # bits per channel, or per index of a palette
    alpha: bool = False
    frames: int = 1  # 0: several, and the container does not count them
    codes: tuple[int, int] | None = None
    has_first_codes: bool = False  # the codes count even if there is a profile
    gamma: float | None = None
    chroma: tuple[float, ...] | None = None
    gain_map: bool = False  # a second image says how much brighter HDR screens show the pixels

    @property
    def space(self) -> str:
        """The color space named by the container itself, without a profile; "" for none."""
        return color_space(*self.codes) if self.codes else ""


class Payload(NamedTuple):
    """The metadata to write, in the forms that containers hold.

    `packet` makes the XMP packet; it gets the packet that the file already has. `parameters` makes
    the text that image generators write; it gets the size, such as "1024x768". `is_ours`
    says whether flux wrote such a text.
    """

    packet: Callable[[bytes | None], bytes]
    parameters: Callable[[str], bytes]
    is_ours: Callable[[bytes], bool]


class Mending(NamedTuple):
    """How to make a sound file of one that `check` refuses.

    What is damaged and holds no pixels is left out, and the end that is missing is added. Each of
    `versions` is one way to do so. If there are several, they fill the end with different data: a
    decoder shows the same pixels for all of them, unless pixels are missing. Those of `shorter`
    begin to fill one byte too early, so that a decoder shows other pixels for some of them, unless
    what stands at the end is something else than pixels.
    """

    versions: Sequence[Sequence[Edit]]
    shorter: Sequence[Sequence[Edit]] = ()


class PayloadTooLongError(ValueError):
    """The format has no room for the payload; a shorter one may fit."""


def no_blocks(_data: bytes) -> Iterable[Block]:
    """No metadata: for formats that hold none, or none that flux reads."""
    return ()


def unknown_colors(_data: bytes) -> Colors:
    """For formats whose container does not say how pixels are stored."""
    return Colors()


class Container(NamedTuple):
    """One format. Every module that is named after a format defines one as `CONTAINER`.

    All functions take the bytes of a file and raise ValueError or IndexError if its parts do not
    add up. `mend` raises them if pixels are missing or damaged. Only the first two are required.
    """

    matches: Callable[[bytes], bool]  # whether the first bytes are those of this format
    check: Callable[[bytes], tuple[int, int]]  # walks the whole file; returns width and height
    blocks: Callable[[bytes], Iterable[Block]] = no_blocks
    colors: Callable[[bytes], Colors] = unknown_colors
    edits: Callable[[bytes, Payload], Sequence[Edit]] | None = None  # None: cannot write metadata
    mend: Callable[[bytes], Mending] | None = None  # None: a file with faults cannot be read
    orientation: Callable[[bytes], int] | None = None  # as EXIF numbers it; None: EXIF itself says
    # Writes a block into a file that flux has just made, in which there is none of its kind and
    # key. `holds` are the kinds for which it works, each with the most bytes that fit.
    add: Callable[[bytes, Block], Sequence[Edit]] | None = None
    holds: Mapping[str, int] = {}


def color_space(primaries: int, transfer: int) -> str:
    """The name of a color space, from its two ITU-T H.273 numbers; "" for an unknown one."""
    if (primaries, transfer) == SRGB:
        return "sRGB"
    names = (PRIMARIES.get(primaries, ""), HDR.get(transfer, ""))
    return " ".join(name for name in names if name)
