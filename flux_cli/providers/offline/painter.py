"""Draws offline sketches with Pillow: a landscape for the words of a prompt.

The same arguments give the same bytes. Every step of a drawing has a random generator of its own,
seeded with the name of its function, so those functions must keep their names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

from flux_cli.core.lite import NamedTuple

RGB = tuple[int, int, int]
Dye = tuple[str, RGB]  # the thing that the prompt colors ("" if unclear), and the color
Pair = tuple[float, float]
Size = tuple[int, int]
Layer = Image.Image

NEAREST: Final = Image.Resampling.NEAREST
BLACK: Final = (0, 0, 0)
WHITE: Final = (255, 255, 255)
SMALLEST_SIDE: Final = 64
LARGEST_AREA: Final = 1_600_000
LABEL: Final = "offline sketch · not the model"
GROUND: Final = (512, 160)  # size of the map of the ground: columns, and rows from far to near


class Sketch(NamedTuple):
    """A drawn image, and the words of its prompt that are not in it."""

    image: Image.Image
    undrawn: tuple[str, ...]


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


# In order of precedence: height of the sun or moon; colors of the sun or moon, haze, light, shade, and of the sky.
HOURS: Final = {
    "dawn": (0.22, "#fff2d8 #ead6d2 #ffe2c8 #5c6488 #5c7eb4 #96acd0 #dec6d0 #ffd6b8 #ffe8cc"),
    "sunset": (0.16, "#ffe8aa #ee9e76 #ffbe82 #46365a #30366c #744e86 #d4666c #fa9654 #ffce74"),
    "dusk": (0.10, "#ffd6b0 #b07a92 #e2a096 #2e2a54 #1a1e4c #3c3876 #7e5892 #ce828e #f2b492"),
    "night": (0.62, "#eef2fa #24365c #7084b6 #0c1228 #040716 #09102c #12224a #243c6a"),
    "storm": (0.50, "#e2e4de #96a0a6 #bcc2be #363e4a #3c4452 #5c6672 #869096 #b2b8b8"),
    "noon": (0.72, "#fffcf0 #c4daec #fffae8 #546888 #225cb0 #468ad6 #80baea #bedef4"),
}
LANDS: Final = {
    "mountains": Land(
        "rock",
        (3, 3),
        6,
        1,
        (24, 20),
        0.36,
        (60, 255, 225, 140, 90, 50, 26, 16),
        (190, 150, 90, 40, 0),
    ),
    "hills": Land(
        "grass", (2, 5), 4, 0, (90, 40), 0.14, (120, 230, 200, 150, 110, 60), (190, 80, 10, 0)
    ),
    "dunes": Land(
        "sand",
        (1.5, 5),
        3,
        1,
        (12, 10),
        0.14,
        (90, 160, 200, 220, 200, 140),
        (190, 120, 60, 20, 0, 0),
    ),
    "forest": Land("grass", (2, 4), 4, 0, (90, 40), 0.12, (200, 110, 40), (225, 140, 0)),
}
COVERS: Final = {
    "rock": "#968a84", "sand": "#e2ac72", "water": "#1a4a62", "snow": "#f4f8ff", "grass": "#86a854", "tree": "#3e6650",
    "autumn grass": "#b89450", "autumn tree": "#d66c24", "snow grass": "#f4f8ff", "snow sand": "#f4f8ff",
    "snow tree": "#d0dce4",
}  # fmt: skip
AURORA: Final = (
    ("#28eb96", "#6a3cdc"),
    ("#1ec8be", "#b43cbe"),
    ("#5af082", "#3c5ae6"),
)  # color of the lower and of the upper edge
# The tags that words stand for. A color before a word applies to its last tag: "red sunset" makes the sky red.
VOCABULARY: Final = {
    "dawn sky": "dawn sunrise morning daybreak",
    "noon sky": "noon midday day daytime daylight afternoon sun sunny sunlit summer",
    "sunset sky": "sunset sundown evening hour",
    "dusk sky": "dusk twilight",
    "night sky": "night midnight moon moonlight moonlit moonrise star starry starlight",
    "night aurora sky": "aurora borealis northern",
    "storm sky": "storm stormy thunder thunderstorm overcast gloomy",
    "storm rain sky": "rain rainy raining drizzle downpour",
    "clouds sky": "cloud cloudy sky skies",
    "fog": "fog foggy mist misty haze hazy",
    "snowfall snow": "snow snowing snowfall snowflake",
    "storm snowfall snow": "blizzard snowstorm",
    "snow": "snowy winter wintry ice icy frozen frost frosty arctic glacier",
    "mountains rock": "mountain mountainous peak summit alp alpine cliff",
    "hills grass": "hill hilly valley highland countryside meadow field wheat grass grassland grassy prairie pasture",
    "dunes sand": "desert dune sahara",
    "forest tree": "forest wood woodland tree grove pine fir spruce conifer evergreen cedar",
    "autumn tree": "autumn autumnal fall",
    "water": "sea ocean water wave seascape coast coastal shore seaside reflection",
    "lake water": "lake lakeside pond river fjord bay lagoon",
    "": "a an the of in on at with and or over under by to from for into through near beside above below behind "
    "between across along is its it this that very big large small little tall huge full old high low wide deep dark "
    "light bright soft calm quiet peaceful landscape nature scenery horizon photo image image painting drawing art "
    "style scene view background beautiful stunning dramatic epic majestic detailed realistic cinematic vivid 4k 8k",
}
WORDS: Final = {
    word: tuple(tags.split()) for tags, words in VOCABULARY.items() for word in words.split()
}
HUES: Final = {
    "golden": "gold",
    "amber": "#ffb030",
    "rose": "#f08aa0",
    "emerald": "#1f9d63",
    "lavender": "#9a6cd8",
}
THINGS: Final = (
    "chocolate",
    "linen",
    "peru",
    "plum",
    "snow",
    "tomato",
    "wheat",
)  # these words are also CSS colors
# What is added to a scene with only these places.
OPEN_PLACES: Final = {
    (): (
        "mountains water",
        "mountains forest",
        "hills",
        "water",
        "mountains hills",
        "mountains dunes",
    ),
    ("lake", "water"): ("hills", "mountains", "forest"),
    ("mountains",): ("forest", "forest", "forest water", "hills"),
}


def _read(prompt: str) -> tuple[tuple[str, ...], tuple[Dye, ...], tuple[str, ...]]:
    """The tags of a prompt, its colors, and its unknown words. A missing place or hour is chosen."""
    tags: list[str] = []
    dyes: list[Dye] = []
    pending: list[RGB] = []  # colors that wait for the word they belong to
    undrawn: list[str] = []
    for word in re.findall(r"[^\W_]+", prompt.lower()):
        stem = _known_stem(word)
        if word in HUES or (word in ImageColor.colormap and word not in THINGS):
            pending += _rgbs(HUES.get(word, word))
        elif known := WORDS.get(stem, ("",)):
            tags += known
            if not stem:
                undrawn.append(word)
            for number, hue in enumerate(pending):
                dyes.append(("sky" if number else known[-1], hue))
            pending.clear()
    dyes += [("", hue) for hue in pending]
    rng = _random(prompt)
    places = tuple(place for place in (*LANDS, "lake", "water") if place in tags)
    tags += rng.choice(OPEN_PLACES.get(places, ("",))).split()
    if not any(hour in tags for hour in HOURS):
        tags.append(rng.choice(("dawn", "noon", "sunset")))
    return tuple(dict.fromkeys(tags)), tuple(dict.fromkeys(dyes)), tuple(dict.fromkeys(undrawn))


def _known_stem(word: str) -> str:
    """The word, or its singular, if it is in the vocabulary; else ""."""
    for stem in (word, word.removesuffix("s"), word.removesuffix("es")):
        if stem in WORDS:
            return stem
    return ""


def _random(*facts: object) -> Random:
    """A generator that depends on the facts only."""
    return Random("\0".join(map(str, facts)).encode("utf-8", "surrogatepass"))


def _rgbs(codes: str) -> list[RGB]:
    return [(red, green, blue) for red, green, blue, *_ in map(ImageColor.getrgb, codes.split())]


def _mix(one: RGB, other: RGB, amount: float) -> RGB:
    """A color between two: 0 gives the first, 1 the other."""
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _dyed(color: RGB, cover: str, dyes: Sequence[Dye]) -> RGB:
    """Tint a color with the colors of the prompt, as dark as the color itself."""
    for target, dye in dyes:
        even = _mix(BLACK, dye, min(1, 0.4 + 0.6 * sum(color) / (sum(dye) + 1)))
        color = _mix(color, even, 0.65 if target == cover else 0.1)
    return color


def _fade(levels: Sequence[int], size: Size) -> Layer:
    """A vertical gradient through the levels, from top to bottom."""
    return (
        Image.frombytes("L", (1, len(levels)), bytes(levels))
        .resize((1, size[1]))
        .resize(size, NEAREST)
    )


def _tone(mask: Layer, curve: Callable[[float], float]) -> Layer:
    """Apply a curve to all values, which it sees as 0 to 1."""
    levels = [max(0, min(255, round(255 * curve(level / 255)))) for level in range(256)]
    return mask.point(levels * len(mask.getbands()))


def _noise(rng: Random, size: Size, cells: Pair, octaves: int = 5, crease: float = 0) -> Layer:
    """Fractal noise: each octave has cells half as large and half as strong. `crease` makes ridges."""
    total, weight = Image.new("L", size), 0.0
    for octave in range(octaves):
        across, down = (
            min(side, round(cell * 2**octave) + 2) for side, cell in zip(size, cells, strict=True)
        )
        layer = Image.frombytes("L", (across, down), rng.randbytes(across * down)).resize(size)
        layer = _tone(layer, lambda v: v + crease * (1 - abs(2 * v - 1) - v))
        weight += 0.5**octave
        total = Image.blend(total, layer, 0.5**octave / weight)
    return ImageOps.autocontrast(total, cutoff=0.5)


def _plane(rng: Random, size: Size, cells: Pair, depth: float) -> Layer:
    """Noise on level ground in perspective: from the horizon (top) to the viewer's feet (bottom)."""
    tilt, ground = depth / size[1], _noise(rng, (512, 512), cells, 7)
    view = (512 / size[0], 256 * tilt, 0, 0, 0, 511, 0, tilt)
    return ground.transform(size, Image.Transform.PERSPECTIVE, view, Image.Resampling.BILINEAR)


