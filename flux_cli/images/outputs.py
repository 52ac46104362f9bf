"""Plans the outputs of an image: their pixels, formats and encoding. Pure arithmetic.

`pixels` carries these plans out; it decides only where an entropy or attention crop is placed.
"""

from __future__ import annotations

import math

from flux_cli.core.errors import UsageError
from flux_cli.core.image import ImageFile, Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.ratio import Shape
from flux_cli.images.finish import Finish, check_pad_color
from flux_cli.images.formats import QUALITY, check_lossless

Box = tuple[float, float, float, float]

# Where a crop is placed, across and down: 0 keeps the left or top, 1 the right or bottom.
PLACES = {
    "center": (0.5, 0.5),
    "top": (0.5, 0.0),
    "bottom": (0.5, 1.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
}
CLEAR = "#00000000"  # the color of borders, unless another was asked for
MAX_SIDE = 65_535  # pixels; no format that flux writes allows longer sides
MAX_PIXELS = 100_000_000  # of an image that is decoded whole, or made; models make 4 million
SLIGHT = 1e-9  # rounding error, which does not count as enlargement


class Frame(NamedTuple):
    """The size of an output in pixels, and the size of the part of the image that it shows.

    `window` is that part, in pixels of the image. It is in the middle of the output, `inner` pixels
    large, with borders of `pad_color` around it; without `inner`, it fills the output.
    """

    width: int
    height: int
    window: tuple[float, float]
    label: str = ""  # what is added to the name of a variant: its width, or "original"
    inner: tuple[int, int] | None = None
    pad_color: str = CLEAR

    @property
    def shown(self) -> tuple[int, int]:
        """The size of the shown part in the output, without borders."""
        return self.inner or (self.width, self.height)

    @property
    def scale(self) -> float:
        """Pixels of the output per pixel of the image, in the direction where it is larger."""
        return max(self.shown[0] / self.window[0], self.shown[1] / self.window[1])


class Output(NamedTuple):
    """One file to make. `untouched`: the file has the bytes as received."""

    format: str
    frame: Frame
    focus: str
    quality: int
    effort: str
    lossless: bool = False
    max_bytes: int | None = None
    untouched: bool = False
    added: int = 0  # bytes by which the record and the signature will enlarge the file


class Rendered(NamedTuple):
    """One finished file: the image, its plan, and the quality (None: lossless or as received)."""

    image: ImageFile
    output: Output
    quality: int | None


def copy_of(data: bytes, output: Output) -> Rendered:
    """The bytes as received, as a finished file of the size that people see."""
    width, height = output.frame.width, output.frame.height
    return Rendered(ImageFile(data, output.format, width, height, as_received=True), output, None)


def outputs(finish: Finish, received: Inspection) -> tuple[Output, ...]:
    """Every file to make from an image, ordered by size, then by format.

    Raises UsageError if one cannot be made; see `possible_outputs`.
    """
    made, errors = possible_outputs(finish, received)
    if errors:
        raise errors[0]
    return made


def possible_outputs(
    finish: Finish, received: Inspection
) -> tuple[tuple[Output, ...], tuple[UsageError, ...]]:
    """Every file that can be made from an image, in the order of `outputs`, and why others cannot.

    A file may not be enlarged without --upscale, and some formats can be neither lossless nor
    transparent.
    """
    made: list[Output] = []
    errors: list[UsageError] = []
    if finish.keep_original:
        size = received.width, received.height
        original = _plain(received.format, Frame(*size, size, "original"), finish)
        made.append(original._replace(untouched=True, max_bytes=None))
    for frame in _all_frames(finish, received.width, received.height):
        try:
            _check_frame(frame, finish, received.width, received.height)
            names = finish.formats or (received.format,)
            made += [_output(finish, received, frame, name) for name in names]
        except UsageError as error:
            errors.append(error)
    return tuple(made), tuple(errors)


def frames(finish: Finish, width: int, height: int) -> tuple[Frame, ...]:
    """The frames of the image itself and of its variants, one per width.

    Raises UsageError if a frame is too large, or larger than the image without --upscale.
    """
    made = _all_frames(finish, width, height)
    for frame in made:
        _check_frame(frame, finish, width, height)
    return made


def _all_frames(finish: Finish, width: int, height: int) -> tuple[Frame, ...]:
    own = _own(finish, width, height)
    variants = [_variant(own, variant_width) for variant_width in dict.fromkeys(finish.widths)]
    return tuple(variants if variants and finish.only_widths else [own, *variants])


def _variant(own: Frame, width: int) -> Frame:
    """The frame of a variant of this width, in the shape of the image itself."""
    scale = width / own.width
    variant = own._replace(
        width=width, height=max(1, round(width * own.height / own.width)), label=str(width)
    )
    if not own.inner:
        return variant
    across, down = (max(1, round(side * scale)) for side in own.inner)
    return variant._replace(inner=(min(across, variant.width), min(down, variant.height)))


def _check_frame(frame: Frame, finish: Finish, width: int, height: int) -> None:
    """Raise UsageError for a frame that is too large, or larger than its image unasked."""
    most = max(MAX_PIXELS, width * height)
    if max(frame.width, frame.height) > MAX_SIDE or frame.width * frame.height > most:
        raise UsageError(f"{frame.width}x{frame.height} is larger than any image should be")
    if frame.scale > 1 + SLIGHT and not finish.upscale:
        raise _too_small(frame, finish, width, height)


def place(window: tuple[float, float], size: tuple[int, int], at: tuple[float, float]) -> Box:
    """The box of a window in an image, in pixels.

    `at` is its position in each direction: 0 is left or top, 1 is right or bottom.
    """
    left, top = ((size[axis] - window[axis]) * at[axis] for axis in (0, 1))
    if window == (round(window[0]), round(window[1])):
        left, top = round(left), round(top)  # whole pixels can be cut out as they are
    return left, top, left + window[0], top + window[1]


def find_place(
    focus: str, window: tuple[float, float], size: tuple[int, int]
) -> tuple[float, float] | None:
    """Where `focus` places a window in an image, as `place` takes it.

    A point comes as close to the middle of the window as the edges allow. None if the pixels
    decide.
    """
    if "," not in focus:
        return PLACES.get(focus)
    shares = [float(share) for share in focus.split(",")]
    at = []
    for share, part, whole in zip(shares, window, size, strict=True):
        room = whole - part
        start = min(max(share * whole - part / 2, 0.0), room)
        at.append(start / room if room > SLIGHT else 0.5)
    return at[0], at[1]


def _own(finish: Finish, width: int, height: int) -> Frame:
    """The frame of the image itself, whole or fitted."""
    target = finish.target
    if target is None or not finish.resizes:
        return Frame(width, height, (width, height))
    if target.is_open or finish.fit == "contain":
        is_limit = finish.fit == "contain" and not finish.upscale
        return Frame(*_inside(target, width, height, is_limit=is_limit), (width, height))
    if finish.fit == "pad":
        return _padded(finish, target, width, height)
    if finish.fit == "exact":
        return Frame(int(target.width), int(target.height), (width, height))
    scale = max(target.width / width, target.height / height)
    window = min(width, target.width / scale), min(height, target.height / scale)
    if target.is_pixels:
        return Frame(int(target.width), int(target.height), window)
    # A ratio without pixels: crop, do not scale.
    whole = max(1, round(window[0])), max(1, round(window[1]))
    return Frame(*whole, whole)


def _inside(target: Shape, width: int, height: int, *, is_limit: bool) -> tuple[int, int]:
    """The size of the whole image scaled to fit inside a target, which may have an open side.

    With `is_limit`, an image that is smaller keeps its size.
    """
    scale = min(target.width / width, target.height / height)
    if is_limit:
        scale = min(scale, 1.0)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _padded(finish: Finish, target: Shape, width: int, height: int) -> Frame:
    """The frame of the whole image with borders. A ratio without pixels only adds them."""
    inner, size = (width, height), (int(target.width), int(target.height))
    if target.is_pixels:
        inner = _inside(target, width, height, is_limit=not finish.upscale)
    elif width < height * target.ratio:
        size = max(width, math.ceil(height * target.ratio - SLIGHT)), height
    else:
        size = width, max(height, math.ceil(width / target.ratio - SLIGHT))
    color = finish.pad_color or CLEAR
    return Frame(*size, (width, height), inner=inner, pad_color=color)


def _output(finish: Finish, received: Inspection, frame: Frame, name: str) -> Output:
    if finish.lossless:
        check_lossless(name)
    check_pad_color(finish, name)
    size = received.width, received.height
    is_whole = (frame.width, frame.height) == frame.shown == frame.window == size
    has_settings = finish.quality is not None or finish.effort is not None
    fits = finish.max_bytes is None or received.size <= finish.max_bytes
    upright = received.upright or not finish.resizes
    same = name == received.format and is_whole
    untouched = same and fits and upright and not has_settings
    return _plain(name, frame, finish)._replace(untouched=untouched)


def _plain(name: str, frame: Frame, finish: Finish) -> Output:
    quality = QUALITY if finish.quality is None else finish.quality
    effort = finish.effort or "balanced"
    return Output(name, frame, finish.focus, quality, effort, finish.lossless, finish.max_bytes)


def _too_small(frame: Frame, finish: Finish, width: int, height: int) -> UsageError:
    size, times = f"{frame.width}x{frame.height}", f"{frame.scale:.2f} times"
    message = f"{size} would enlarge an image of {width}x{height} ({times})"
    most = [max(1, math.floor(side / frame.scale + SLIGHT)) for side in frame[:2]]
    hint = f"ask for at most {most[0]}x{most[1]}, or allow it with --upscale"
    if frame.label:
        hint = f"ask for at most --width {most[0]}, or allow it with --upscale"
    elif finish.target and finish.target.is_open:
        hint = "add --fit contain to keep smaller images as they are, or --upscale to enlarge them"
    return UsageError(message, hint=hint)
