"""Scaling, once and well: light is averaged as light, and what is transparent lends its color to nothing.

A pixel's number is not its light: 128 has a fifth of the light of 255. Averaging the numbers, as most tools do, makes
fine bright detail (stars, hair, lettering) too dark: a checkerboard of black and white becomes 127 where it looks like
188. So images are made smaller in linear light, at twice the time; sRGB's curve serves, which Display P3 shares.
Larger ones are made in the numbers as they are: there light would ring around dark lines.
"""

import itertools

from PIL import Image, ImageMath

from flux_cli.images.outputs import Box

LANCZOS = Image.Resampling.LANCZOS
FULL = 65_535.0  # linear light of white


def resize(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """The part of an RGB or RGBA image in `box`, at `size`. A box of that very size is cut out, not resampled."""
    left, top, right, bottom = box
    if (right - left, bottom - top) == size and left == int(left) and top == int(top):
        shown = image if size == image.size else image.crop((int(left), int(top), int(right), int(bottom)))
    elif size[0] > right - left or size[1] > bottom - top:
        shown = image.resize(size, LANCZOS, box=box)
    else:
        shown = _in_linear_light(image, size, box)
    shown.info = image.info
    return shown


def _in_linear_light(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """One channel after another, so that memory holds a single plane of 32 bits."""
    light = _light()
    numbers = _numbers(light)
    alpha = image.getchannel("A").point([value / 255 for value in range(256)], "F") if image.mode == "RGBA" else None
    small = alpha.resize(size, LANCZOS, box=box) if alpha else None
    planes = []
    for channel in image.convert("RGB").split():
        plane = channel.point(light, "F")
        if alpha and small:
            weighted = ImageMath.lambda_eval(lambda args: args["plane"] * args["alpha"], plane=plane, alpha=alpha)
            plane = ImageMath.lambda_eval(
                lambda args: args["plane"] / args["max"](args["alpha"], 1 / 512),
                plane=weighted.resize(size, LANCZOS, box=box),
                alpha=small,
            )
        else:
            plane = plane.resize(size, LANCZOS, box=box)
        planes.append(plane.convert("I").point(numbers, "L"))
    if small:
        planes.append(small.point(lambda value: value * 255 + 0.5).convert("L"))
    return Image.merge(image.mode, planes)


def _light() -> list[float]:
    """The light of each of sRGB's 256 numbers (IEC 61966-2-1)."""
    shares = [value / 255 for value in range(256)]
    return [FULL * (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4) for share in shares]


def _numbers(light: list[float]) -> list[int]:
    """The nearest number for each of 65,536 steps of light."""
    edges = [0, *(int((low + high) / 2) + 1 for low, high in itertools.pairwise(light)), int(FULL) + 1]
    return [value for value, (start, end) in enumerate(itertools.pairwise(edges)) for _ in range(start, end)]
