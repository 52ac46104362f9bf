"""The motifs of a sketch around its ground: sky, sun or moon, clouds, water, weather."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from flux_cli.providers.offline.canvas import (
    BLACK,
    WHITE,
    Layer,
    Pair,
    Size,
    apply_curve,
    fade,
    glow,
    mix,
    noise,
    paint,
    plane,
)
from flux_cli.providers.offline.ground import LANDS
from flux_cli.providers.offline.stage import Stage

# Curtains of an aurora: the colors of their lower and of their upper edges.
AURORA: Final = (("#28eb96", "#6a3cdc"), ("#1ec8be", "#b43cbe"), ("#5af082", "#3c5ae6"))
HEM: Final = 0.42  # where a curtain begins, as a share of its gradient


def draw_sky(stage: Stage, rng: Random) -> None:
    """Draw the colors of the sky, stars, and auroras."""
    size = (stage.image.width, stage.horizon)
    channels = [fade(levels, size) for levels in zip(*stage.sky, strict=True)]
    sky = Image.merge("RGB", channels)
    if "night" in stage.tags and "storm" not in stage.tags:
        _draw_stars(stage, rng, sky)
    if "aurora" in stage.tags:
        for hem, tip in AURORA:
            curtain = _make_curtain(rng, size, size[0] / stage.unit, hem, tip)
            sky = ImageChops.screen(sky, curtain)
    stage.image.paste(sky)


def _draw_stars(stage: Stage, rng: Random, sky: Layer) -> None:
    points = _make_specks(stage, rng, 760, 0.0014)
    halos = points.filter(ImageFilter.BoxBlur(1.2))
    stars = ImageChops.add(points, halos).crop((0, 0, *sky.size))
    clearness = fade((255, 255, 200, 60, 0), sky.size)
    paint(sky, WHITE, ImageChops.multiply(stars, clearness))


def _make_curtain(rng: Random, size: Size, breadth: float, hem: str, tip: str) -> Layer:
    """One curtain of an aurora: a gradient bent by noise, of which a curve keeps a waving band."""
    bend = _make_stripes(rng, size, 1.6 * breadth)
    rays = _make_stripes(rng, size, 30 * breadth)
    gaps = _make_stripes(rng, size, 2 * breadth)

    def band(level: float) -> float:
        if level < HEM:
            return math.exp((level - HEM) * 10)
        return 1 - (level - HEM) * 9

    rise = fade((0, rng.randrange(150, 255)), size)
    curtain = apply_curve(Image.blend(rise, bend, 0.3), band)
    colors = ImageOps.colorize(curtain, "black", hem, tip, midpoint=60)
    rays = apply_curve(rays, lambda level: 0.25 + 0.75 * level)
    gaps = apply_curve(gaps, lambda level: 1.8 * level - 0.3)
    return ImageChops.multiply(colors, ImageChops.multiply(rays, gaps).convert("RGB"))


def _make_stripes(rng: Random, size: Size, count: float) -> Layer:
    """Noise that is the same from top to bottom."""
    return noise(rng, (size[0], 1), (count, 1), 3).resize(size)


def draw_orb(stage: Stage, rng: Random) -> None:
    """Draw the sun or the moon, and the light around it. Storms hide both."""
    if "storm" in stage.tags:
        return
    is_moon = "night" in stage.tags
    strength = 0.5 if is_moon else 1
    halos = ((1.1, 2, stage.sky[-1]), (0.4, 2.2, stage.orb), (0.12, 1.2, stage.orb))
    for reach, power, color in halos:
        radius = round(stage.unit * reach * strength) + 1
        light = glow((2 * radius, 2 * radius), power, 0.6 * strength)
        stage.image.paste(color, _around(stage.sun, radius), light)
    radius = round(stage.unit * 0.036) + 1
    size = (2 * radius, 2 * radius)
    bright = mix(stage.orb, WHITE, 0.5)
    dark = mix(bright, BLACK, 0.3 if is_moon else 0)
    spots = noise(rng, size, (3, 3), 4)
    face = ImageOps.colorize(spots, dark, bright, mix(dark, bright, 0.8))
    disk = apply_curve(glow(size, 1), lambda level: level * radius)
    stage.image.paste(face, _around(stage.sun, radius), disk)


def _around(middle: Size, radius: int) -> Size:
    """The upper left corner of what is drawn around a place."""
    return middle[0] - radius, middle[1] - radius


def draw_clouds(stage: Stage, rng: Random) -> None:
    """Draw clouds, lit from the side of the sun."""
    step = round(stage.unit / 90) + 1
    size = (stage.image.width + 2 * step, stage.horizon + step)
    amount = _choose_amount_of_clouds(stage, rng)
    field = ImageOps.flip(plane(rng, size, (7, 14), 4))
    shifted = ImageChops.offset(field, step * stage.side, step)
    relief = ImageChops.subtract(field, shifted, 0.45, 128)
    dark = mix(stage.sky[0], stage.haze, 0.35)
    bright = mix(stage.lit, stage.orb, 0.5)
    body = ImageOps.colorize(relief, mix(dark, stage.shade, 0.35), bright, mix(dark, bright, 0.55))
    shape = apply_curve(field, lambda level: min(0.92, (level - 1 + amount) * 2.6))
    density = fade((255, 255, 240, 200, 120, 0), size)
    stage.image.paste(body, (-step, -step), ImageChops.multiply(shape, density))


def _choose_amount_of_clouds(stage: Stage, rng: Random) -> float:
    """The share of the sky, 0 to 1."""
    if "storm" in stage.tags:
        return 0.8
    if "clouds" in stage.tags:
        return 0.6
    return rng.uniform(0.3, 0.5)


def draw_water(stage: Stage, rng: Random) -> None:
    """Draw a lake or the sea, which mirrors what is above it."""
    if "water" not in stage.tags:
        return
    w, h = stage.image.size
    shore = find_shore(stage)
    size = (w, h - shore)
    ripples = plane(rng, size, (60, 260), 9)
    surface = _make_reflection(stage, ripples, shore)
    depth = mix(stage.covers["water"], stage.shade, 0.35)
    paint(surface, depth, fade((35, 100, 140, 170, 190), size))
    crests = apply_curve(ripples, lambda level: 4 * (level - 0.62))
    wavelets = ImageChops.multiply(crests, fade((20, 60, 90, 110), size))
    paint(surface, mix(stage.sky[-2], stage.lit, 0.4), wavelets)
    if "storm" not in stage.tags:
        _draw_glitter(stage, surface, ripples)
    stage.image.paste(surface, (0, shore))


def find_shore(stage: Stage) -> int:
    """Where the water begins, in pixels from the top: at the horizon, or below the land."""
    has_land = any(land in stage.tags for land in LANDS)
    return round(stage.horizon + 0.035 * stage.image.height * has_land)


def _make_reflection(stage: Stage, ripples: Layer, shore: int) -> Layer:
    """The image above the shore, upside down and blurred in bands by ripples."""
    w, height = ripples.size
    above = (0, max(0, shore - height), w, shore)
    mirror = ImageOps.flip(stage.image.crop(above))
    near = mirror.resize((w, 8)).resize(ripples.size)
    far = mirror.resize((w, 60)).resize(ripples.size)
    return Image.composite(near, far, apply_curve(ripples, lambda level: 4 * level - 1.5))


def _draw_glitter(stage: Stage, surface: Layer, ripples: Layer) -> None:
    """Draw a lane of light below the sun or moon."""
    across, down = round(stage.unit * 0.16), round(surface.height * 1.15)
    lane = Image.new("L", surface.size)
    lane.paste(glow((2 * across, 2 * down), 1.1), (stage.sun[0] - across, -down))
    crests = apply_curve(ripples, lambda level: 5 * (level - 0.52))
    paint(surface, stage.orb, ImageChops.multiply(lane, crests))


def draw_weather(stage: Stage, rng: Random) -> None:
    """Draw fog, rain and falling snow."""
    pale = mix(stage.lit, WHITE, 0.65)
    if "fog" in stage.tags:
        _draw_fog(stage, rng)
    if "rain" in stage.tags:
        rain = _make_specks(stage, rng, 760, 0.0006, tail=(0.016, 0.08))
        paint(stage.image, pale, apply_curve(rain, lambda level: 0.35 * level))
    if "snowfall" in stage.tags:
        flakes = _make_specks(stage, rng, 600, 0.005)
        flakes = flakes.filter(ImageFilter.BoxBlur(0.0012 * stage.unit))
        paint(stage.image, pale, apply_curve(flakes, lambda level: 0.85 * level))


def _draw_fog(stage: Stage, rng: Random) -> None:
    w, h = stage.image.size
    cells = (2.5 * w / stage.unit, 9 * h / stage.unit)
    mist = noise(rng, (w // 4, h // 4), cells).resize((w, h))
    mist = apply_curve(mist, lambda level: 1.5 * level - 0.1)
    depth = fade((0, 0, 40, 150, 190, 120, 90, 60), (w, h))
    paint(stage.image, stage.haze, ImageChops.multiply(mist, depth))


def _make_specks(
    stage: Stage, rng: Random, count: int, radius: float, tail: Pair = (0, 0)
) -> Layer:
    """Scatter dots, with a tail across and down. Lengths are in units of the stage."""
    w, h = stage.image.size
    mask = Image.new("L", (w, h))
    pen = ImageDraw.Draw(mask)
    for _ in range(round(count * w * h / stage.unit**2)):
        x, y = rng.uniform(0, w), rng.uniform(-0.1 * h, h)
        near = rng.random() ** 3
        scale = 0.3 + 0.7 * near
        r = radius * stage.unit * scale
        dx, dy = tail[0] * stage.unit * scale, tail[1] * stage.unit * scale
        light = round(70 + 185 * near)
        pen.line((x, y, x + dx, y + dy), light, round(2 * r) + 1)
        pen.ellipse((x - r, y - r, x + r, y + r), light)
    return mask
