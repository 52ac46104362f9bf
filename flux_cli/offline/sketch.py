"""The painter of offline sketches, with Pillow alone; what asks for a picture, saves or names it lives elsewhere."""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

RGB = tuple[int, int, int]
Pair = tuple[float, float]
Size = tuple[int, int]
Mask = Image.Image

BICUBIC: Final = Image.Resampling.BICUBIC
BILINEAR: Final = Image.Resampling.BILINEAR
NEAREST: Final = Image.Resampling.NEAREST
WHITE: Final = (255, 255, 255)
SMALLEST_SIDE: Final = 64
LARGEST_AREA: Final = 1_600_000
MOST_DYES: Final = 6
GRAIN: Final = tuple(level // 37 for level in range(256))  # hides the steps of long gradients
GROUND: Final = (512, 160)  # a map of the ground: columns across, rows from far to near


class Sketch(NamedTuple):
    """A painted picture and the words of its prompt that it leaves out."""

    image: Image.Image
    undrawn: tuple[str, ...]


class Scene(NamedTuple):
    """What a prompt asks for in the painter's terms; a dye is a colour with the tag it was said of, if any."""

    tags: tuple[str, ...]
    light: str
    dyes: tuple[tuple[str, RGB], ...]
    undrawn: tuple[str, ...]


class Light(NamedTuple):
    """The colours of one hour, the sky's from the top down, and how high the sun or moon stands."""

    sky: tuple[RGB, ...]
    orb: RGB
    haze: RGB
    lit: RGB
    shade: RGB
    altitude: float


class Land(NamedTuple):
    """One kind of ground; its envelope of heights and its fog run from far to near, its last plant is the usual one."""

    cover: str
    cells: Pair
    octaves: int
    crease: float
    slope: float
    height: float
    envelope: tuple[int, ...]
    fog: tuple[int, ...]
    plants: tuple[str, ...] = ()


class Plant(NamedTuple):
    """What stands on the ground: its height near and far, then its breadth and the gap between rows, in heights."""

    sprite: Callable[[Random], Image.Image]
    near: float
    far: float
    breadth: float
    gap: float
    foot: str
    covers: tuple[str, ...]


def _rgb(code: str) -> RGB:
    red, green, blue = ImageColor.getrgb(code)[:3]
    return red, green, blue


def _light(sky: str, casts: str, altitude: float) -> Light:
    orb, haze, lit, shade = map(_rgb, casts.split())
    return Light(tuple(map(_rgb, sky.split())), orb, haze, lit, shade, altitude)


# In order of precedence, for prompts that name several.
LIGHTS: Final = {
    "neon": _light("#0e042c #380a60 #961482 #f8348e #ff9270", "#ffde70 #a02890 #ec5cbe #1a083e", 0.26),
    "dawn": _light("#5c7eb4 #96acd0 #dec6d0 #ffd6b8 #ffe8cc", "#fff2d8 #ead6d2 #ffe2c8 #5c6488", 0.22),
    "sunset": _light("#30366c #744e86 #d4666c #fa9654 #ffce74", "#ffe8aa #ee9e76 #ffbe82 #46365a", 0.16),
    "dusk": _light("#1a1e4c #3c3876 #7e5892 #ce828e #f2b492", "#ffd6b0 #b07a92 #e2a096 #2e2a54", 0.10),
    "night": _light("#040716 #09102c #12224a #243c6a", "#eef2fa #24365c #7084b6 #0c1228", 0.62),
    "storm": _light("#3c4452 #5c6672 #869096 #b2b8b8", "#e2e4de #96a0a6 #bcc2be #363e4a", 0.50),
    "noon": _light("#225cb0 #468ad6 #80baea #bedef4", "#fffcf0 #c4daec #fffae8 #546888", 0.72),
    "space": _light("#03030a #050510 #080716 #050510", "#fff0dc #1e183c #fff0e1 #0a0a18", 0.50),
}
COVERS: Final = {
    "rock": "#968a84", "sand": "#e2ac72", "beach": "#f8e6bc", "water": "#1a4a62", "snow": "#f4f8ff", "frost": "#86a09c",
    "grass": "#86a854", "straw": "#b89450", "needle": "#3e6650", "leaf": "#709c42", "olive": "#889c3c",
    "rust": "#d66c24", "amber": "#e0a030", "bloom": "#ffb4d0", "petal": "#ec6060", "pollen": "#f8d66e",
    "wall": "#70707c", "pane": "#ffce78",
}  # fmt: skip
SEASONS: Final = {
    ("autumn", "leaf"): "rust", ("autumn", "olive"): "amber", ("autumn", "grass"): "straw",
    ("blossom", "leaf"): "bloom", ("blossom", "olive"): "bloom", ("noon", "pane"): "frost",
    ("snow", "grass"): "snow", ("snow", "sand"): "snow", ("snow", "needle"): "frost",
}  # fmt: skip
LANDS: Final = {
    "mountains": Land("rock", (3, 3), 6, 1, 3.2, 0.36, (60, 255, 225, 140, 90, 50, 26, 16), (190, 150, 90, 40, 0)),
    "hills": Land("grass", (2, 5), 4, 0, 3.0, 0.14, (120, 230, 200, 150, 110, 60), (190, 80, 10, 0), ("grass",)),
    "dunes": Land("sand", (1.5, 5), 3, 1, 4.5, 0.14, (90, 160, 200, 220, 200, 140), (190, 120, 60, 20, 0, 0)),
    "forest": Land("grass", (2, 4), 4, 0, 1.5, 0.12, (200, 110, 40), (225, 140, 0), ("broadleaf", "conifer")),
    "city": Land("wall", (1, 1), 1, 0, 0.5, 0.01, (0, 0), (190, 140, 70, 20), ("tower",)),
    "meadow": Land("grass", (2, 3), 4, 0, 1.2, 0.07, (60, 90, 60, 30), (170, 110, 50, 10, 0), ("flowers", "grass")),
    "isles": Land("grass", (3, 2), 4, 0, 1.2, 0.08, (140, 60, 0), (200, 170, 140)),
    "beach": Land("beach", (1, 2), 3, 0, 1.0, 0.05, (110, 90, 160, 120), (0, 0)),
}
VOCABULARY: Final = {
    "dawn": "dawn sunrise morning daybreak",
    "noon": "noon midday day daytime daylight afternoon sun sunny sunlit summer",
    "sunset": "sunset sundown evening hour",
    "dusk": "dusk twilight",
    "night": "night midnight moon moonlight moonlit moonrise star starry starlight milky",
    "neon": "neon cyberpunk futuristic",
    "neon retro grid": "synthwave retrowave vaporwave outrun retro grid",
    "storm overcast": "storm stormy thunder thunderstorm overcast gloomy",
    "storm overcast rain": "rain rainy raining drizzle downpour",
    "snow snowfall": "snow snowing snowfall snowflake",
    "storm overcast snow snowfall": "blizzard snowstorm",
    "snow": "snowy winter wintry ice icy frozen frost frosty arctic glacier",
    "fog": "fog foggy mist misty haze hazy",
    "clouds": "cloud cloudy sky skies",
    "night aurora": "aurora borealis northern",
    "mountains": "mountain mountainous peak summit alp alpine cliff",
    "hills": "hill hilly valley highland countryside",
    "dunes": "desert dune sahara",
    "meadow": "meadow field grass grassland grassy prairie plain pasture farm farmland steppe savanna",
    "meadow flowers": "flower wildflower floral bloom blooming poppy tulip daisy lavender",
    "forest": "forest wood woodland tree grove pine fir spruce conifer evergreen cedar",
    "broadleaf forest": "jungle rainforest oak maple birch beech orchard",
    "forest broadleaf blossom": "sakura cherry blossom",
    "broadleaf autumn": "autumn autumnal fall",
    "flowers": "spring springtime",
    "water": "lake pond river sea ocean water fjord bay lagoon reflection seascape",
    "water beach": "beach coast coastal shore seaside seashore",
    "water city": "city cityscape skyline town urban downtown building skyscraper metropolis street road alley",
    "space": "space cosmos cosmic galaxy universe nebula interstellar",
    "space planet": "planet jupiter mars venus neptune uranus",
    "space planet rings": "saturn ring",
    "abstract": "abstract wave wavy pattern geometric gradient flowing fluid curve swirl",
    "watercolour": "watercolour watercolor aquarelle",
    "pixels": "pixel pixelated",
    "": "a an the of in on at with and or over under by to from for into through near beside above below behind "
    "between across along is are its it this that s very some big large small little tiny tall huge full old "
    "high low wide deep dark light lights lit bright soft calm quiet serene peaceful sand sandy landscape "
    "nature scenery horizon way photo photograph photography photorealistic picture image painting drawing "
    "illustration render art artwork style scene view wallpaper background beautiful stunning gorgeous pretty "
    "dramatic epic majestic detailed realistic cinematic masterpiece quality resolution atmospheric vivid "
    "colorful colourful minimalist hd 4k 8k",
}
WORDS: Final = {word: tuple(tags.split()) for tags, words in VOCABULARY.items() for word in words.split()}
HUES: Final = {
    "golden": "gold", "amber": "#ffb030", "rose": "#f08aa0", "emerald": "#1f9d63", "scarlet": "crimson",
    "azure": "#2a8cff", "lavender": "#9a6cd8",
}  # fmt: skip
NOT_HUES: Final = ("chocolate", "linen", "peru", "plum", "snow", "tomato", "wheat")  # web colours named after things
WEARERS: Final = {
    "rock": ("mountains",), "grass": ("hills", "meadow"), "sand": ("dunes",), "beach": ("beach",), "water": ("water",),
    "needle": ("forest",), "leaf": ("forest", "blossom", "autumn"), "olive": ("forest", "blossom", "autumn"),
    "petal": ("flowers",), "pollen": ("flowers",), "bloom": ("flowers",), "wall": ("city",),
    "sky": ("clouds", "dawn", "sunset", "dusk", "aurora"),
}  # fmt: skip
EARTHLY: Final = (*LANDS, "water", "grid")
OPEN_PLACES: Final = (
    "mountains water", "forest mountains", "hills", "water", "meadow flowers hills", "dunes mountains",
)  # fmt: skip
FOREGROUNDS: Final = ("forest", "forest", "forest water", "meadow")
OPEN_HUES: Final = ("#1aa6a6 #ff8a70 #f4e4cc", "#2a4d9c #e86a92 #f7c873", "#5b3a8c #48b5c4 #f2a7c3")
OPEN_HOURS: Final = ("dawn", "noon", "sunset")


def read(prompt: str) -> Scene:
    """Read what the prompt asks for; a place or hour it leaves open is chosen by its hash."""
    tags: list[str] = []
    dyes: list[tuple[str, RGB]] = []
    said: list[RGB] = []
    undrawn: list[str] = []
    for word in re.findall(r"[^\W_]+", prompt.lower()):
        stem = next((stem for stem in (word, word.removesuffix("s"), word.removesuffix("es")) if stem in WORDS), "")
        known, hued = WORDS.get(stem, ()), word in HUES or (word in ImageColor.colormap and word not in NOT_HUES)
        if hued:
            said.append(_rgb(HUES.get(word, word)))
        if not known and (hued or stem):
            continue
        tags += known
        undrawn += [] if known else [word]
        dyes += [(known[-1] if known else "", hue) for hue in said]
        said.clear()
    dyes += [("", hue) for hue in said]
    tags += _unsaid(tags, _random(prompt))
    light = next(name for name in LIGHTS if name in tags)
    return Scene(
        tuple(dict.fromkeys(tags)), light, tuple(dict.fromkeys(dyes))[:MOST_DYES], tuple(dict.fromkeys(undrawn))
    )


def _unsaid(tags: Sequence[str], rng: Random) -> list[str]:
    """Complete a scene: its place, its hour, and whether it is on earth."""
    more: list[str] = []
    places = [tag for tag in tags if tag in EARTHLY]
    if not places and "space" not in tags and "abstract" not in tags:
        more += rng.choice(OPEN_PLACES).split()
    elif places and all(place == "mountains" for place in places):
        more += rng.choice(FOREGROUNDS).split()
    if places or more:
        more.append("earth")
    if not any(name in tags for name in LIGHTS if name != "space" or "earth" not in more):
        more.append("night" if "space" in tags else rng.choice(OPEN_HOURS))
    return more


def _random(*facts: object) -> Random:
    text = "\0".join(map(str, facts)).encode("utf-8", "surrogatepass")
    return Random(int.from_bytes(hashlib.blake2b(text).digest()))


def _mix(one: RGB, other: RGB, amount: float) -> RGB:
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _times(one: RGB, other: RGB) -> RGB:
    return one[0] * other[0] // 255, one[1] * other[1] // 255, one[2] * other[2] // 255


def _dyed(colour: RGB, cover: str, dyes: Sequence[tuple[str, RGB]]) -> RGB:
    """Give the colour the dyes' hue at, mostly, its own brightness."""
    for said_of, dye in dyes:
        here, there = (0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2] for c in (colour, dye))
        even = _mix((0, 0, 0), dye, here / there) if here < there else _mix(dye, WHITE, (here - there) / (256 - there))
        amount = 0.3 if not said_of else 0.75 if said_of in WEARERS.get(cover, ()) else 0.12
        colour = _mix(colour, _mix(even, dye, 0.4), amount)
    return colour