def _glow(size: Size, power: float, strength: float = 1) -> Layer:
    """A round glow, brightest in the middle."""
    return _tone(
        Image.radial_gradient("L"), lambda v: strength * max(0, 1 - v * math.sqrt(2)) ** power
    ).resize(size)


class Stage(NamedTuple):
    """The unfinished image, what to draw in it, its colors, and where things are."""

    image: Layer
    tags: Sequence[str]
    orb: RGB
    haze: RGB
    lit: RGB
    shade: RGB
    sky: Sequence[RGB]
    covers: dict[str, RGB]
    horizon: int
    sun: Size
    side: int  # the light comes from the left (1) or the right (-1)
    unit: float  # pixels; sizes of things are multiples of it


def _specks(stage: Stage, rng: Random, count: int, reach: float, streak: Pair = (0, 0)) -> Layer:
    """Scatter dots, with tails if `streak` is given. Lengths are in units of the stage."""
    (w, h), mask = stage.image.size, Image.new("L", stage.image.size)
    pen = ImageDraw.Draw(mask)
    for _ in range(round(count * w * h / stage.unit**2)):
        x, y, near = rng.uniform(0, w), rng.uniform(-0.1 * h, h), rng.random() ** 3
        r, dx, dy = (part * stage.unit * (0.3 + 0.7 * near) for part in (reach, *streak))
        pen.line((x, y, x + dx, y + dy), round(70 + 185 * near), round(2 * r) + 1)
        pen.ellipse((x - r, y - r, x + r, y + r), round(70 + 185 * near))
    return mask


