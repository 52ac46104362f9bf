"""How many pixels an image has per inch: read from every place, and packed for every format.

Sources: ISO/IEC 15948 (pHYs), ITU-T T.871 (JFIF), TIFF 6.0 (resolution).
"""

from __future__ import annotations

import math
import struct
from contextlib import suppress

from flux_cli.core.lite import NamedTuple
from flux_cli.images.metadata import exif

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.images.containers.container import Block

INCH = 0.0254  # meters
LARGEST = (1 << 31) - 1  # of a PNG
LARGEST_OF_JFIF = 0xFFFF
ACROSS, DOWN, UNIT = 0x011A, 0x011B, 0x0128  # fields of EXIF
RATIO_ONLY, PER_INCH, PER_CM = 1, 2, 3  # units of EXIF; those of JFIF are smaller by one


class Density(NamedTuple):
    """Pixels per meter across and down; only their ratio counts if the unit `is_unknown`."""

    across: int
    down: int
    is_unknown: bool = False

    @property
    def turned(self) -> Density:
        """The density of an image that is turned by a quarter."""
        return Density(self.down, self.across, self.is_unknown)

    def __str__(self) -> str:
        if self.is_unknown:
            return f"pixels of {self.down}:{self.across}"
        sides = dict.fromkeys(f"{round(side * INCH, 1):g}" for side in (self.across, self.down))
        return f"{'x'.join(sides)} dpi"


def read_density(blocks: Sequence[Block]) -> Density | None:
    """The density in the metadata of an image; None if it says nothing.

    A length that the container names counts before EXIF, and EXIF before a mere ratio.
    """
    own, other = None, None
    for block in blocks:
        with suppress(struct.error):
            if block.kind == "density" and own is None:
                own = _of_container(block.data)
            elif block.kind == "exif" and other is None:
                other = _of_exif(block.data)
    if own is None or own.is_unknown:
        return other or own
    return own


def png_density(density: Density) -> bytes:
    """The density as PNG packs it."""
    return struct.pack(">IIB", density.across, density.down, not density.is_unknown)


def jfif_density(density: Density) -> bytes:
    """The density as JFIF packs it: whole pixels per inch, or per centimeter if they fit better."""
    across, down, unit = density.across, density.down, RATIO_ONLY
    if not density.is_unknown:
        is_metric = not _is_per_inch(density) and across % 100 == down % 100 == 0
        unit, scale = (PER_CM, 0.01) if is_metric else (PER_INCH, INCH)
        across, down = round(across * scale), round(down * scale)
    else:
        shared = math.gcd(across, down)
        across, down = across // shared, down // shared
    shrink = max(1, max(across, down) / LARGEST_OF_JFIF)
    sides = (max(1, int(side / shrink)) for side in (across, down))
    return struct.pack(">BHH", unit - 1, *sides)


def exif_density(density: Density) -> dict[int, exif.Value]:
    """The density as fields of EXIF."""
    across, down, unit, below = density.across, density.down, PER_CM, 100
    if density.is_unknown:
        unit, below = RATIO_ONLY, 1
    elif _is_per_inch(density):
        across, down, unit, below = round(across * INCH), round(down * INCH), PER_INCH, 1
    return {ACROSS: (across, below), DOWN: (down, below), UNIT: unit}


def _is_per_inch(density: Density) -> bool:
    """Whether it was a whole number of pixels per inch."""
    sides = (density.across, density.down)
    return all(round(round(side * INCH) / INCH) == side for side in sides)


def _of_container(packed: bytes) -> Density | None:
    if len(packed) == struct.calcsize(">BHH"):
        unit, across, down = struct.unpack(">BHH", packed)
        return _valid(across, down, unit + 1)
    across, down, is_known = struct.unpack(">IIB", packed)
    if is_known != 1:
        return _valid(across, down, RATIO_ONLY)
    return _valid(across / 100, down / 100, PER_CM)


def _of_exif(data: bytes) -> Density | None:
    across, down = exif.ratio(data, ACROSS), exif.ratio(data, DOWN)
    unit = exif.number(data, UNIT)
    if across is None and down is None:
        return None
    return _valid(across or down or 0, down or across or 0, PER_INCH if unit is None else unit)


def _valid(across: float, down: float, unit: int) -> Density | None:
    """The density in pixels per meter; None for one that means nothing."""
    scale = {RATIO_ONLY: 1, PER_INCH: 1 / INCH, PER_CM: 100}.get(unit, 0)
    sides = round(across * scale), round(down * scale)
    if min(sides) < 1 or max(sides) > LARGEST:
        return None
    if unit == RATIO_ONLY and across == down:
        return None
    return Density(*sides, is_unknown=unit == RATIO_ONLY)
