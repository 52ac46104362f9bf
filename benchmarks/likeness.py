"""Measures the similarity of two images with only Pillow: PSNR, and SSIM of 8 x 8 pixel blocks."""

import math
from typing import Any

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
    shown = ImageMath.lambda_eval(
        _formula,
        mx=mean_x,
        my=mean_y,
        xx=_times(x, x).reduce(BLOCK),
        yy=_times(y, y).reduce(BLOCK),
        xy=_times(x, y).reduce(BLOCK),
    )
    mean = shown.resize((1, 1), Image.Resampling.BOX)
    return float(mean.getpixel((0, 0)))  # type: ignore[arg-type] # one channel


def _formula(args: dict[str, Any]) -> Any:  # noqa: ANN401 - an expression of ImageMath
    """The similarity of blocks, from the means of their values, squares and products."""
    mx, my = args["mx"], args["my"]
    variances = args["xx"] - mx * mx + args["yy"] - my * my
    covariance = args["xy"] - mx * my
    brightness = (2 * mx * my + C1) / (mx * mx + my * my + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    return brightness * structure


def _times(one: Image.Image, other: Image.Image) -> Image.Image:
    return ImageMath.lambda_eval(lambda args: args["one"] * args["other"], one=one, other=other)
