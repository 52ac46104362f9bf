"""Measures the similarity of two images with only Pillow: PSNR in decibels, and SSIM over blocks of eight pixels."""

import math

from PIL import Image, ImageChops, ImageMath, ImageStat

BLOCK = 8
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
WEIGHTS = (0.8, 0.1, 0.1)  # of brightness and the two color differences


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Decibels between two images; 99 for equal ones."""
    squares = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return 99.0 if mean == 0 else 10 * math.log10(255**2 / mean)


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity from 0 to 1, mostly of brightness, a little of color."""
    planes = zip(one.convert("YCbCr").split(), other.convert("YCbCr").split(), WEIGHTS, strict=True)
    return sum(weight * _ssim(first, second) for first, second, weight in planes)


def _ssim(first: Image.Image, second: Image.Image) -> float:
    x, y = first.convert("F"), second.convert("F")
    mean_x, mean_y = x.reduce(BLOCK), y.reduce(BLOCK)
    square_x, square_y, product = (_times(*pair).reduce(BLOCK) for pair in ((x, x), (y, y), (x, y)))
    shown = ImageMath.lambda_eval(
        lambda a: (
            ((2 * a["mx"] * a["my"] + C1) * (2 * (a["xy"] - a["mx"] * a["my"]) + C2))
            / (
                (a["mx"] * a["mx"] + a["my"] * a["my"] + C1)
                * (a["xx"] - a["mx"] * a["mx"] + a["yy"] - a["my"] * a["my"] + C2)
            )
        ),
        mx=mean_x, my=mean_y, xx=square_x, yy=square_y, xy=product,
    )  # fmt: skip
    return float(shown.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)))  # type: ignore[arg-type] # one channel


def _times(one: Image.Image, other: Image.Image) -> Image.Image:
    return ImageMath.lambda_eval(lambda args: args["one"] * args["other"], one=one, other=other)
