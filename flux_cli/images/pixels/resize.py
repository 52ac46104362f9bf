"""Scales images in linear light, ignoring the colors of transparent pixels.

The value of a pixel is not proportional to its light: 128 has a fifth of the light of 255.
Averaging values, as most tools do, makes fine bright detail (stars, hair, lettering) too dark: a
checkerboard of black and white becomes 127, but it looks like 188. So images are reduced in linear
light, which takes twice the time. The curve is that of sRGB, which Display P3 shares. Images are
enlarged without that conversion, because linear light would leave bright rings around dark lines.
"""

import itertools

from PIL import Image, ImageMath

from flux_cli.images.outputs import Box
from flux_cli.images.pixels.border_color import channels
from flux_cli.images.pixels.color import from_srgb

LANCZOS = Image.Resampling.LANCZOS
FULL = 65_535.0  # white in linear light
OPAQUE = 255


def resize(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Scale the part of a gray or RGB image in `box` to `size`, both in pixels.

    A box that already has this size, at whole pixels, is only cut out.
    """
    left, top, right, bottom = box
    if (right - left, bottom - top) == size and left == int(left) and top == int(top):
        corners = int(left), int(top), int(right), int(bottom)
        shown = image if size == image.size else image.crop(corners)
    elif size[0] > right - left or size[1] > bottom - top:
        shown = image.resize(size, LANCZOS, box=box)
    else:
        shown = _in_linear_light(image, size, box)
    shown.info = image.info
    return shown


def add_borders(image: Image.Image, size: tuple[int, int], color: str) -> Image.Image:
    """The image in the middle of a larger one. `color` is `#rrggbbaa` of sRGB.

    Transparent parts of the image stay transparent.
    """
    *levels, alpha = channels(color)
    mode, fill = "RGB", tuple(levels)
    if image.mode in ("L", "LA") and len(set(levels)) == 1:
        mode, fill = "L", fill[:1]
    else:
        fill = from_srgb(fill, image.info.get("icc_profile", b""))
    if alpha < OPAQUE or image.mode.endswith("A"):
        mode, fill = f"{mode}A", (*fill, alpha)
    padded = Image.new(mode, size, fill)
    at = (size[0] - image.width) // 2, (size[1] - image.height) // 2
    padded.paste(image if image.mode == mode else image.convert(mode), at)
    padded.info = image.info
    return padded


def _in_linear_light(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Scale one channel after another, so that only one 32-bit plane is in memory at a time."""
    light = [FULL * _linear(value / 255) for value in range(256)]
    values = _values(light)
    alpha = _alpha(image) if "A" in image.getbands() else None
    small_alpha = alpha.resize(size, LANCZOS, box=box) if alpha else None
    planes = []
    for channel in image.mode.removesuffix("A"):
        plane = image.getchannel(channel).point(light, "F")
        if alpha:
            plane = _multiply(plane, alpha)
        plane = plane.resize(size, LANCZOS, box=box)
        if small_alpha:
            plane = _divide(plane, small_alpha)
        planes.append(plane.convert("I").point(values, "L"))
    if small_alpha:
        planes.append(small_alpha.point(lambda share: share * 255 + 0.5).convert("L"))
    return Image.merge(image.mode, planes)


def _alpha(image: Image.Image) -> Image.Image:
    """The opacity of each pixel, 0 to 1."""
    return image.getchannel("A").point([value / 255 for value in range(256)], "F")


def _multiply(plane: Image.Image, alpha: Image.Image) -> Image.Image:
    """Weigh pixels by their opacity, so that transparent ones add no color to their neighbors."""
    weighted: Image.Image = ImageMath.lambda_eval(
        lambda args: args["plane"] * args["alpha"], plane=plane, alpha=alpha
    )
    return weighted


def _divide(plane: Image.Image, alpha: Image.Image) -> Image.Image:
    """Undo `_multiply` after scaling."""
    pixels: Image.Image = ImageMath.lambda_eval(
        lambda args: args["plane"] / args["max"](args["alpha"], 1 / 512), plane=plane, alpha=alpha
    )
    return pixels


def _linear(share: float) -> float:
    """The light of an sRGB value, both 0 to 1 (IEC 61966-2-1)."""
    if share <= 0.04045:
        return share / 12.92
    return float(((share + 0.055) / 1.055) ** 2.4)


def _values(light: list[float]) -> list[int]:
    """The nearest sRGB value for each of 65,536 steps of light."""
    borders = [int((low + high) / 2) + 1 for low, high in itertools.pairwise(light)]
    borders = [0, *borders, int(FULL) + 1]
    values = []
    for value, (start, end) in enumerate(itertools.pairwise(borders)):
        values += [value] * (end - start)
    return values
