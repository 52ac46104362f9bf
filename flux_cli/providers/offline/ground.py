"""The ground of a sketch: mountains, hills, dunes and forests.

The ground is a map seen from above. It is drawn row by row, from far to near, so that near heights
cover far ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageOps

from flux_cli.core.lite import NamedTuple
from flux_cli.providers.offline.canvas import (
    NEAREST,
    Layer,
    Pair,
    apply_curve,
    fade,
    mix,
    noise,
    paint,
)
from flux_cli.providers.offline.stage import Stage

COLUMNS, ROWS = MAP_SIZE = (512, 160)  # rows from far to near
EDGE: Final = 4  # columns at the left and right of the map that are not shown
CONIFER_SIZE: Final = (96, 224)
TWIGS: Final = 92  # of a conifer
KINDS: Final = 6  # of conifers in a forest


class Land(NamedTuple):
    """One kind of ground. `envelope` (of heights) and `fog` run from far to near."""

    cover: str
    cells: Pair
    octaves: int
    crease: float
    texture: Pair
    height: float
    envelope: tuple[int, ...]
    fog: tuple[int, ...]


LANDS: Final = {
    "mountains": Land(
        cover="rock",
        cells=(3, 3),
        octaves=6,
        crease=1,
        texture=(24, 20),
        height=0.36,
        envelope=(60, 255, 225, 140, 90, 50, 26, 16),
        fog=(190, 150, 90, 40, 0),
    ),
    "hills": Land(
        cover="grass",
        cells=(2, 5),
        octaves=4,
        crease=0,
        texture=(90, 40),
        height=0.14,
        envelope=(120, 230, 200, 150, 110, 60),
        fog=(190, 80, 10, 0),
    ),
    "dunes": Land(
        cover="sand",
        cells=(1.5, 5),
        octaves=3,
        crease=1,
        texture=(12, 10),
        height=0.14,
        envelope=(90, 160, 200, 220, 200, 140),
        fog=(190, 120, 60, 20, 0, 0),
    ),
    "forest": Land(
        cover="grass",
        cells=(2, 4),
        octaves=4,
        crease=0,
        texture=(90, 40),
        height=0.12,
        envelope=(200, 110, 40),
        fog=(225, 140, 0),
    ),
}


def draw_ground(stage: Stage, rng: Random) -> None:
    """Draw every land of the scene, one behind the other."""
    stage.image.paste(stage.haze, (0, stage.horizon, *stage.image.size))
    names = [name for name in LANDS if name in stage.tags]
    for name in names:
        depth = 1.1 if name == names[-1] else 0.35
        if "water" in stage.tags:
            depth = 0.08
        _draw_land(stage, rng, name, depth)


def _draw_land(stage: Stage, rng: Random, name: str, depth: float) -> None:
    """Draw one land. `depth` is how far down the image it reaches: 1 is the lower edge."""
    land = LANDS[name]
    fog = fade(land.fog, MAP_SIZE)
    heights = _make_heights(stage, rng, land)
    colors = _make_colors(stage, rng, land, heights, fog)
    visible = (EDGE, 0, COLUMNS - EDGE, ROWS)
    colors = colors.resize((stage.image.width, ROWS), box=visible)
    kinds = KINDS if name == "forest" else 0
    trees = [_make_conifer(rng) for _ in range(kinds)]
    levels, fog_levels = heights.tobytes(), fog.tobytes()
    below = stage.image.height - stage.horizon  # pixels
    next_trees = 0.0
    for row in range(ROWS - 1):  # the last row has no slope
        foot = stage.horizon + depth * below * (row / (ROWS - 1)) ** 2.2
        row_levels = levels[row * COLUMNS : (row + 1) * COLUMNS]
        crest = [foot - land.height * stage.unit * level / 255 for level in row_levels]
        _draw_row(stage, colors, row, crest)
        if trees and foot >= next_trees:
            tree_height = stage.unit * (0.01 + 0.42 * (foot - stage.horizon) / below)
            row_fog = fog_levels[row * COLUMNS] / 255
            _plant(stage, rng, _dress(stage, trees, tree_height, row_fog), crest, tree_height)
            next_trees = foot + 0.2 * tree_height


def _draw_row(stage: Stage, colors: Layer, row: int, crest: Sequence[float]) -> None:
    """Draw one row of the map below its crest, which has a height in pixels for each column."""
    w, h = stage.image.size
    top = max(0, int(min(crest)))
    bottom = min(h, int(max(crest) + stage.unit * 0.05))
    if row == ROWS - 2:  # the nearest row ends the image
        bottom = h
    if bottom <= top:
        return
    # The mask is drawn at twice the size, so that its edge is smooth.
    mask = Image.new("L", (2 * w, 2 * (bottom - top)))
    outline = [(2 * w * x / (COLUMNS - 1), 2 * (y - top)) for x, y in enumerate(crest)]
    below_left, below_right = (-2, 2 * h), (2 * w + 2, 2 * h)
    ImageDraw.Draw(mask).polygon([below_left, *outline, below_right], 255)
    strip = colors.crop((0, row, w, row + 1)).resize((w, bottom - top), NEAREST)
    stage.image.paste(strip, (0, top), mask.reduce(2))


def _make_heights(stage: Stage, rng: Random, land: Land) -> Layer:
    """The heights of the ground, seen from above."""
    breadth = stage.image.width / stage.unit
    cells = (land.cells[0] * breadth, land.cells[1])
    field = noise(rng, MAP_SIZE, cells, land.octaves, land.crease)
    regions = noise(rng, MAP_SIZE, (3 * breadth, 2), 2)
    field = ImageOps.autocontrast(ImageChops.multiply(field, regions))
    return ImageChops.multiply(field, fade(land.envelope, MAP_SIZE))


def _make_colors(stage: Stage, rng: Random, land: Land, heights: Layer, fog: Layer) -> Layer:
    """The colors of the ground, seen from above: cover, light, texture and fog."""
    cover = Image.new("RGB", MAP_SIZE, stage.covers[land.cover])
    if land.cover == "rock":
        _add_snow(stage, rng, cover, heights)
    neighbors = ImageChops.offset(heights, 3 * stage.side, -1)
    slope = ImageChops.subtract(heights, neighbors, 0.25, 128)
    level_light = mix(stage.shade, stage.lit, 0.66)
    light = ImageOps.colorize(slope, stage.shade, stage.lit, level_light)
    color = ImageChops.multiply(cover, light)
    texture = noise(rng, MAP_SIZE, land.texture, 3).convert("RGB")
    color = Image.blend(color, ImageChops.overlay(color, texture), 0.16)
    low = apply_curve(heights, lambda height: 1 - 3 * height)
    hollows = ImageChops.multiply(low, fade((255, 220, 160, 90, 20, 0), MAP_SIZE))
    paint(color, stage.haze, ImageChops.lighter(fog, hollows))
    return color


def _add_snow(stage: Stage, rng: Random, cover: Layer, heights: Layer) -> None:
    """Cover the heights above an uneven snow line."""
    line = 0.18 if "snow" in stage.tags else 0.42
    uneven = Image.blend(heights, noise(rng, MAP_SIZE, (60, 20), 3), 0.25)
    paint(cover, stage.covers["snow"], apply_curve(uneven, lambda height: (height - line) * 8))


def _dress(
    stage: Stage, trees: Sequence[Layer], height: float, fog: float
) -> list[tuple[Layer, Layer]]:
    """Trees of a height in pixels: their colors in the light and fog of the place, and masks."""
    dressed = []
    for kind, tree in enumerate(trees):
        tall = round(height * (0.65 + 0.12 * kind)) + 1
        light, mask = tree.resize((round(tall * 0.42) + 1, tall)).split()
        green = mix(stage.covers["tree"], stage.covers["grass"], kind / 15)
        leaves = Image.new("RGB", light.size, green)
        shining = ImageOps.colorize(light, stage.shade, stage.lit)
        haze = Image.new("RGB", light.size, stage.haze)
        body = Image.blend(ImageChops.multiply(leaves, shining), haze, fog)
        dressed.append((body, mask))
    return dressed


def _plant(
    stage: Stage,
    rng: Random,
    trees: Sequence[tuple[Layer, Layer]],
    crest: Sequence[float],
    height: float,
) -> None:
    """Draw one row of trees on a crest, scattered as far as the next row."""
    w = stage.image.width
    for _ in range(round(w / (0.25 * height)) + 1):
        x = rng.uniform(0, w - 1)
        body, mask = rng.choice(trees)
        y = crest[int(x / w * len(crest))] + 0.2 * height * rng.random()
        corner = round(x - body.width / 2), round(y - body.height * 0.96)
        stage.image.paste(body, corner, mask)


def _make_conifer(rng: Random) -> Layer:
    """One tree: its light, and its shape as alpha."""
    sprite = Image.new("LA", CONIFER_SIZE, (40, 0))
    pen = ImageDraw.Draw(sprite)
    stem = CONIFER_SIZE[0] // 2
    for twig in range(TWIGS):  # from top to bottom, left and right in turn
        side = twig % 2 * 2 - 1
        y = 6 + 2.2 * twig
        reach = side * (3 + 43 * (twig / TWIGS) ** 0.85) * rng.uniform(0.55, 1.05)
        droop = 6 + abs(reach) * rng.uniform(0.25, 0.5)
        light = round(rng.uniform(20, 120) - 35 * (side - 1))
        corners = ((0, -4), (reach, droop), (reach * 0.5, droop * 0.75), (0, 14))
        pen.polygon([(stem + dx, y + dy) for dx, dy in corners], (light, 255))
    return sprite
