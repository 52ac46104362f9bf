"""Draws images for measurements, always the same pixels: above all, a landscape like a photograph.

The landscape has soft light, structure at every scale (its energy falls with the frequency, as in
nature), hard edges, and grain.
"""

import random

from PIL import Image, ImageChops, ImageDraw, ImageFont

SIZE = (2752, 1536)  # what the model delivers for 16:9
SKY = (70, 120, 190)
HAZE = (235, 220, 200)
CLOUD = (250, 248, 244)
ROCK = (92, 84, 88)
GRASS = (78, 104, 52)
ROOF = (150, 62, 48)
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog")
CELLS = (512, 256, 128, 64, 32, 16, 8, 4, 2)


def photo(size: tuple[int, int] = SIZE, seed: int = 1) -> Image.Image:
    """One landscape: sky with clouds, two ridges, a meadow, houses with windows, grain over all."""
    width, height = size
    haze, sky = Image.new("RGB", size, HAZE), Image.new("RGB", size, SKY)
    image = Image.composite(haze, sky, Image.linear_gradient("L").resize(size))
    clouds = _fractal(size, seed).point(lambda value: max(0, min(255, (value - 120) * 4)))
    image.paste(CLOUD, mask=clouds)
    for layer, (color, level, rough) in enumerate(((ROCK, 0.42, 0.18), (GRASS, 0.66, 0.08))):
        ridge = _ridge(size, level, rough, seed + layer)
        image.paste(_ground(size, color, seed + 10 + layer), mask=ridge)
    _houses(ImageDraw.Draw(image), width, height, random.Random(seed))
    # Sensors have separate noise in each color.
    grain = [_noise(size, 1, seed + 99 + plane).point(_weak) for plane in range(3)]
    return ImageChops.add(image, Image.merge("RGB", grain), 1, -128)


def graphic(size: tuple[int, int] = (1600, 900), seed: int = 1) -> Image.Image:
    """A flat drawing: few colors, large areas, hard edges."""
    image, dice = Image.new("RGB", size, (245, 242, 235)), random.Random(seed)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        r = dice.randrange(10, size[1] // 5)
        color = tuple(dice.randrange(0, 256, 51) for _ in range(3))
        shape = draw.ellipse if dice.random() < 0.5 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill=color)
    return image


def text(size: tuple[int, int] = (1600, 1000), seed: int = 1) -> Image.Image:
    """Lines of words in three colors, with smooth edges."""
    image, dice = Image.new("RGB", size, "white"), random.Random(seed)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    for y in range(10, size[1], 21):
        color = dice.choice(("#000000", "#223366", "#662222"))
        draw.text((10, y), " ".join(dice.choice(WORDS) for _ in range(30)), color, font)
    return image


def _noise(size: tuple[int, int], cell: int, seed: int) -> Image.Image:
    width, height = max(2, size[0] // cell), max(2, size[1] // cell)
    gray = Image.frombytes("L", (width, height), random.Random(seed).randbytes(width * height))
    return gray if cell == 1 else gray.resize(size, Image.Resampling.BICUBIC)


def _fractal(size: tuple[int, int], seed: int) -> Image.Image:
    """Noise of every scale, each finer one weaker: the spectrum of clouds and rock."""
    image = Image.new("L", size, 128)
    for octave, cell in enumerate(CELLS):
        weight = 0.5 * 0.62**octave
        levels = [round((value - 128) * weight) + 128 for value in range(256)]
        layer = _noise(size, cell, 100 * seed + octave).point(levels)
        image = ImageChops.add(image, layer, 1, -128)
    return image


def _ground(size: tuple[int, int], color: tuple[int, int, int], seed: int) -> Image.Image:
    """A color that varies with the light, a little differently in each channel."""
    light, tint = _fractal(size, seed), _fractal(size, seed + 1)
    planes = []
    for level, shift in zip(color, (4, 0, -4), strict=True):
        lit = ImageChops.add(Image.new("L", size, level), light, 1, -128)
        planes.append(ImageChops.add(lit, tint.point(_third), 1, shift - 43))
    return Image.merge("RGB", planes)


def _weak(value: int) -> int:
    return 128 + (value - 128) // 32


def _third(value: int) -> int:
    return value // 3


def _ridge(size: tuple[int, int], level: float, rough: float, seed: int) -> Image.Image:
    """White below a jagged line."""
    width, height = size
    line = _fractal((width, 64), seed + 5).resize((width, 1), Image.Resampling.BOX).tobytes()
    mask = Image.new("L", size)
    points = [(x, int(height * (level - rough * (line[x] - 128) / 24))) for x in range(0, width, 3)]
    outline = [(0, height), *points, (width, points[-1][1]), (width, height)]
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    return mask


def _houses(draw: ImageDraw.ImageDraw, width: int, height: int, dice: random.Random) -> None:
    for _ in range(9):
        side = dice.randrange(height // 20, height // 9)
        x, y = dice.randrange(width - side), dice.randrange(int(height * 0.7), height - side)
        draw.rectangle((x, y, x + side, y + side), fill=(222, 210, 190))
        draw.polygon([(x - 6, y), (x + side // 2, y - side // 2), (x + side + 6, y)], fill=ROOF)
        step = max(6, side // 5)
        for across in range(x + step // 2, x + side - step // 2, step):
            draw.rectangle((across, y + step, across + step // 2, y + 2 * step), fill=(40, 44, 60))