def _ramp(stops: Sequence[RGB], size: Size) -> Image.Image:
    column = Image.frombytes("RGB", (1, len(stops)), bytes(level for stop in stops for level in stop))
    return column.resize((1, size[1]), BICUBIC).resize(size, NEAREST)


def _fade(levels: Sequence[int], size: Size) -> Mask:
    return _ramp([(level, level, level) for level in levels], size).getchannel(0)


def _tone(image: Image.Image, curve: Callable[[float], float]) -> Image.Image:
    levels = [max(0, min(255, round(255 * curve(level / 255)))) for level in range(256)]
    return image.point(levels * len(image.getbands()))


def _noise(rng: Random, size: Size, cells: Pair, octaves: int = 5, crease: float = 0) -> Mask:
    total, weight = Image.new("L", size), 0.0
    for octave in range(octaves):
        across, down = (min(side, round(cell * 2**octave) + 2) for side, cell in zip(size, cells, strict=True))
        layer = Image.frombytes("L", (across, down), rng.randbytes(across * down)).resize(size, BICUBIC)
        weight += 0.5**octave
        layer = _tone(layer, lambda v: v + crease * (1 - abs(2 * v - 1) - v)) if crease else layer
        total = Image.blend(total, layer, 0.5**octave / weight)
    return ImageOps.autocontrast(total, cutoff=0.5)