def _sky(stage: Stage, rng: Random) -> None:
    size = (stage.image.width, stage.horizon)
    sky = Image.merge("RGB", [_fade(levels, size) for levels in zip(*stage.sky, strict=True)])
    if "night" in stage.tags and "storm" not in stage.tags:
        stars = _specks(stage, rng, 760, 0.0014)
        stars = ImageChops.add(stars, stars.filter(ImageFilter.BoxBlur(1.2))).crop((0, 0, *size))
        sky.paste(WHITE, (0, 0), ImageChops.multiply(stars, _fade((255, 255, 200, 60, 0), size)))
    for hem, tip in AURORA if "aurora" in stage.tags else ():
        sky = ImageChops.screen(sky, _curtain(rng, size, size[0] / stage.unit, hem, tip))
    stage.image.paste(sky)


def _curtain(rng: Random, size: Size, breadth: float, hem: str, tip: str) -> Layer:
    """One curtain of an aurora: a gradient bent by noise, of which a tone curve keeps a waving band."""
    bend, rays, gaps = (
        _noise(rng, (size[0], 1), (cells * breadth, 1), 3).resize(size) for cells in (1.6, 30, 2)
    )
    rise = Image.blend(_fade((0, rng.randrange(150, 255)), size), bend, 0.3)
    rise = _tone(rise, lambda v: math.exp((v - 0.42) * 10) if v < 0.42 else 1 - (v - 0.42) * 9)
    rays = ImageChops.multiply(
        _tone(rays, lambda v: 0.25 + 0.75 * v), _tone(gaps, lambda v: 1.8 * v - 0.3)
    )
    return ImageChops.multiply(
        ImageOps.colorize(rise, "black", hem, tip, midpoint=60), rays.convert("RGB")
    )


