"""Shapes and scales as people write them, and the nearest ones a model has. Pure arithmetic."""

from __future__ import annotations

import math

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.model import Size

TIER_SIDE = 1024  # "1K" is the area of a 1024 x 1024 square, "2K" of 2048 x 2048, and so on
MAX_DIGITS = 9  # longer numbers are no size of an image
SMALLEST = 16  # pixels; what is asked of a model with a shorter side is a shape that was written with an x
SEPARATORS = {ord("×"): "x", ord("*"): "x", ord("/"): ":"}  # as people write them -> x for pixels, : for a ratio
WORDS = {
    "square": "1:1",
    "landscape": "3:2",
    "portrait": "2:3",
    "wide": "16:9",
    "widescreen": "16:9",
    "ultrawide": "21:9",
    "vertical": "9:16",
    "hd": "1280x720",
    "720p": "1280x720",
    "fullhd": "1920x1080",
    "fhd": "1920x1080",
    "1080p": "1920x1080",
    "qhd": "2560x1440",
    "1440p": "2560x1440",
    "uhd": "3840x2160",
    "2160p": "3840x2160",
    "4k": "3840x2160",
    "8k": "7680x4320",
}
NUMBERS = r"(\d{1,5})(?:px)?(?:\s*(?:by|to|x|[\s,;_-])\s*(\d{1,5})(?:px)?)?"
SCALE = r"\d+(?:\.\d+)?\s*(?:k|mp?)"
ALONE = 100  # pixels; a smaller number that stands alone is no side of an image


class Shape(NamedTuple):
    """A shape as written: pixels (`1920x1080`, `is_pixels`) or a ratio (`16:9`)."""

    width: float
    height: float
    is_pixels: bool

    @property
    def ratio(self) -> float:
        return self.width / self.height

    @property
    def area(self) -> float:
        return self.width * self.height


def parse_shape(text: str, parameter: str = "size", smallest: int = 1) -> Shape:
    """Read pixels (`1920x1080`, `1920 × 1080`, `1920*1080`) or a ratio (`16:9`, `16/9`, `1.91:1`).

    Raises UsageError for anything else, and for pixels below `smallest`, naming the parameter.
    """
    folded = text.strip().lower().translate(SEPARATORS)
    for separator in ("x", ":"):
        width, found, height = folded.partition(separator)
        if not found:
            continue
        numbers = _positive(width.rstrip(" ")), _positive(height.lstrip(" "))
        is_pixels = separator == "x"
        if all(numbers) and not (is_pixels and "." in folded):
            if is_pixels and min(numbers) < smallest:
                raise _tiny(f"{parameter} {text!r}", *numbers)
            return Shape(*numbers, is_pixels)
    raise UsageError(f"{parameter} {text!r} is no size", hint=_size_hint(text, parameter))


def _tiny(asked: str, width: float, height: float) -> UsageError:
    message = f"{asked} is an image of {width:.0f} by {height:.0f} pixels"
    return UsageError(message, hint=f"did you mean {width:.0f}:{height:.0f}?")


def parse_pixels(text: str) -> str:
    """The size as `WxH` if the text is one in pixels, however it is spelled; "" for anything else."""
    try:
        shape = parse_shape(text)
    except UsageError:
        return ""
    return f"{shape.width:.0f}x{shape.height:.0f}" if shape.is_pixels else ""


def parse_ratio(text: str, parameter: str = "aspect_ratio") -> float:
    """Read `16:9` as width over height. Raises UsageError, also for pixels, which belong to `size`."""
    shape = parse_shape(text, parameter, SMALLEST)
    if shape.is_pixels:
        message = f"{parameter} {text!r} is a size in pixels"
        hint = f"use --size {shape.width:.0f}x{shape.height:.0f}, or give a shape such as 16:9"
        raise UsageError(message, hint=hint)
    return shape.ratio


def parse_tier(text: str) -> float:
    """Read a tier (`0.5K`, `4K`) or megapixels (`0.25`, `1`, `1MP`) as an area in pixels.

    Both count in binary: `1K` and `1` are 1024 x 1024, the way the model's page uses them.
    """
    folded = text.strip().lower()
    if folded.endswith("k"):
        side = _positive(folded[:-1]) * TIER_SIDE
        area = side * side
    else:
        area = _positive(folded.removesuffix("mp").rstrip()) * TIER_SIDE**2
    if not area:
        message = f"resolution {text!r} is no tier"
        raise UsageError(message, hint="write a tier (0.5K, 1K, 2K, 4K) or megapixels (0.25, 1)")
    return area


def nearest_ratio(ratio: float, known: Iterable[str]) -> str:
    """The known ratio with the smallest `|ln(ratio / known)|`: symmetric between portrait and landscape."""
    return min(known, key=lambda name: abs(math.log(ratio / parse_ratio(name))))


def nearest_tier(area: float, known: Iterable[str]) -> str:
    """The known tier whose area is nearest, again by the logarithm of the quotient."""
    return min(known, key=lambda name: abs(math.log(area / parse_tier(name))))


def nearest_size(sizes: tuple[Size, ...], ratio: float, area: float) -> Size:
    """The published size of the nearest ratio, and among those of the nearest tier."""
    aspect_ratio = nearest_ratio(ratio, dict.fromkeys(size.aspect_ratio for size in sizes))
    of_shape = {size.resolution: size for size in sizes if size.aspect_ratio == aspect_ratio}
    return of_shape[nearest_tier(area, of_shape)]


def nominal(ratio: str) -> tuple[int, int]:
    """Width and height of a ratio at 1K as the page computes them: halves round up. Used to check tables."""
    value = parse_ratio(ratio)
    height = math.floor(math.sqrt(TIER_SIDE**2 / value) + 0.5)
    return math.floor(height * value + 0.5), height


def _positive(text: str) -> float:
    """A plain decimal number above zero, or 0.0: no signs, exponents, blanks or other scripts' digits."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not digits or not digits.isascii() or not digits.isdigit() or len(digits) > MAX_DIGITS:
        return 0.0
    return float(text)


def _size_hint(text: str, parameter: str) -> str:
    """What to type next for a text that is no size."""
    import re  # only failures pay for it

    meant = WORDS.get("".join(filter(str.isalnum, text.lower()))) or _numbers(text.strip())
    if meant:
        option = "--size " if "x" in meant and parameter != "size" else ""
        return f"did you mean {option}{meant}?"
    if re.fullmatch(SCALE, text.strip(), re.ASCII | re.IGNORECASE):
        scale = text.strip().replace(" ", "")
        return f"give a shape such as 16:9; a scale is no shape: flux generate takes it as --resolution {scale}"
    return "write pixels as 1920x1080 or a shape as 16:9"


def _numbers(text: str) -> str:
    """`16-9` -> `16:9`, `1920 1080` -> `1920x1080`, `1024` -> `1024x1024`; "" for anything else."""
    import re

    found = re.fullmatch(NUMBERS, text, re.ASCII | re.IGNORECASE)
    width, height = (int(side or found[1]) for side in found.groups()) if found else (0, 0)
    if min(width, height) >= (SMALLEST if found and found[2] else ALONE):
        return f"{width}x{height}"
    return f"{width}:{height}" if width and height and found and found[2] else ""