def _plane(rng: Random, size: Size, cells: Pair, depth: float) -> Mask:
    """Lay noise on level ground: the first row is the horizon, the last row is at the viewer's feet."""
    half = (size[0] // 2, size[1] // 2 + 1)
    tilt, scale = depth / half[1], 512 / half[0]
    view = (scale, 256 * tilt, 0, 0, 0, 511, 0, tilt)
    field = _noise(rng, (512, 512), cells, 7).transform(half, Image.Transform.PERSPECTIVE, view, BILINEAR)
    return field.resize(size, BICUBIC)


def _relief(field: Mask, dx: int, dy: int, gain: float) -> Mask:
    """Light the field from the side (-dx, -dy): mid grey is level."""
    shifted = field.copy()
    shifted.paste(field, (dx, dy))
    return ImageChops.subtract(field, shifted, 1 / gain, 128)


def _glow(size: Size, power: float, strength: float = 1) -> Mask:
    light = _tone(Image.radial_gradient("L"), lambda v: strength * max(0, 1 - v * math.sqrt(2)) ** power)
    return light.resize(size, BICUBIC)


def _shape(size: Size, outline: Sequence[Pair]) -> Mask:
    """Cut out the outline; drawing it at twice the size smooths its edges."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    ImageDraw.Draw(mask).polygon([(2 * x, 2 * y) for x, y in outline], 255)
    return mask.reduce(2)


@dataclass(slots=True)
class Stage:
    """The picture under way and where its things stand."""

    image: Image.Image
    scene: Scene
    light: Light
    horizon: int
    sun: Size
    unit: float

    def has(self, *tags: str) -> bool:
        """Tell whether the scene has any of the tags."""
        return any(tag in self.scene.tags for tag in tags)

    def side(self) -> int:
        """Tell where the light comes from: 1 is the left, -1 the right."""
        return 1 if self.sun[0] < self.image.width / 2 else -1

    def shades(self, cover: str) -> tuple[RGB, RGB]:
        """Colour a cover in shadow and in light."""
        season = next((SEASONS[tag, cover] for tag in self.scene.tags if (tag, cover) in SEASONS), cover)
        colour = _dyed(_rgb(COVERS[season]), cover, self.scene.dyes)
        lit = WHITE if season == "pane" else self.light.lit  # windows shine of themselves
        return _times(colour, self.light.shade), _times(colour, lit)

    def hues(self, said_of: str, otherwise: str) -> list[RGB]:
        """List the colours the prompt names for one thing or for nothing in particular."""
        return [hue for tag, hue in self.scene.dyes if tag in ("", said_of)] or list(map(_rgb, otherwise.split()))

    def shine(self, centre: Pair, reach: float, colour: RGB, power: float, strength: float) -> None:
        """Lay a soft round light over the picture."""
        side = round(2 * reach) + 2
        corner = (round(centre[0] - side / 2), round(centre[1] - side / 2))
        self.image.paste(colour, corner, _glow((side, side), power, strength))


def _sky(stage: Stage, _rng: Random) -> None:
    w, h = stage.image.size
    stage.image.paste(_ramp(stage.light.sky, (w, stage.horizon if stage.has("earth") else h)))


def _specks(stage: Stage, rng: Random, count: int, reach: float, streak: Pair = (0, 0)) -> Mask:
    """Strew dots, or streaks, over the picture; lengths are in the stage's units."""
    w, h = stage.image.size
    mask = Image.new("L", (w, h))
    pen = ImageDraw.Draw(mask)
    for _ in range(round(count * w * h / stage.unit**2)):
        x, y, near = rng.uniform(0, w), rng.uniform(-0.1 * h, h), rng.random() ** 2
        r, dx, dy = (part * stage.unit * (0.4 + 0.6 * near) for part in (reach, *streak))
        level = round(70 + 185 * near)
        if dy:
            pen.line((x, y, x + dx, y + dy), level, round(2 * r) + 1)
        else:
            pen.ellipse((x - r, y - r, x + r, y + r), level)
    return mask


def _stars(stage: Stage, rng: Random) -> None:
    w, h = stage.image.size
    mask = ImageChops.lighter(_specks(stage, rng, 700, 0.0003), _specks(stage, rng, 60, 0.0014))
    mask = ImageChops.add(mask, mask.filter(ImageFilter.BoxBlur(1.2)))
    if stage.has("earth"):
        mask = ImageChops.multiply(mask, _fade((255, 255, 200, 60, 0), (w, stage.horizon)).crop((0, 0, w, h)))
    stage.image.paste((244, 246, 255), (0, 0), mask)


def _nebula(stage: Stage, rng: Random) -> None:
    w, h = stage.image.size
    size, breadth, depth = (w // 3, h // 3), w / stage.unit, h / stage.unit
    hues = stage.hues("space", "#783cbe #286ec8")[:3]
    gas = Image.new("RGB", size)
    for hue in (*hues, _mix(hues[0], (255, 190, 140), 0.6), _mix(hues[-1], (40, 60, 160), 0.5)):
        cloud = ImageChops.multiply(_noise(rng, (512, 512), (5, 5), 7), _noise(rng, (512, 512), (3, 3), 3))
        cloud = cloud.rotate(rng.uniform(0, 360), BILINEAR).crop((75, 75, 437, 437)).resize(size, BICUBIC)
        cloud = _tone(cloud, lambda v: 1.5 * (v - 0.2))
        gas = ImageChops.screen(gas, ImageOps.colorize(cloud, (0, 0, 0), _mix(hue, WHITE, 0.3), hue))
    dust = _tone(_noise(rng, size, (3 * breadth, 3 * depth), 6, 1), lambda v: 1.25 - 0.9 * v)
    gas = ImageChops.multiply(gas, dust.convert("RGB")).resize((w, h), BICUBIC)
    stage.image = ImageChops.screen(stage.image, gas)


def _planet(stage: Stage, rng: Random) -> None:
    d, tilt = round(stage.unit * rng.uniform(0.3, 0.42)), rng.uniform(-28, 28)
    floor = stage.horizon if stage.has("earth") else stage.image.height
    x, y = (round(side * rng.uniform(0.34, 0.66)) for side in (stage.image.width, floor))
    hue = rng.choice(stage.hues("planet", "#ceaa78 #6e96c8 #be6e5a"))
    stage.shine((x, y), d * 0.85, _mix(hue, WHITE, 0.3), 3, 0.5)
    bands = Image.blend(_noise(rng, (256, 256), (1, 9), 5), _noise(rng, (256, 256), (4, 24), 4), 0.25)
    ball = ImageOps.colorize(bands, _mix(hue, (30, 20, 50), 0.6), _mix(hue, (255, 250, 235), 0.75), hue)
    ball = ball.rotate(tilt, BICUBIC).crop((37, 37, 219, 219)).resize((d, d), BICUBIC)
    left, top = round(d * (0.5 + 0.26 * stage.side())), round(d * 0.72)
    day = _tone(_glow((2 * d, 2 * d), 0.75), lambda v: 1.8 * v - 0.28).crop((left, top, left + d, top + d))
    disc = Image.new("L", (4 * d, 4 * d))
    ImageDraw.Draw(disc).ellipse((4, 4, 4 * d - 5, 4 * d - 5), 255)
    parts = [(ImageChops.multiply(ball, day.convert("RGB")), disc.reduce(4))]
    if stage.has("rings"):
        tint = _mix(hue, (255, 246, 230), 0.6)
        far, near = ((Image.new("RGB", half.size, tint), half) for half in _ring(rng, d, tilt))
        parts = [far, *parts, near]
    for body, mask in parts:
        stage.image.paste(body, (x - body.width // 2, y - body.height // 2), mask)


def _ring(rng: Random, d: int, tilt: float) -> list[Mask]:
    """Cut out the ring's far half and near half."""
    grooves = _noise(rng, (256, 1), (14, 1), 4).tobytes()
    disc = Image.radial_gradient("L").resize((512, 512), BICUBIC)
    flat = disc.point([round(grooves[v] * 0.85) if 104 < v < 176 else 0 for v in range(256)])
    flat = flat.resize((round(d * 2.5), round(d * 0.7)), BICUBIC)
    sights = (Image.frombytes("L", (1, 2), sight).resize(flat.size, NEAREST) for sight in (b"\xff\0", b"\0\xff"))
    return [ImageChops.multiply(flat, sight).rotate(tilt, BICUBIC, expand=True) for sight in sights]


def _aurora(stage: Stage, rng: Random) -> None:
    w, h = stage.image.width, stage.horizon
    size = (w // 3, h // 3)
    glow = Image.new("RGB", size)
    for hem, tip in (("#28eb96", "#6a3cdc"), ("#1ec8be", "#b43cbe"), ("#5af082", "#3c5ae6")):
        rise, rays = _curtain(rng, size, w / stage.unit)
        light = ImageOps.colorize(rise, (0, 0, 0), _rgb(hem), _rgb(tip), midpoint=60)
        glow = ImageChops.screen(glow, ImageChops.multiply(light, rays.convert("RGB")))
    glow = ImageChops.screen(glow, glow.filter(ImageFilter.GaussianBlur(stage.unit / 60))).resize((w, h), BICUBIC)
    stage.image.paste(ImageChops.screen(stage.image.crop((0, 0, w, h)), glow))


def _curtain(rng: Random, size: Size, breadth: float) -> tuple[Mask, Mask]:
    """Bend a gradient down the sky by a row of noise, so that one tone curve cuts out a waving hem and its rise."""
    bend, rays, patches = (
        _noise(rng, (size[0], 1), (cells * breadth, 1), 3).resize(size, NEAREST) for cells in (1.6, 30, 2)
    )
    foot = rng.uniform(0.36, 0.6)
    sky = Image.blend(_fade((0, 255), size), bend, 0.3)
    rise = _tone(sky, lambda v: math.exp((v - foot) * 10) if v < foot else 1 - (v - foot) * 9)
    return rise, ImageChops.multiply(_tone(rays, lambda v: 0.25 + 0.75 * v), _tone(patches, lambda v: 1.8 * v - 0.3))


def _orb(stage: Stage, rng: Random) -> None:
    light, strength = stage.light, 0.5 if stage.scene.light == "night" else 1
    for reach, power, colour in ((1.1, 2, light.sky[-1]), (0.4, 2.2, light.orb), (0.12, 1.2, light.orb)):
        stage.shine(stage.sun, stage.unit * reach * strength, colour, power, 0.6 * strength)
    radius = round(stage.unit * (0.1 if stage.has("retro") else 0.036)) + 1
    disc = Image.new("L", (8 * radius, 8 * radius))
    pen = ImageDraw.Draw(disc)
    pen.ellipse((0, 0, 8 * radius - 1, 8 * radius - 1), 255)
    face = Image.new("RGB", (2 * radius, 2 * radius), _mix(light.orb, WHITE, 0.5))
    if stage.has("retro"):
        face = _ramp(((255, 236, 120), (255, 160, 90), (255, 60, 150)), face.size)
        for bar in range(6):
            top = radius * (4 + 0.62 * bar)
            pen.rectangle((0, top, 8 * radius, top + radius * (0.06 + 0.06 * bar)), 0)
    elif stage.scene.light == "night":
        face = ImageOps.colorize(_noise(rng, face.size, (3, 3), 4), (176, 180, 192), (252, 252, 246), (236, 238, 238))
    stage.image.paste(face, (stage.sun[0] - radius, stage.sun[1] - radius), disc.reduce(4))


def _clouds(stage: Stage, rng: Random) -> None:
    light, step = stage.light, round(stage.unit / 90) + 1
    size = (stage.image.width + 2 * step, stage.horizon + step)
    amount = 0.8 if stage.has("overcast") else 0.6 if stage.has("clouds") else rng.uniform(0.3, 0.5)
    field = ImageOps.flip(_plane(rng, size, (7, 14), 4))
    mask = _tone(field, lambda v: min(0.92, (v - 1 + amount) * 2.6))
    dark = _mix(_mix(light.sky[0], light.haze, 0.35), light.shade, 0.35)
    bright = _mix(light.lit, light.orb, 0.5)
    body = ImageOps.colorize(_relief(field, step * stage.side(), step, 2.2), dark, bright, _mix(dark, bright, 0.55))
    mask = ImageChops.multiply(mask, _fade((255, 255, 240, 200, 120, 0), size))
    stage.image.paste(body, (-step, -step), mask)


def _ground(stage: Stage, rng: Random) -> None:
    w, h = stage.image.size
    flat = stage.has("water", "grid")
    stage.image.paste(stage.light.haze, (0, stage.horizon, w, h))
    names = [name for name in LANDS if stage.has(name) and not (flat and name in ("beach", "meadow"))]
    if flat and not names and rng.random() < 0.7:
        names = ["isles"]
    for name in names:
        depth = 0.035 if flat else 1 if name == names[-1] else 0.16
        _terrain(stage, rng, name, stage.horizon, min(1.05 * h, stage.horizon + depth * h))


def _waves(stage: Stage, rng: Random) -> None:
    (w, h), layers = stage.image.size, 9
    hues = stage.hues("abstract", rng.choice(OPEN_HUES))
    hues.append(_mix(hues[0], (250, 236, 214), 0.75))
    stage.image.paste(_ramp((_mix(hues[0], WHITE, 0.3), hues[-1]), (w, h)))
    for layer in range(layers):
        hue = hues[layer % len(hues)]
        light, dark, shadow = _mix(hue, WHITE, 0.3), _mix(hue, (30, 20, 60), 0.35), _mix(hue, (20, 10, 40), 0.8)
        swells = [(rng.uniform(2, 6) * k, rng.uniform(0, math.tau), 0.075 * h / k) for k in (0.5, 1, 2)]
        base = h * (layer + 0.6) / layers
        crest = [
            base + sum(rise * math.sin(turns * x / 96 + start) for turns, start, rise in swells) for x in range(97)
        ]
        mask = _shape((w, h), [(-1, h + 1), *((w * x / 96, y) for x, y in enumerate(crest)), (w + 1, h + 1)])
        cast = mask.resize((w // 8, h // 8), BILINEAR).filter(ImageFilter.GaussianBlur(stage.unit / 260))
        stage.image.paste(shadow, (0, -h // 90), _tone(cast, lambda v: 0.4 * v).resize((w, h), BICUBIC))
        body = Image.new("RGB", (w, h), dark)
        body.paste(_ramp((light, hue, dark), (w, int(h * 0.4))), (0, int(min(crest))))
        stage.image.paste(body, (0, 0), mask)


def _shore(stage: Stage, rng: Random) -> None:
    for name in ("meadow", "beach"):
        if stage.has(name):
            _terrain(stage, rng, name, 0.82 * stage.image.height, stage.image.height)


def _terrain(stage: Stage, rng: Random, name: str, top: float, bottom: float) -> None:
    """Stand a map of the ground up, row before row from the far end to the near one."""
    land, (w, h), (columns, depth) = LANDS[name], stage.image.size, GROUND
    fog = _fade([round(level + (255 - level) * 0.35 * stage.has("fog")) for level in land.fog], (1, depth)).tobytes()
    height, colour = _mapped(stage, rng, land, fog)
    levels, colours = height.tobytes(), colour.resize((w, depth), BICUBIC, (4, 0, columns - 4, depth))
    plant = next((PLANTS[kind] for kind in land.plants if stage.has(kind) or kind == land.plants[-1]), None)
    sprites, due = [plant.sprite(rng) for _ in range(6)] if plant else [], top
    stride = 1 if bottom - top > h / 10 else 2
    for row in range(stride - 1, depth, stride):
        foot = top + (bottom - top) * (row / (depth - 1)) ** 2.2
        crest = [foot - land.height * stage.unit * level / 255 for level in levels[row * columns : (row + 1) * columns]]
        first, last = max(0, int(min(crest))), h if row == depth - 1 else min(h, int(max(crest) + stage.unit * 0.05))
        if last > first:
            outline = [(w * x / (columns - 1), y - first) for x, y in enumerate(crest)]
            mask = _shape((w, last - first), [(-1, last - first), *outline, (w + 1, last - first)])
            stage.image.paste(colours.crop((0, row, w, row + 1)).resize((w, last - first), NEAREST), (0, first), mask)
        if plant and foot >= due:
            tall = stage.unit * (plant.far + plant.near * (foot - stage.horizon) / (h - stage.horizon))
            grown = _grown(stage, plant, sprites, tall, fog[row] / 255)
            _sow(stage, rng, grown, crest, plant.gap * tall)
            due = foot + plant.gap * tall


def _mapped(stage: Stage, rng: Random, land: Land, fog: bytes) -> tuple[Image.Image, Image.Image]:
    """Map the ground's height and colour, seen from above."""
    breadth = stage.image.width / stage.unit
    field = _noise(rng, GROUND, (land.cells[0] * breadth, land.cells[1]), land.octaves, land.crease)
    field = ImageOps.autocontrast(ImageChops.multiply(field, _noise(rng, GROUND, (3 * breadth, 2), 2)))
    envelope = _fade(land.envelope, GROUND)
    height = ImageChops.multiply(field, envelope)
    slope = _relief(field, 3 * stage.side(), -1, land.slope)
    slope = Image.composite(slope, Image.new("L", GROUND, 128), _tone(envelope, math.sqrt))
    colour = _clothed(slope, stage.shades(land.cover))
    if land.cover == "rock":
        snowline = 0.18 if stage.has("snow") else 0.42
        edge = Image.blend(height, _noise(rng, GROUND, (60, 20), 3), 0.25)
        colour.paste(_clothed(slope, stage.shades("snow")), (0, 0), _tone(edge, lambda v: (v - snowline) * 8))
    colour = Image.blend(colour, ImageChops.overlay(colour, _noise(rng, GROUND, (12, 10), 6).convert("RGB")), 0.22)
    mist = Image.frombytes("L", (1, GROUND[1]), fog).resize(GROUND, NEAREST)
    hollows = ImageChops.multiply(_tone(height, lambda v: 1 - 3 * v), _fade((255, 220, 160, 90, 20, 0), GROUND))
    colour.paste(stage.light.haze, (0, 0), ImageChops.lighter(mist, hollows))
    return height, colour


def _clothed(slope: Mask, shades: tuple[RGB, RGB]) -> Image.Image:
    return ImageOps.colorize(slope, *shades, mid=_mix(*shades, 0.66))


def _grown(
    stage: Stage, plant: Plant, sprites: Sequence[Image.Image], tall: float, fog: float
) -> list[tuple[Image.Image, Mask]]:
    """Bring the sprites, each a picture of light and a mask, to one row's size and colours."""
    grown = []
    for k, sprite in enumerate(sprites):
        high = round(tall * (0.65 + 0.12 * k)) + 1
        light, mask = sprite.resize((round(high * plant.breadth) + 1, high), BICUBIC).split()
        shade, lit = stage.shades(plant.foot)[0], stage.shades(plant.covers[k % len(plant.covers)])[1]
        shade, lit = _mix(shade, stage.light.haze, fog), _mix(lit, stage.light.haze, fog)
        grown.append((ImageOps.colorize(light, shade, lit), mask))
    return grown


def _sow(stage: Stage, rng: Random, grown: Sequence[tuple[Image.Image, Mask]], crest: list[float], gap: float) -> None:
    """Stand one row of plants on the crest, strewn as far as the next row."""
    w = stage.image.width
    for _ in range(round(w / (0.6 * grown[3][0].width)) + 1):
        x, (body, mask) = rng.uniform(0, w - 1), rng.choice(grown)
        y = crest[int(x / w * len(crest))] + gap * rng.random()
        stage.image.paste(body, (round(x - body.width / 2), round(y - body.height * 0.96)), mask)


def _conifer(rng: Random) -> Image.Image:
    sprite = Image.new("LA", (96, 224), (40, 0))
    pen = ImageDraw.Draw(sprite)
    pen.rectangle((45, 10, 51, 224), (30, 255))
    for k in range(46):
        for side in (-1, 1):
            y, reach = 6 + 4.4 * k, side * (3 + 43 * (k / 46) ** 0.85) * rng.uniform(0.55, 1.05)
            droop, level = 6 + abs(reach) * rng.uniform(0.25, 0.5), round(rng.uniform(20, 120) - 35 * (side - 1))
            twig = ((0, -4), (reach, droop), (reach * 0.5, droop * 0.75), (0, 14))
            pen.polygon([(48 + dx, y + dy) for dx, dy in twig], (level, 255))
    return sprite


def _broadleaf(rng: Random) -> Image.Image:
    w, h = 192, 208
    sprite = Image.new("LA", (w, h), (40, 0))
    pen = ImageDraw.Draw(sprite)
    pen.polygon(((90, h), (93, h / 2), (99, h / 2), (102, h)), (10, 255))
    boughs = [(w * rng.uniform(0.26, 0.74), h * rng.uniform(0.22, 0.6), w * rng.uniform(0.1, 0.22)) for _ in range(10)]
    for x, y, r, shine in [(*bough, shine) for shine in (0, 50, 100) for bough in boughs]:
        for _ in range(40):
            angle, off, dab = rng.uniform(0, math.tau), r * math.sqrt(rng.random()), rng.uniform(2, 6)
            at, up = x + off * math.cos(angle) - shine * r / 400, y + off * math.sin(angle) - shine * r / 190
            level = max(0, min(255, round(rng.uniform(20, 90) + shine * 1.6 - 60 * up / h)))
            pen.ellipse((at - dab, up - dab, at + dab, up + dab * 0.7), (level, 255))
    return sprite


def _grass(rng: Random) -> Image.Image:
    sprite = Image.new("LA", (128, 80), (60, 0))
    pen = ImageDraw.Draw(sprite)
    for _ in range(70):
        x, y, lean, tall = rng.uniform(16, 112), rng.uniform(62, 80), rng.uniform(-14, 14), rng.uniform(16, 60)
        for k in range(4):
            span = [(x + lean * (t / 4) ** 2, y - tall * t / 4) for t in (k, k + 1)]
            pen.line(span, (round(80 + 40 * k + rng.uniform(0, 40)), 255), 4 - k)
    return sprite


def _flowers(rng: Random) -> Image.Image:
    sprite = _grass(rng)
    pen = ImageDraw.Draw(sprite)
    for _ in range(26):
        x, y, r = rng.uniform(12, 116), rng.uniform(6, 50), rng.uniform(2, 5)
        pen.ellipse((x - r, y - r, x + r, y + r * 0.8), (round(rng.uniform(170, 255)), 255))
    return sprite


def _tower(rng: Random) -> Image.Image:
    sprite = Image.new("LA", (96, 320), (30, 0))
    pen = ImageDraw.Draw(sprite)
    left, top, level = rng.randrange(4, 28), rng.choice((16, 60, 110, 170)) + rng.randrange(30), rng.randrange(20)
    pen.rectangle((left, top, 96 - left, 320), (level, 255))
    pen.rectangle((left + 14, top - 12, 82 - left, top), (level, 255))
    pen.line((48, top - 44, 48, top), (level, 255 * rng.randrange(2)), 2)
    for x in range(left + 5, 88 - left, 10):
        for y in range(top + 8, 316, 13):
            pane = round(110 + 145 * rng.random()) if rng.random() < 0.4 else level + 16
            pen.rectangle((x, y, x + 5, y + 7), (pane, 255))
    return sprite


PLANTS: Final = {
    "conifer": Plant(_conifer, 0.42, 0.01, 0.42, 0.2, "needle", ("needle",)),
    "broadleaf": Plant(_broadleaf, 0.36, 0.01, 0.9, 0.2, "leaf", ("leaf", "leaf", "olive")),
    "flowers": Plant(_flowers, 0.09, 0.002, 1.3, 0.25, "grass", ("petal", "pollen", "bloom", "petal")),
    "grass": Plant(_grass, 0.07, 0.002, 1.6, 0.17, "grass", ("grass",)),
    "tower": Plant(_tower, 0.2, 0.32, 0.3, 0.06, "wall", ("pane",)),
}


def _water(stage: Stage, rng: Random) -> None:
    (w, h), light = stage.image.size, stage.light
    shore = round(stage.horizon + 0.035 * h * stage.has("mountains", "hills", "dunes", "forest", "city"))
    size = (w, h - shore)
    mirror = ImageOps.flip(stage.image.crop((0, max(0, shore - size[1]), w, shore))).resize(size, BICUBIC)
    stretched = mirror.transform(size, Image.Transform.AFFINE, (1, 0, 0, 0, 0.93, 0), BILINEAR)
    ripple = _plane(rng, size, (60, 260), 9)
    surface = Image.composite(stretched, mirror, _tone(ripple, lambda v: 4 * v - 1.5))
    deep = _mix(*stage.shades("water"), 0.65)
    surface.paste(deep, (0, 0), _fade((60, 100, 140, 170, 190), size))
    wavelets = ImageChops.multiply(_tone(ripple, lambda v: 4 * (v - 0.62)), _fade((20, 60, 90, 110), size))
    surface.paste(_mix(light.sky[-2], light.lit, 0.4), (0, 0), wavelets)
    if not stage.has("overcast"):
        lane, reach = Image.new("L", size), (round(stage.unit * 0.16), round(size[1] * 1.15))
        lane.paste(_glow((2 * reach[0], 2 * reach[1]), 1.1), (stage.sun[0] - reach[0], -reach[1]))
        surface.paste(light.orb, (0, 0), ImageChops.multiply(lane, _tone(ripple, lambda v: 5 * (v - 0.52))))
    stage.image.paste(surface, (0, shore))


def _grid(stage: Stage, _rng: Random) -> None:
    w, h = stage.image.size
    size = (w, h - stage.horizon)
    lines = Image.new("L", (2 * w, 2 * size[1]))
    pen = ImageDraw.Draw(lines)
    for k in range(-40, 41):
        pen.line((w + k * stage.unit * 0.03, 0, w + k * stage.unit * 0.5, 2 * size[1]), 255, 3)
    for k in range(1, 22):
        y = 2 * size[1] * (k / 21) ** 2.6
        pen.line((0, y, 2 * w, y), 255, 3)
    glow = lines.resize((w // 4, size[1] // 4 + 1), BILINEAR).filter(ImageFilter.GaussianBlur(2)).resize(size, BICUBIC)
    pink, light = stage.hues("grid", "#ff46dc")[0], stage.light
    floor = _ramp((_mix(light.sky[1], light.haze, 0.5), light.sky[0], light.shade), size)
    floor.paste(pink, (0, 0), glow)
    floor.paste(_mix(pink, WHITE, 0.45), (0, 0), lines.reduce(2))
    stage.image.paste(floor, (0, stage.horizon))


def _fog(stage: Stage, rng: Random) -> None:
    w, h = stage.image.size
    mist = _noise(rng, (w // 4, h // 4), (2.5 * w / stage.unit, 9 * h / stage.unit)).resize((w, h), BICUBIC)
    depth = _fade((0, 0, 40, 150, 190, 120, 90, 60), (w, h))
    stage.image.paste(stage.light.haze, (0, 0), ImageChops.multiply(_tone(mist, lambda v: 1.5 * v - 0.1), depth))


def _rain(stage: Stage, rng: Random) -> None:
    streaks = ImageChops.lighter(
        _specks(stage, rng, 700, 0, (0.01, 0.05)), _specks(stage, rng, 60, 0.0008, (0.02, 0.1))
    )
    stage.image.paste(_mix(stage.light.lit, WHITE, 0.6), (0, 0), _tone(streaks, lambda v: 0.35 * v))


def _snowfall(stage: Stage, rng: Random) -> None:
    flakes = ImageChops.lighter(_specks(stage, rng, 500, 0.0016), _specks(stage, rng, 100, 0.005))
    flakes = flakes.filter(ImageFilter.BoxBlur(0.0012 * stage.unit))
    stage.image.paste(_mix(stage.light.lit, WHITE, 0.7), (0, 0), _tone(flakes, lambda v: 0.85 * v))


def _finish(stage: Stage, _rng: Random) -> None:
    """Let what is bright glow, and darken the corners."""
    w, h = stage.image.size
    small = stage.image.resize((w // 4, h // 4), Image.Resampling.BOX)
    bloom = _tone(small, lambda v: v - 0.6).filter(ImageFilter.GaussianBlur(stage.unit / 110)).resize((w, h), BICUBIC)
    corners = _tone(Image.radial_gradient("L"), lambda v: 1 - 0.35 * max(0, v - 0.45) ** 1.5).resize((w, h), BICUBIC)
    stage.image = ImageChops.multiply(ImageChops.screen(stage.image, bloom), corners.convert("RGB"))


def _watercolour(stage: Stage, rng: Random) -> None:
    (w, h), edge = stage.image.size, round(stage.unit / 44)
    half = (w // 2, h // 2)
    wash = stage.image.resize(half, BICUBIC).filter(ImageFilter.MedianFilter(5))
    wash = Image.blend(wash, ImageChops.soft_light(wash, _noise(rng, half, (5, 5), 7).convert("RGB")), 0.8)
    rim = Image.new("L", half)
    rim.paste(220, (edge, edge, half[0] - edge, half[1] - edge))
    rim = Image.blend(rim.filter(ImageFilter.GaussianBlur(edge / 2)), _noise(rng, half, (24, 24), 4), 0.35)
    paper = Image.new("RGB", half, (250, 247, 240))
    stage.image = Image.composite(wash, paper, _tone(rim, lambda v: min(0.78, (v - 0.42) * 10))).resize((w, h), BICUBIC)


def _pixels(stage: Stage, _rng: Random) -> None:
    (w, h), block = stage.image.size, round(stage.unit / 170) + 1
    small = stage.image.resize((w // block + 1, h // block + 1), Image.Resampling.BOX)
    stage.image = small.quantize(28, dither=Image.Dither.NONE).convert("RGB").resize((w, h), NEAREST)


# What to paint, back to front: each painter with the tags that call for it, if any, and those that forbid it.
STEPS: Final = (
    ((), (), _sky), (("night", "neon", "space"), ("overcast",), _stars), (("space",), (), _nebula),
    (("aurora",), (), _aurora), (("earth",), ("overcast", "planet"), _orb), (("planet",), (), _planet),
    (("earth",), ("grid", "aurora"), _clouds), (("earth",), (), _ground), (("abstract",), ("earth",), _waves),
    (("water",), ("grid",), _water), (("water",), ("grid",), _shore), (("grid",), (), _grid), (("fog",), (), _fog),
    (("rain",), (), _rain), (("snowfall",), (), _snowfall), ((), (), _finish), (("watercolour",), (), _watercolour),
    (("pixels",), (), _pixels),
)  # fmt: skip


def draw(
    prompt: str,
    seed: int,
    width: int,
    height: int,
    *,
    badge: bool = True,
    label: str = "offline sketch · not the model",
) -> Sketch:
    """Paint the prompt: the same bytes for the same arguments, another composition for another seed."""
    scene = read(prompt)
    stage = _stage(scene, _random(prompt, seed), width, height)
    for wanted, unwanted, paint in STEPS:
        if (not wanted or stage.has(*wanted)) and not stage.has(*unwanted):
            paint(stage, _random(prompt, seed, paint.__name__))
    image = stage.image.resize((width, height), BICUBIC)
    grain = Image.frombytes("L", image.size, _random(seed).randbytes(width * height)).point(GRAIN)
    image = ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), 1, -3)
    if badge:
        _badge(image, label)
    return Sketch(image, scene.undrawn)


def _stage(scene: Scene, rng: Random, width: int, height: int) -> Stage:
    shrink = min(1, math.sqrt(LARGEST_AREA / (width * height)))
    w, h = (max(SMALLEST_SIDE, round(side * shrink)) for side in (width, height))
    light = LIGHTS[scene.light]
    haze, lit = _dyed(light.haze, "sky", scene.dyes), _dyed(light.lit, "", scene.dyes)
    light = light._replace(sky=tuple(_dyed(hue, "sky", scene.dyes) for hue in light.sky), haze=haze, lit=lit)
    horizon = round(h * rng.uniform(0.5, 0.62))
    sun = (round(w * rng.uniform(0.16, 0.84)), round(horizon * (1 - light.altitude * rng.uniform(0.8, 1.15))))
    return Stage(Image.new("RGB", (w, h)), scene, light, horizon, sun, min(math.sqrt(w * h), 1.15 * h, 2 * w))


def _badge(image: Image.Image, label: str) -> None:
    """Mark the lower right corner; a picture too narrow for the words gets the mark alone."""
    text = "".join(sign if sign.isprintable() else " " for sign in label)
    sizes = range(max(9, round(min(image.size) * 0.019)), 6, -1)
    fits = (size for size in sizes if ImageFont.load_default(size).getlength(text) + 3 * size <= image.width)
    size = next(fits, 0)
    font = ImageFont.load_default(size or 7)
    wide, high = (round(font.getlength(text)) + size, round(size * 1.7)) if size else (7, 7)
    left, top = image.width - wide - size // 2 - 1, image.height - high - size // 2 - 1
    mask = Image.new("L", (4 * wide, 4 * high))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * wide - 1, 4 * high - 1), 1.4 * high, 150)
    image.paste((12, 14, 20), (left, top), mask.reduce(4))
    if size:
        ImageDraw.Draw(image).text((left + wide / 2, top + high / 2), text, (240, 240, 240), font, anchor="mm")
