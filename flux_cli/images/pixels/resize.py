"""Scales images in linear light, ignoring the colors of transparent pixels.

The value of a pixel is not proportional to its light: 128 has a fifth of the light of 255. Averaging values, as most
tools do, makes fine bright detail (stars, hair, lettering) too dark: a checkerboard of black and
white becomes 127, but it looks like 188. So images are reduced in linear light, which takes twice
the time. The curve is that of sRGB, which Display P3 shares. Images are enlarged without
that conversion, because linear light would leave bright rings around dark lines.
"""

import itertools

from PIL import Image, ImageMath

from flux_cli.images.outputs import Box

LANCZOS = Image.Resampling.LANCZOS
FULL = 65_535.0  # white in linear light


def resize(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Scale the part of an RGB or RGBA image in `box` to `size`, both in pixels.

    A box that already has this size, at whole pixels, is only cut out.
    """
    left, top, right, bottom = box
    if (right - left, bottom - top) == size and left == int(left) and top == int(top):
        shown = (
            image
            if size == image.size
            else image.crop((int(left), int(top), int(right), int(bottom)))
        )
    elif size[0] > right - left or size[1] > bottom - top:
        shown = image.resize(size, LANCZOS, box=box)
    else:
        shown = _in_linear_light(image, size, box)
    shown.info = image.info
    return shown


def _in_linear_light(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Scale one channel after another, so that only one 32-bit plane is in memory at a time."""
    light = _light()
    numbers = _numbers(light)
    alpha = (
        image.getchannel("A").point([value / 255 for value in range(256)], "F")
        if image.mode == "RGBA"
        else None
    )
    small = alpha.resize(size, LANCZOS, box=box) if alpha else None
    planes = []
    for channel in image.convert("RGB").split():
        plane = channel.point(light, "F")
        if alpha and small:
            weighted = ImageMath.lambda_eval(
                lambda args: args["plane"] * args["alpha"], plane=plane, alpha=alpha
            )
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
    """The linear light of each of the 256 sRGB values (IEC 61966-2-1)."""
    shares = [value / 255 for value in range(256)]
    return [
        FULL * (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
        for share in shares
    ]


def _numbers(light: list[float]) -> list[int]:
    """The nearest sRGB value for each of 65,536 steps of light."""
    edges = [
        0,
        *(int((low + high) / 2) + 1 for low, high in itertools.pairwise(light)),
        int(FULL) + 1,
    ]
    return [
        value
        for value, (start, end) in enumerate(itertools.pairwise(edges))
        for _ in range(start, end)
    ]