def _orb(stage: Stage, rng: Random) -> None:
    if "storm" in stage.tags:
        return
    (x, y), strength = stage.sun, 0.5 if "night" in stage.tags else 1
    for reach, power, color in (
        (1.1, 2, stage.sky[-1]),
        (0.4, 2.2, stage.orb),
        (0.12, 1.2, stage.orb),
    ):
        half = round(stage.unit * reach * strength) + 1
        stage.image.paste(
            color, (x - half, y - half), _glow((2 * half, 2 * half), power, 0.6 * strength)
        )
    half = round(stage.unit * 0.036) + 1
    size, pale = (2 * half, 2 * half), _mix(stage.orb, WHITE, 0.5)
    dark = _mix(pale, BLACK, 0.3 * ("night" in stage.tags))
    face = ImageOps.colorize(_noise(rng, size, (3, 3), 4), dark, pale, _mix(dark, pale, 0.8))
    stage.image.paste(face, (x - half, y - half), _tone(_glow(size, 1), lambda v: v * half))


def _clouds(stage: Stage, rng: Random) -> None:
    step = round(stage.unit / 90) + 1
    size = (stage.image.width + 2 * step, stage.horizon + step)
    if "storm" in stage.tags:
        amount = 0.8
    elif "clouds" in stage.tags:
        amount = 0.6
    else:
        amount = rng.uniform(0.3, 0.5)
    field = ImageOps.flip(_plane(rng, size, (7, 14), 4))
    relief = ImageChops.subtract(
        field, ImageChops.offset(field, step * stage.side, step), 0.45, 128
    )
    dark, bright = _mix(stage.sky[0], stage.haze, 0.35), _mix(stage.lit, stage.orb, 0.5)
    body = ImageOps.colorize(
        relief, _mix(dark, stage.shade, 0.35), bright, _mix(dark, bright, 0.55)
    )
    mask = _tone(field, lambda v: min(0.92, (v - 1 + amount) * 2.6))
    stage.image.paste(
        body, (-step, -step), ImageChops.multiply(mask, _fade((255, 255, 240, 200, 120, 0), size))
    )


def _ground(stage: Stage, rng: Random) -> None:
    stage.image.paste(stage.haze, (0, stage.horizon, *stage.image.size))
    names = [name for name in LANDS if name in stage.tags]
    for name in names:
        depth = 1.1 if name == names[-1] else 0.35
        _terrain(stage, rng, name, 0.08 if "water" in stage.tags else depth)


