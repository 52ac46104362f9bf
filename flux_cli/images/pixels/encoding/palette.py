"""Reduces images to a palette of at most 256 colors: exactly, or with dithering where it helps.

Dithering hides bands but adds dots. So it is used where colors change slowly, because bands show
there, and elsewhere only where it is hardly worse per pixel than the nearest color.
Measured on ten photographs and a generated image, the result is 0.6 to 2 dB better per pixel than
Pillow's own GIFs, and 2.3 to 6.3 dB better from further away (at a quarter of the size). With
dithering everywhere, it would be up to 2.1 dB worse per pixel and 2.5 to 8.4 dB better from further
away.
"""

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageMath

COLORS = 256
STRIP = 1 << 20  # pixels that get an exact palette at a time
SAMPLE = 9_000  # pixels a palette is chosen from: ten times faster than all of them, for 0.2 dB
APART = 8  # pixels between two samples that are compared to find slow changes
SLOW = 24  # largest slow difference of neighbors, all colors together, in sixteenths of a level
PATIENCE = 1.2  # how many times worse than the nearest color a dithered one may be


def exact_palette(image: Image.Image, most: int = COLORS) -> Image.Image | None:
    """The same gray, RGB or RGBA pixels with a palette: by opacity, then from dark to light.

    None if there are more than `most` colors.
    """
    counted = image.getcolors(most)
    if counted is None:
        return None
    colors = sorted(map(_color, counted), key=lambda color: (color[3:], sum(color[:3])))
    shown = Image.new("L", image.size)
    height = max(1, STRIP // image.width)  # the work takes 13 times the memory of its pixels
    for top in range(0, image.height, height):
        strip = image.crop((0, top, image.width, min(top + height, image.height)))
        ranked = _rank(strip, colors)
        if ranked is None:
            return None
        shown.paste(ranked, (0, top))
    shown.putpalette([level for color in colors for level in color[:3]])
    if image.mode == "RGBA":
        shown.info["transparency"] = bytes(color[3] for color in colors)
    return shown


def _color(counted: tuple[int, tuple[int, ...] | float]) -> tuple[int, ...]:
    """The red, green and blue, and perhaps alpha, of a color that was counted."""
    color = counted[1]
    return color if isinstance(color, tuple) else (int(color),) * 3


def _rank(image: Image.Image, colors: Sequence[tuple[int, ...]]) -> Image.Image | None:
    """The place of each pixel's color in a list that has all of them.

    None if Pillow loses one of them.
    """
    if image.mode == "L":
        levels = [0] * COLORS
        for rank, color in enumerate(colors):
            levels[color[0]] = rank
        return image.point(levels)
    # Pillow makes a palette in an order of its own and without alpha.
    opaque = {_color(counted)[:3] for counted in image.getcolors(COLORS) or ()}
    quantized = image.convert("RGB").quantize(len(opaque), dither=Image.Dither.NONE)
    entries = _entries(quantized)
    if not opaque <= entries.keys():
        return None
    # One number per pixel: the entry in Pillow's palette, and below it the alpha.
    numbers = Image.frombytes("L", quantized.size, quantized.tobytes())
    alphas = 1
    if image.mode == "RGBA":
        alphas = 256
        numbers = _join(numbers, image.getchannel("A"))
    ranks = [0] * (COLORS * alphas)  # from these numbers to places among the colors
    for rank, color in enumerate(colors):
        alpha = color[3] if image.mode == "RGBA" else 0
        if color[:3] in entries:
            ranks[entries[color[:3]] * alphas + alpha] = rank
    return numbers.point(ranks, "L")


def _entries(quantized: Image.Image) -> dict[tuple[int, ...], int]:
    """The place of each color in the palette of an image."""
    palette = quantized.getpalette() or []
    return {tuple(palette[at : at + 3]): at // 3 for at in range(0, len(palette), 3)}


def _join(high: Image.Image, low: Image.Image) -> Image.Image:
    """Two 8-bit planes as one of 16 bits."""
    joined: Image.Image = ImageMath.lambda_eval(
        lambda args: args["high"] * 256 + args["low"], high=high, low=low
    )
    return joined


def choose_palette(image: Image.Image, most: int = COLORS) -> Image.Image:
    """RGB pixels with a palette chosen from a sample of them, dithered where it helps."""
    step = max(1, int((image.width * image.height / SAMPLE) ** 0.5))
    size = max(1, image.width // step), max(1, image.height // step)
    sample = image.resize(size, Image.Resampling.NEAREST)
    palette = sample.quantize(most, Image.Quantize.MEDIANCUT, kmeans=1)
    dithered = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    nearest = _nearest(image, palette)
    worse = ImageChops.subtract(_distance(dithered, image), _distance(nearest, image, PATIENCE))
    is_worse = worse.point([0] + [255] * 255)
    dithered.paste(nearest, mask=ImageChops.subtract(is_worse, _smooth(image)))
    return dithered


def _nearest(image: Image.Image, palette: Image.Image) -> Image.Image:
    """The nearest color of each pixel.

    Pillow looks up the lower corner of cubes of four levels. A palette one level lower corrects
    that, which gains 1.4 dB on the generated image.
    """
    colors, lower = palette.getpalette() or [], palette.copy()
    lower.putpalette([max(0, level - 1) for level in colors])
    shown = image.quantize(palette=lower, dither=Image.Dither.NONE)
    shown.putpalette(colors)
    return shown


def _smooth(image: Image.Image) -> Image.Image:
    """White where colors change slowly, as in a sky; black where they change fast or not at all."""
    across, down = ((side - 1) // APART for side in image.size)
    if not across or not down:
        return Image.new("L", image.size)
    samples = []
    for at in (0, 1):
        box = (at, at, at + across * APART, at + down * APART)
        samples.append(image.resize((across, down), Image.Resampling.NEAREST, box))
    change = ImageChops.difference(*samples).convert("L", (16, 16, 16, 0)).reduce(4)
    is_slow = change.point([0] + [255] * SLOW + [0] * (255 - SLOW))
    return is_slow.resize(image.size, Image.Resampling.NEAREST)


def _distance(one: Image.Image, other: Image.Image, weight: float = 1.0) -> Image.Image:
    """The difference of each pixel in levels, summed over the three colors, times a weight."""
    difference = ImageChops.difference(one.convert("RGB"), other)
    return difference.convert("L", (weight, weight, weight, 0))
