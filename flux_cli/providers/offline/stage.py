"""The stage of a sketch: its colors, which depend on the hour, and the places of things."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Final

from PIL import Image

from flux_cli.core.lite import NamedTuple
from flux_cli.providers.offline.canvas import BLACK, RGB, Layer, Size, mix, parse_colors

SMALLEST_SIDE: Final = 64
LARGEST_AREA: Final = 1_600_000


class Hour(NamedTuple):
    """The light of an hour. `altitude` of the sun or moon: 0 at the horizon, 1 at the top."""

    altitude: float
    orb: str  # the sun or moon
    haze: str
    light: str
    shade: str
    sky: str  # several colors, from top to bottom


# The first of them that the prompt names counts.
HOURS: Final = {
    "dawn": Hour(
        altitude=0.22,
        orb="#fff2d8",
        haze="#ead6d2",
        light="#ffe2c8",
        shade="#5c6488",
        sky="#5c7eb4 #96acd0 #dec6d0 #ffd6b8 #ffe8cc",
    ),
    "sunset": Hour(
        altitude=0.16,
        orb="#ffe8aa",
        haze="#ee9e76",
        light="#ffbe82",
        shade="#46365a",
        sky="#30366c #744e86 #d4666c #fa9654 #ffce74",
    ),
    "dusk": Hour(
        altitude=0.10,
        orb="#ffd6b0",
        haze="#b07a92",
        light="#e2a096",
        shade="#2e2a54",
        sky="#1a1e4c #3c3876 #7e5892 #ce828e #f2b492",
    ),
    "night": Hour(
        altitude=0.62,
        orb="#eef2fa",
        haze="#24365c",
        light="#7084b6",
        shade="#0c1228",
        sky="#040716 #09102c #12224a #243c6a",
    ),
    "storm": Hour(
        altitude=0.50,
        orb="#e2e4de",
        haze="#96a0a6",
        light="#bcc2be",
        shade="#363e4a",
        sky="#3c4452 #5c6672 #869096 #b2b8b8",
    ),
    "noon": Hour(
        altitude=0.72,
        orb="#fffcf0",
        haze="#c4daec",
        light="#fffae8",
        shade="#546888",
        sky="#225cb0 #468ad6 #80baea #bedef4",
    ),
}
COVERS: Final = {
    "rock": "#968a84",
    "sand": "#e2ac72",
    "water": "#1a4a62",
    "snow": "#f4f8ff",
    "grass": "#86a854",
    "tree": "#3e6650",
    "lighthouse": "#c2402f",  # its bands
}
COVERS_BY_SEASON: Final = {
    "autumn": {"grass": "#b89450", "tree": "#d66c24"},
    "snow": {"grass": "#f4f8ff", "sand": "#f4f8ff", "tree": "#d0dce4"},
}


class Tint(NamedTuple):
    """A color that the prompt names, and the tag of what it colors ("" if that is unclear)."""

    target: str
    color: RGB


class Stage(NamedTuple):
    """The unfinished image, what to draw in it, its colors, and where things are."""

    image: Layer
    tags: Sequence[str]
    orb: RGB
    haze: RGB
    lit: RGB
    shade: RGB
    sky: Sequence[RGB]  # from top to bottom
    covers: dict[str, RGB]
    horizon: int
    sun: Size
    side: int  # the light comes from the left (1) or the right (-1)
    unit: float  # pixels; sizes of things are multiples of it


def set_stage(
    tags: Sequence[str], tints: Sequence[Tint], rng: Random, width: int, height: int
) -> Stage:
    """Choose colors and places. Large images are drawn smaller and enlarged at the end."""
    shrink = min(1, math.sqrt(LARGEST_AREA / (width * height)))
    w = max(SMALLEST_SIDE, round(width * shrink))
    h = max(SMALLEST_SIDE, round(height * shrink))
    hour = next(HOURS[name] for name in HOURS if name in tags)
    horizon = round(h * rng.uniform(0.5, 0.62))
    sun_x = round(w * rng.uniform(0.16, 0.84))
    sun_y = round(horizon * (1 - hour.altitude * rng.uniform(0.8, 1.15)))
    orb, haze, lit, shade = parse_colors(f"{hour.orb} {hour.haze} {hour.light} {hour.shade}")
    side = 1 if sun_x < w / 2 else -1
    sky = [_tinted(color, "sky", tints) for color in parse_colors(hour.sky)]
    return Stage(
        image=Image.new("RGB", (w, h)),
        tags=tags,
        orb=orb,
        haze=_tinted(haze, "sky", tints),
        lit=_tinted(lit, "sky", tints),
        shade=shade,
        sky=sky,
        covers=_choose_covers(tags, tints),
        horizon=horizon,
        sun=(sun_x, sun_y),
        side=side,
        unit=min(math.sqrt(w * h), 1.15 * h, 2 * w),
    )


def _choose_covers(tags: Sequence[str], tints: Sequence[Tint]) -> dict[str, RGB]:
    """The colors of the ground, of water and of trees, for the season."""
    codes = dict(COVERS)
    for tag in tags:
        codes |= COVERS_BY_SEASON.get(tag, {})
    covers = {}
    for cover, code in codes.items():
        color = parse_colors(code)[0]
        covers[cover] = _tinted(color, cover, tints)
    return covers


def _tinted(color: RGB, cover: str, tints: Sequence[Tint]) -> RGB:
    """A color, tinted with the colors of the prompt but as dark as before."""
    for tint in tints:
        brightness = min(1, 0.4 + 0.6 * sum(color) / (sum(tint.color) + 1))
        as_dark = mix(BLACK, tint.color, brightness)
        color = mix(color, as_dark, 0.65 if tint.target == cover else 0.1)
    return color