def _terrain(stage: Stage, rng: Random, name: str, depth: float) -> None:
    """Draw the map of the ground row by row, from far to near. `depth` is how far down it reaches."""
    land, (w, h), (columns, rows) = LANDS[name], stage.image.size, GROUND
    fog = _fade(land.fog, GROUND)
    height, color = _mapped(stage, rng, land, fog)
    levels, colors = height.tobytes(), color.resize((w, rows), box=(4, 0, columns - 4, rows))
    trees, due = [_conifer(rng) for _ in range(6)] if name == "forest" else [], 0.0
    for row in range(rows - 1):  # the last row has no slope
        foot = stage.horizon + depth * (h - stage.horizon) * (row / (rows - 1)) ** 2.2
        crest = [
            foot - land.height * stage.unit * level / 255
            for level in levels[row * columns : (row + 1) * columns]
        ]
        top, bottom = (
            max(0, int(min(crest))),
            h if row == rows - 2 else min(h, int(max(crest) + stage.unit * 0.05)),
        )
        if bottom > top:
            mask = Image.new(
                "L", (2 * w, 2 * (bottom - top))
            )  # drawn at twice the size, its edge is smooth
            outline = [(2 * w * x / (columns - 1), 2 * (y - top)) for x, y in enumerate(crest)]
            ImageDraw.Draw(mask).polygon([(-2, 2 * h), *outline, (2 * w + 2, 2 * h)], 255)
            strip = colors.crop((0, row, w, row + 1)).resize((w, bottom - top), NEAREST)
            stage.image.paste(strip, (0, top), mask.reduce(2))
        if trees and foot >= due:
            tall = stage.unit * (0.01 + 0.42 * (foot - stage.horizon) / (h - stage.horizon))
            _plant(stage, rng, trees, crest, tall, fog.tobytes()[row * columns] / 255)
            due = foot + 0.2 * tall


def _mapped(stage: Stage, rng: Random, land: Land, fog: Layer) -> tuple[Layer, Layer]:
    """The map of the ground from above: its heights and its colors."""
    breadth, envelope = stage.image.width / stage.unit, _fade(land.envelope, GROUND)
    field = _noise(rng, GROUND, (land.cells[0] * breadth, land.cells[1]), land.octaves, land.crease)
    field = ImageOps.autocontrast(
        ImageChops.multiply(field, _noise(rng, GROUND, (3 * breadth, 2), 2))
    )
    height = ImageChops.multiply(field, envelope)
    slope = ImageChops.subtract(height, ImageChops.offset(height, 3 * stage.side, -1), 0.25, 128)
    cover = Image.new("RGB", GROUND, stage.covers[land.cover])
    if land.cover == "rock":
        line, edge = (
            0.18 if "snow" in stage.tags else 0.42,
            Image.blend(height, _noise(rng, GROUND, (60, 20), 3), 0.25),
        )
        cover.paste(stage.covers["snow"], (0, 0), _tone(edge, lambda v: (v - line) * 8))
    light = ImageOps.colorize(slope, stage.shade, stage.lit, _mix(stage.shade, stage.lit, 0.66))
    color = ImageChops.multiply(cover, light)
    texture = _noise(rng, GROUND, land.texture, 3).convert("RGB")
    color = Image.blend(color, ImageChops.overlay(color, texture), 0.16)
    hollows = ImageChops.multiply(
        _tone(height, lambda v: 1 - 3 * v), _fade((255, 220, 160, 90, 20, 0), GROUND)
    )
    color.paste(stage.haze, (0, 0), ImageChops.lighter(fog, hollows))
    return height, color


