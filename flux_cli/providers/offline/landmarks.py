"""What stands in a sketch: a lighthouse on a rock, at the edge of the water, which mirrors it."""

from __future__ import annotations

from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageOps

from flux_cli.core.lite import NamedTuple
from flux_cli.providers.offline.canvas import (
    BLACK,
    WHITE,
    Layer,
    Size,
    fade,
    glow,
    mix,
    noise,
    parse_colors,
)
from flux_cli.providers.offline.motifs import find_shore
from flux_cli.providers.offline.stage import Stage

FINE: Final = 4  # edges are drawn at this multiple of the size, so that they become smooth
STONE, DOME, LAMP = parse_colors("#f2ece0 #4a4650 #fff0b4")
GLOW: Final = {"night": 1.0, "dusk": 0.9, "storm": 0.8, "sunset": 0.5, "dawn": 0.4}  # by hour


class Part(NamedTuple):
    """A part of the tower: from one height to another, with half its width at both.

    Heights are shares of the tower from its foot to its tip, widths shares of its height.
    """

    low: float
    high: float
    below: float
    above: float
    is_dark: bool = False


BANDS: Final = (Part(0.16, 0.32, 0.0864, 0.0782), Part(0.48, 0.64, 0.07, 0.0619))
TOWER: Final = (
    Part(0, 0.8, 0.095, 0.0537),
    Part(0.8, 0.825, 0.085, 0.085, is_dark=True),  # the gallery
    Part(0.93, 0.945, 0.062, 0.062, is_dark=True),
    Part(0.945, 1, 0.055, 0.006, is_dark=True),
)
LANTERN: Final = Part(0.825, 0.93, 0.046, 0.046)


def draw_lighthouse(stage: Stage, rng: Random) -> None:
    """Draw a lighthouse on the side of the image that is away from the sun or moon."""
    if "lighthouse" not in stage.tags:
        return
    x = round(stage.image.width * (0.5 + stage.side * rng.uniform(0.14, 0.26)))
    height = round(0.3 * stage.unit)
    rise = round(0.035 * stage.unit)
    foot = find_shore(stage) - rise
    tower, mask = _make_tower(stage, height)
    stage.image.paste(tower, (x - tower.width // 2, foot - height), mask)
    _draw_rock(stage, rng, x, rise)
    _draw_light(stage, (x, foot - round(height * 0.88)))


def _make_tower(stage: Stage, height: int) -> tuple[Layer, Layer]:
    """The tower in the light of the hour, and its mask."""
    size = (2 * (height // 9 + 2), height)
    fine = (FINE * size[0], FINE * size[1])
    colors, mask = Image.new("RGB", fine, STONE), Image.new("L", fine)
    pen, cut = ImageDraw.Draw(colors), ImageDraw.Draw(mask)
    for band in BANDS:
        pen.polygon(_outline(band, fine), stage.covers["lighthouse"])
    for part in (*TOWER, LANTERN):
        cut.polygon(_outline(part, fine), 255)
        if part.is_dark:
            pen.polygon(_outline(part, fine), DOME)
    lit = mix(stage.lit, WHITE, 0.25)
    dim = mix(stage.shade, stage.lit, 0.3)
    left, right = (lit, dim) if stage.side == 1 else (dim, lit)
    ramp = Image.linear_gradient("L").rotate(90).resize(fine)
    shaded = ImageChops.multiply(colors, ImageOps.colorize(ramp, left, right))
    ImageDraw.Draw(shaded).polygon(_outline(LANTERN, fine), LAMP)
    return shaded.reduce(FINE), mask.reduce(FINE)


def _outline(part: Part, size: Size) -> list[tuple[float, float]]:
    """The corners of a part in an image of the tower."""
    width, height = size
    low, high = height * (1 - part.low), height * (1 - part.high)
    below, above = height * part.below, height * part.above
    middle = width / 2
    return [
        (middle - below, low),
        (middle - above, high),
        (middle + above, high),
        (middle + below, low),
    ]


def _draw_rock(stage: Stage, rng: Random, x: int, rise: int) -> None:
    """Draw the rock below the tower, down to the water."""
    reach = round(0.34 * stage.unit)
    size = (2 * reach, round(1.5 * rise))
    bumps = noise(rng, (size[0], 1), (14, 1), 4).tobytes()
    crest = []
    for column, bump in enumerate(bumps):
        slope = 1 - abs(column / reach - 1)
        level = min(1, 2.6 * slope) * (0.55 + 0.75 * bump / 255) * rise
        level = max(level, 1.1 * rise * min(1, 12 * (slope - 0.8)))  # level ground for the tower
        crest.append((FINE * column, FINE * (size[1] - level)))
    mask = Image.new("L", (FINE * size[0], FINE * size[1]))
    base = FINE * size[1]
    ImageDraw.Draw(mask).polygon([(0, base), *crest, (FINE * size[0], base)], 255)
    grain = noise(rng, size, (40, 4), 4)
    light = ImageOps.colorize(
        grain, mix(stage.shade, BLACK, 0.45), mix(stage.shade, stage.lit, 0.6)
    )
    stone = Image.new("RGB", size, stage.covers["rock"])
    rock = Image.composite(ImageChops.multiply(stone, light), light, fade((140, 230), size))
    stage.image.paste(rock, (x - reach, find_shore(stage) - size[1]), mask.reduce(FINE))


def _draw_light(stage: Stage, lamp: Size) -> None:
    """Let the lamp shine, brighter the darker the hour is."""
    strength = next((GLOW[hour] for hour in GLOW if hour in stage.tags), 0.15)
    for reach, power in ((0.2, 3), (0.05, 1.5)):
        radius = round(reach * stage.unit) + 1
        halo = glow((2 * radius, 2 * radius), power, strength)
        stage.image.paste(LAMP, (lamp[0] - radius, lamp[1] - radius), halo)
