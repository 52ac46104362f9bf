"""Reads sizes, aspect ratios and resolutions as people write them, and finds the closest ones."""

from __future__ import annotations

import math

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.model import AnySize, Size

TIER_SIDE = 1024  # "1K" is the area of a 1024 x 1024 square, "2K" of 2048 x 2048, and so on
MAX_DIGITS = 9
ROUNDING = 1e-9  # of a step, by which a computed side may miss a multiple of it
MIN_SIDE = 16  # pixels; `16x9` or less is a ratio written with an x
SEPARATORS = {ord("×"): "x", ord("*"): "x", ord("/"): ":"}  # x separates pixels, : a ratio
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
# Words that have one meaning. The others are guesses: `4k` may be a resolution.
CLEAR_WORDS = frozenset(("square", "720p", "1080p", "1440p", "2160p", "fullhd", "fhd", "uhd"))
MAX_RATIO = 99  # numbers up to this, as in `16x9`, are a ratio and no pixels
NUMBERS = r"(\d{1,5})(?:px)?(?:\s*(?:by|to|x|[\s,;_-])\s*(\d{1,5})(?:px)?)?"
SCALE = r"\d+(?:\.\d+)?\s*(?:k|mp?)"
MIN_LONE_SIDE = 100  # pixels; a smaller number alone is not read as a side


class Shape(NamedTuple):
    """A size as typed: pixels (`1920x1080`, `is_pixels`) or a ratio (`16:9`).

    A side that is left open, as in `320x`, is infinite.
    """

    width: float
    height: float
    is_pixels: bool

    @property
    def is_open(self) -> bool:
        """Whether only one side is given, so that the image decides the other."""
        return math.isinf(self.width) or math.isinf(self.height)

    @property
    def sides(self) -> tuple[float | None, float | None]:
        """Width and height for JSON, which has no infinity; None for a side that is left open."""
        if math.isinf(self.width):
            return None, self.height
        return self.width, None if math.isinf(self.height) else self.height

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
                raise _too_small(f"{parameter} {text!r}", *numbers)
            return Shape(*numbers, is_pixels)
    raise UsageError(f"invalid {parameter} {text!r}", hint=_size_hint(text, parameter))


def parse_side(text: str) -> Shape | None:
    """Read one side in pixels, `320x` as a width or `x300` as a height; None for anything else."""
    folded = text.strip().lower().translate(SEPARATORS)
    width, found, height = folded.partition("x")
    if not found or "." in folded or bool(width.strip()) == bool(height.strip()):
        return None
    side = _positive((width or height).strip())
    if not side:
        return None
    sides = (side, math.inf) if width else (math.inf, side)
    return Shape(sides[0], sides[1], is_pixels=True)


def shape_text(shape: Shape) -> str:
    """A shape as it is typed: `1920x1080`, `320x` or `16:9`."""
    between = "x" if shape.is_pixels else ":"
    return f"{shape.width:g}{between}{shape.height:g}".replace("inf", "")


def read_word(text: str, parameter: str = "size", *, is_free: bool = False) -> str:
    """The size or ratio that is meant by `1080p`, `square`, or an aspect ratio of `16x9`.

    "" for anything else, and for a guess unless it `is_free`: nothing is paid for.
    """
    folded = text.strip().lower().translate(SEPARATORS)
    width, found, height = folded.partition("x")
    if found and (is_free or parameter == "aspect_ratio"):
        sides = _positive(width.strip()), _positive(height.strip())
        is_whole = all(side.is_integer() and side for side in sides)
        return f"{sides[0]:.0f}:{sides[1]:.0f}" if is_whole and _is_ratio(*sides) else ""
    word = folded.replace(" ", "")
    meant = WORDS.get(word, "") if is_free or word in CLEAR_WORDS else ""
    return "" if "x" in meant and parameter == "aspect_ratio" else meant


def _is_ratio(width: float, height: float) -> bool:
    """Whether two numbers with an x between them are a ratio, not pixels."""
    return min(width, height) < MIN_SIDE and max(width, height) <= MAX_RATIO


def _too_small(asked: str, width: float, height: float) -> UsageError:
    message = f"{asked} is an image of only {width:.0f} by {height:.0f} pixels"
    hint = "write pixels such as 1920x1080 or a ratio such as 16:9"
    if _is_ratio(width, height):
        hint = f"did you mean {width:.0f}:{height:.0f}?"
    return UsageError(message, hint=hint)


def parse_pixels(text: str) -> str:
    """A size in pixels as `WIDTHxHEIGHT`, however it was typed; "" for anything else."""
    try:
        shape = parse_shape(text)
    except UsageError:
        return ""
    return f"{shape.width:.0f}x{shape.height:.0f}" if shape.is_pixels else ""


def parse_ratio(text: str, parameter: str = "aspect_ratio") -> float:
    """Read `16:9` as width / height. Raises UsageError, also for pixels."""
    shape = parse_shape(text, parameter, MIN_SIDE)
    if shape.is_pixels:
        message = f"{parameter} {text!r} is a size in pixels"
        hint = f"use --size {shape.width:.0f}x{shape.height:.0f}, or give a ratio such as 16:9"
        raise UsageError(message, hint=hint)
    return shape.ratio