def _plant(
    stage: Stage,
    rng: Random,
    trees: Sequence[Layer],
    crest: Sequence[float],
    tall: float,
    fog: float,
) -> None:
    """Draw one row of trees on a crest, scattered as far as the next row."""
    w, grown = stage.image.width, []
    for k, tree in enumerate(trees):
        high = round(tall * (0.65 + 0.12 * k)) + 1
        light, mask = tree.resize((round(high * 0.42) + 1, high)).split()
        tint = Image.new(
            "RGB", light.size, _mix(stage.covers["tree"], stage.covers["grass"], k / 15)
        )
        body = ImageChops.multiply(tint, ImageOps.colorize(light, stage.shade, stage.lit))
        grown.append((Image.blend(body, Image.new("RGB", light.size, stage.haze), fog), mask))
    for _ in range(round(w / (0.25 * tall)) + 1):
        x, (body, mask) = rng.uniform(0, w - 1), rng.choice(grown)
        y = crest[int(x / w * len(crest))] + 0.2 * tall * rng.random()
        stage.image.paste(body, (round(x - body.width / 2), round(y - body.height * 0.96)), mask)


def _conifer(rng: Random) -> Layer:
    """One tree: its light, and its shape as alpha."""
    sprite = Image.new("LA", (96, 224), (40, 0))
    pen = ImageDraw.Draw(sprite)
    for k in range(92):
        side, y = k % 2 * 2 - 1, 6 + 2.2 * k
        reach = side * (3 + 43 * (k / 92) ** 0.85) * rng.uniform(0.55, 1.05)
        droop, level = (
            6 + abs(reach) * rng.uniform(0.25, 0.5),
            round(rng.uniform(20, 120) - 35 * (side - 1)),
        )
        twig = ((0, -4), (reach, droop), (reach * 0.5, droop * 0.75), (0, 14))
        pen.polygon([(48 + dx, y + dy) for dx, dy in twig], (level, 255))
    return sprite


def _water(stage: Stage, rng: Random) -> None:
    if "water" not in stage.tags:
        return
    w, h = stage.image.size
    shore = round(stage.horizon + 0.035 * h * any(land in stage.tags for land in LANDS))
    size = (w, h - shore)
    mirror = ImageOps.flip(stage.image.crop((0, max(0, shore - size[1]), w, shore)))
    near, far = (mirror.resize((w, rows)).resize(size) for rows in (8, 60))
    ripple = _plane(rng, size, (60, 260), 9)
    surface = Image.composite(near, far, _tone(ripple, lambda v: 4 * v - 1.5))
    surface.paste(
        _mix(stage.covers["water"], stage.shade, 0.35),
        (0, 0),
        _fade((35, 100, 140, 170, 190), size),
    )
    wavelets = ImageChops.multiply(
        _tone(ripple, lambda v: 4 * (v - 0.62)), _fade((20, 60, 90, 110), size)
    )
    surface.paste(_mix(stage.sky[-2], stage.lit, 0.4), (0, 0), wavelets)
    if "storm" not in stage.tags:
        lane, reach = Image.new("L", size), (round(stage.unit * 0.16), round(size[1] * 1.15))
        lane.paste(_glow((2 * reach[0], 2 * reach[1]), 1.1), (stage.sun[0] - reach[0], -reach[1]))
        surface.paste(
            stage.orb, (0, 0), ImageChops.multiply(lane, _tone(ripple, lambda v: 5 * (v - 0.52)))
        )
    stage.image.paste(surface, (0, shore))


