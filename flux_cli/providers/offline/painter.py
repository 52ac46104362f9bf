"""Draws offline sketches with Pillow: a landscape for the words of a prompt.

The same arguments give the same bytes. `vocabulary` reads the prompt, `stage` chooses colors and
places, `ground`, `landmarks` and `motifs` draw.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from flux_cli.core.lite import NamedTuple
from flux_cli.providers.offline.canvas import Layer, apply_curve, seeded_random
from flux_cli.providers.offline.ground import draw_ground
from flux_cli.providers.offline.landmarks import draw_lighthouse
from flux_cli.providers.offline.motifs import (
    draw_clouds,
    draw_orb,
    draw_sky,
    draw_water,
    draw_weather,
)
from flux_cli.providers.offline.stage import Stage, set_stage
from flux_cli.providers.offline.vocabulary import read_prompt

LABEL: Final = "offline sketch · not the model"
BADGE_COLOR: Final = (12, 14, 20, 150)
LABEL_COLOR: Final = (240, 240, 240)

# The steps of a drawing, from back to front. Each has a random generator of its own, seeded with
# its name here: another name would draw another image.
STEPS: Final[dict[str, Callable[[Stage, Random], None]]] = {
    "_sky": draw_sky,
    "_orb": draw_orb,
    "_clouds": draw_clouds,
    "_ground": draw_ground,
    "_lighthouse": draw_lighthouse,
    "_water": draw_water,
    "_weather": draw_weather,
}


class Sketch(NamedTuple):
    """A drawn image, and the words of its prompt that are not in it."""

    image: Image.Image
    undrawn: tuple[str, ...]


def draw(
    prompt: str, seed: int, width: int, height: int, *, badge: bool = True, label: str = LABEL
) -> Sketch:
    """Draw a prompt. Another seed gives another composition.

    `width` and `height` are in pixels; `badge` writes `label` into the lower right corner.
    """
    scene = read_prompt(prompt)
    stage = set_stage(scene.tags, scene.tints, seeded_random(prompt, seed), width, height)
    for name, draw_step in STEPS.items():
        draw_step(stage, seeded_random(prompt, seed, name))
    image = _finish(stage).resize((width, height))
    image = _add_grain(image, seeded_random(seed))
    if badge:
        _add_badge(image, label)
    return Sketch(image, scene.undrawn)


def _finish(stage: Stage) -> Layer:
    """Make bright parts glow and the corners darker."""
    size = stage.image.size
    bright = apply_curve(stage.image.reduce(4), lambda level: level - 0.6)
    bloom = bright.filter(ImageFilter.GaussianBlur(stage.unit / 110)).resize(size)
    distance = Image.radial_gradient("L")
    corners = apply_curve(distance, lambda level: 1 - 0.35 * max(0, level - 0.45) ** 1.5)
    glowing = ImageChops.screen(stage.image, bloom)
    return ImageChops.multiply(glowing, corners.resize(size).convert("RGB"))


def _add_grain(image: Layer, rng: Random) -> Layer:
    """The image with a little noise, which hides steps in gradients."""
    grain = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    faint = apply_curve(grain, lambda level: level / 42)
    return ImageChops.add(image, faint.convert("RGB"), 1, -3)


def _add_badge(image: Layer, label: str) -> None:
    """Write the label into the lower right corner, smaller in a narrow image."""
    text = "".join(map(_printable, label))
    # The tile is drawn at three times the size, so that it becomes smooth.
    size = max(9, round(min(image.size) * 0.019))
    font = ImageFont.load_default(3 * size)
    width, height = round(font.getlength(text)) + 3 * size, 5 * size
    tile = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(tile)
    pen.rounded_rectangle((0, 0, width - 1, height - 1), 0.35 * height, BADGE_COLOR)
    pen.text((width / 2, height / 2), text, LABEL_COLOR, font, anchor="mm")
    tile.thumbnail((min(width // 3, image.width * 4 // 5 + 1), height))
    margin = tile.height // 3 + 1
    corner = image.width - tile.width - margin, image.height - tile.height - margin
    image.paste(tile, corner, tile)


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else " "
