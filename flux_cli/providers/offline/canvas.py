"""Tools to draw sketches with: seeded randomness, colors, gradients, curves, noise and glows.

Masks are grayscale layers: white shows what is painted through them, black hides it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeAlias

from PIL import Image, ImageColor, ImageOps

RGB: TypeAlias = tuple[int, int, int]
Size: TypeAlias = tuple[int, int]
Pair: TypeAlias = tuple[float, float]
Layer: TypeAlias = Image.Image

NEAREST: Final = Image.Resampling.NEAREST
BILINEAR: Final = Image.Resampling.BILINEAR
BLACK: Final = (0, 0, 0)
WHITE: Final = (255, 255, 255)
PLANE_SIDE: Final = 512  # pixels of the noise that is laid out as level ground


def seeded_random(*facts: object) -> Random:
    """A generator that depends on the facts only."""
    return Random("\0".join(map(str, facts)).encode("utf-8", "surrogatepass"))


def parse_colors(codes: str) -> list[RGB]:
    """The colors that names or codes such as `#ffaa00` stand for, separated by blanks."""
    colors = []
    for code in codes.split():
        red, green, blue, *_ = ImageColor.getrgb(code)
        colors.append((red, green, blue))
    return colors


def mix(one: RGB, other: RGB, amount: float) -> RGB:
    """A color between two: 0 gives the first, 1 the other."""
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(one, other, strict=True))
    return red, green, blue


def paint(image: Layer, color: RGB | Layer, mask: Layer) -> None:
    """Paint a color, or the colors of a layer, over an image of the same size."""
    image.paste(color, (0, 0), mask)


def fade(levels: Sequence[int], size: Size) -> Layer:
    """A vertical gradient through the levels, from top to bottom."""
    steps = Image.frombytes("L", (1, len(levels)), bytes(levels))
    column = steps.resize((1, size[1]))
    return column.resize(size, NEAREST)


def apply_curve(layer: Layer, curve: Callable[[float], float]) -> Layer:
    """Apply a curve to all values, which it sees as 0 to 1."""
    levels = [_clip(curve(level / 255)) for level in range(256)]
    return layer.point(levels * len(layer.getbands()))


def _clip(share: float) -> int:
    return max(0, min(255, round(255 * share)))


def noise(rng: Random, size: Size, cells: Pair, octaves: int = 5, crease: float = 0) -> Layer:
    """Fractal noise, of `cells` across and down.

    Each octave has cells half as large and half as strong. `crease` makes ridges.
    """

    def fold(value: float) -> float:
        return value + crease * (1 - abs(2 * value - 1) - value)

    total, weight = Image.new("L", size), 0.0
    for octave in range(octaves):
        across = min(size[0], round(cells[0] * 2**octave) + 2)
        down = min(size[1], round(cells[1] * 2**octave) + 2)
        grains = Image.frombytes("L", (across, down), rng.randbytes(across * down))
        layer = apply_curve(grains.resize(size), fold)
        weight += 0.5**octave
        total = Image.blend(total, layer, 0.5**octave / weight)
    return ImageOps.autocontrast(total, cutoff=0.5)


def plane(rng: Random, size: Size, cells: Pair, depth: float) -> Layer:
    """Noise on level ground in perspective, from the horizon (top) to the viewer (bottom)."""
    ground = noise(rng, (PLANE_SIDE, PLANE_SIDE), cells, 7)
    tilt = depth / size[1]
    across = (PLANE_SIDE / size[0], PLANE_SIDE / 2 * tilt, 0)
    down = (0, 0, PLANE_SIDE - 1)
    perspective = (*across, *down, 0, tilt)
    return ground.transform(size, Image.Transform.PERSPECTIVE, perspective, BILINEAR)


def glow(size: Size, power: float, strength: float = 1) -> Layer:
    """A round glow, brightest in the middle."""

    def shine(distance: float) -> float:
        return float(strength * max(0, 1 - distance * math.sqrt(2)) ** power)

    return apply_curve(Image.radial_gradient("L"), shine).resize(size)