def _weather(stage: Stage, rng: Random) -> None:
    (w, h), pale = stage.image.size, _mix(stage.lit, WHITE, 0.65)
    if "fog" in stage.tags:
        mist = _noise(rng, (w // 4, h // 4), (2.5 * w / stage.unit, 9 * h / stage.unit)).resize(
            (w, h)
        )
        depth = _fade((0, 0, 40, 150, 190, 120, 90, 60), (w, h))
        stage.image.paste(
            stage.haze, (0, 0), ImageChops.multiply(_tone(mist, lambda v: 1.5 * v - 0.1), depth)
        )
    if "rain" in stage.tags:
        rain = _specks(stage, rng, 760, 0.0006, (0.016, 0.08))
        stage.image.paste(pale, (0, 0), _tone(rain, lambda v: 0.35 * v))
    if "snowfall" in stage.tags:
        snow = _specks(stage, rng, 600, 0.005).filter(ImageFilter.BoxBlur(0.0012 * stage.unit))
        stage.image.paste(pale, (0, 0), _tone(snow, lambda v: 0.85 * v))


def draw(
    prompt: str, seed: int, width: int, height: int, *, badge: bool = True, label: str = LABEL
) -> Sketch:
    """Draw a prompt. Another seed gives another composition.

    `width` and `height` are in pixels; `badge` writes `label` into the lower right corner.
    """
    tags, dyes, undrawn = _read(prompt)
    stage = _stage(tags, dyes, _random(prompt, seed), width, height)
    for paint in (_sky, _orb, _clouds, _ground, _water, _weather):
        paint(stage, _random(prompt, seed, paint.__name__))
    image = _finished(stage).resize((width, height))
    grain = Image.frombytes(
        "L", image.size, _random(seed).randbytes(width * height)
    )  # hides steps in gradients
    image = ImageChops.add(image, _tone(grain, lambda v: v / 42).convert("RGB"), 1, -3)
    if badge:
        _badge(image, label)
    return Sketch(image, undrawn)


def _finished(stage: Stage) -> Layer:
    """Make bright parts glow and the corners darker."""
    bloom = _tone(stage.image.reduce(4), lambda v: v - 0.6).filter(
        ImageFilter.GaussianBlur(stage.unit / 110)
    )
    corners = _tone(Image.radial_gradient("L"), lambda v: 1 - 0.35 * max(0, v - 0.45) ** 1.5)
    bloom, corners = bloom.resize(stage.image.size), corners.resize(stage.image.size)
    return ImageChops.multiply(ImageChops.screen(stage.image, bloom), corners.convert("RGB"))


def _stage(tags: Sequence[str], dyes: Sequence[Dye], rng: Random, width: int, height: int) -> Stage:
    """Choose colors and places. Large images are drawn smaller and enlarged at the end."""
    shrink = min(1, math.sqrt(LARGEST_AREA / (width * height)))
    w, h = (max(SMALLEST_SIDE, round(side * shrink)) for side in (width, height))
    altitude, codes = next(HOURS[hour] for hour in HOURS if hour in tags)
    orb, haze, lit, shade, *sky = _rgbs(codes)
    haze, lit, *sky = (_dyed(hue, "sky", dyes) for hue in (haze, lit, *sky))
    seasons = {
        cover: COVERS[f"{tag} {cover}"]
        for tag in tags
        for cover in COVERS
        if f"{tag} {cover}" in COVERS
    }
    covers = {
        cover: _dyed(_rgbs(code)[0], cover, dyes) for cover, code in (COVERS | seasons).items()
    }
    horizon = round(h * rng.uniform(0.5, 0.62))
    x, y = (
        round(w * rng.uniform(0.16, 0.84)),
        round(horizon * (1 - altitude * rng.uniform(0.8, 1.15))),
    )
    unit = min(math.sqrt(w * h), 1.15 * h, 2 * w)
    side = 1 if x < w / 2 else -1
    return Stage(
        Image.new("RGB", (w, h)),
        tags,
        orb,
        haze,
        lit,
        shade,
        sky,
        covers,
        horizon,
        (x, y),
        side,
        unit,
    )


def _badge(image: Image.Image, label: str) -> None:
    """Write the label into the lower right corner, smaller in a narrow image."""
    text = "".join(sign if sign.isprintable() else " " for sign in label)
    size = max(9, round(min(image.size) * 0.019))
    font = ImageFont.load_default(3 * size)
    wide, high = round(font.getlength(text)) + 3 * size, 5 * size
    tile = Image.new("RGBA", (wide, high))
    pen = ImageDraw.Draw(tile)
    pen.rounded_rectangle((0, 0, wide - 1, high - 1), 0.35 * high, (12, 14, 20, 150))
    pen.text((wide / 2, high / 2), text, (240, 240, 240), font, anchor="mm")
    tile.thumbnail((min(wide // 3, image.width * 4 // 5 + 1), high))
    margin = tile.height // 3 + 1
    image.paste(
        tile, (image.width - tile.width - margin, image.height - tile.height - margin), tile
    )