def parse_tier(text: str) -> float:
    """Read a resolution (`0.5K`, `4K`) or megapixels (`0.25`, `1`, `1MP`) as an area in pixels.

    Both are binary: `1K` and `1` mean 1024 x 1024, as on the model's page.
    """
    folded = text.strip().lower()
    if folded.endswith("k"):
        side = _positive(folded[:-1]) * TIER_SIDE
        area = side * side
    else:
        area = _positive(folded.removesuffix("mp").rstrip()) * TIER_SIDE**2
    if not area:
        hint = "write 0.5K, 1K, 2K or 4K, or megapixels such as 0.25"
        raise UsageError(f"invalid resolution {text!r}", hint=hint)
    return area


def nearest_ratio(ratio: float, known: Iterable[str]) -> str:
    """The closest known ratio: the one with the smallest `|ln(ratio / known)|`.

    This measure treats portrait and landscape alike.
    """
    return min(known, key=lambda name: abs(math.log(ratio / parse_ratio(name))))


def nearest_tier(area: float, known: Iterable[str]) -> str:
    """The known resolution with the closest area, by the same measure."""
    return min(known, key=lambda name: abs(math.log(area / parse_tier(name))))


def nearest_size(sizes: tuple[Size, ...], ratio: float, area: float) -> Size:
    """The published size with the closest ratio, and among those with the closest area."""
    aspect_ratio = nearest_ratio(ratio, dict.fromkeys(size.aspect_ratio for size in sizes))
    of_shape = {size.resolution: size for size in sizes if size.aspect_ratio == aspect_ratio}
    return of_shape[nearest_tier(area, of_shape)]


def nominal(ratio: str, area: float = TIER_SIDE**2) -> tuple[int, int]:
    """Width and height of a ratio at 1K, computed as on the model's page: halves round up.

    `area` in pixels is that of another resolution.
    """
    value = parse_ratio(ratio)
    height = math.floor(math.sqrt(area / value) + 0.5)
    return math.floor(height * value + 0.5), height


def sides_of(ratio: float, area: float) -> tuple[float, float]:
    """Width and height of a shape with this area."""
    height = math.sqrt(area / ratio)
    return height * ratio, height


def floor_side(side: float, step: int) -> int:
    """A side rounded down to a multiple of the step, at least one step."""
    return max(1, math.floor(side / step + ROUNDING)) * step


def fit_sides(width: float, height: float, limits: AnySize) -> tuple[int, int]:
    """The largest size within the limits that is no larger than this one and has its shape.

    Both sides are rounded down to the step. A size that is too small is enlarged.
    """
    longer, shorter = max(width, height), min(width, height)
    scale = min(1.0, math.sqrt(limits.max_pixels / (longer * shorter)))
    if limits.max_side is not None:
        scale = min(scale, limits.max_side / longer)
    scale = max(scale, limits.min_side / shorter)
    least = math.ceil(limits.min_side / limits.step) * limits.step
    short = max(least, floor_side(shorter * scale, limits.step))
    most = min(longer * scale, limits.max_pixels / short, limits.max_side or math.inf)
    long = max(least, floor_side(most, limits.step))
    return (long, short) if width >= height else (short, long)


def _positive(text: str) -> float:
    """A decimal number, or 0.0 if it is invalid: signs, exponents, blanks or non-ASCII digits."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not digits or not digits.isascii() or not digits.isdigit() or len(digits) > MAX_DIGITS:
        return 0.0
    return float(text)


def _size_hint(text: str, parameter: str) -> str:
    """A hint for an invalid size."""
    import re  # slow to import; only failures need it

    word = "".join(filter(str.isalnum, text.lower()))
    suggestion = WORDS.get(word) or _guess_numbers(text.strip())
    is_scale = re.fullmatch(SCALE, text.strip(), re.ASCII | re.IGNORECASE)
    scale = text.strip().replace(" ", "")
    if suggestion:
        option = "--size " if "x" in suggestion and parameter != "size" else ""
        other = f", or --resolution {scale}" if is_scale else ""
        return f"did you mean {option}{suggestion}{other}?"
    if is_scale:
        return f"use --resolution {scale}, or give a ratio such as 16:9"
    return "write pixels such as 1920x1080 or a ratio such as 16:9"


def _guess_numbers(text: str) -> str:
    """`16-9` -> `16:9`, `1920 1080` -> `1920x1080`, `1024` -> `1024x1024`; "" for anything else."""
    import re

    found = re.fullmatch(NUMBERS, text, re.ASCII | re.IGNORECASE)
    if not found:
        return ""
    has_two = bool(found[2])
    width, height = int(found[1]), int(found[2] or found[1])
    if min(width, height) >= (MIN_SIDE if has_two else MIN_LONE_SIDE):
        return f"{width}x{height}"
    return f"{width}:{height}" if has_two and width and height else ""
