"""Plans the outputs of an image: their pixels, formats and encoding. Pure arithmetic.

`pixels` carries these plans out; it decides only where an entropy or attention crop is placed.
"""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.image import ImageFile, Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Note
from flux_cli.images.finish import Finish
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
MAX_SIDE = 65_535  # pixels; no format that flux writes allows longer sides
MAX_PIXELS = 100_000_000  # of an image that is decoded whole, or made; models make 4 million
SLIGHT = 1e-9  # rounding error, which does not count as enlargement


class Frame(NamedTuple):
    """The size of an output in pixels, and the size of the part of the image that it shows.

    `window` is that part, in pixels of the image.
    """

    width: int
    height: int
    window: tuple[float, float]
    label: str = ""  # what is added to the name of a variant: its width, or "original"

    @property
    def scale(self) -> float:
        """Pixels of the output per pixel of the image, in the direction where it is larger."""
        return max(self.width / self.window[0], self.height / self.window[1])


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


def outputs(finish: Finish, received: Inspection) -> tuple[Output, ...]:
    """Every file to make from an image, ordered by size, then by format.

    Raises UsageError if a file would be enlarged without --upscale, or should be lossless and
    cannot be.
    """
    made = [
        _output(finish, received, frame, name)
        for frame in frames(finish, received.width, received.height)
        for name in finish.formats or (received.format,)
    ]
    if finish.keep_original:
        size = received.width, received.height
        original = _plain(received.format, Frame(*size, size, "original"), finish)
        made.insert(0, original._replace(untouched=True, max_bytes=None))
    return tuple(made)


def frames(finish: Finish, width: int, height: int) -> tuple[Frame, ...]:
    """The frames of the image itself and of its variants, one per width.

    Raises UsageError if a frame is too large, or larger than the image without --upscale.
    """
    own = _own(finish, width, height)
    variants = []
    for variant_width in dict.fromkeys(finish.widths):
        variant_height = max(1, round(variant_width * own.height / own.width))
        variants.append(Frame(variant_width, variant_height, own.window, str(variant_width)))
    made = variants if variants and finish.only_widths else [own, *variants]
    most = max(MAX_PIXELS, width * height)
    for frame in made:
        if max(frame.width, frame.height) > MAX_SIDE or frame.width * frame.height > most:
            raise UsageError(f"{frame.width}x{frame.height} is larger than any image should be")
        if frame.scale > 1 + SLIGHT and not finish.upscale:
            raise _too_small(frame, width, height)
    return tuple(made)


def place(window: tuple[float, float], size: tuple[int, int], at: tuple[float, float]) -> Box:
    """The box of a window in an image, in pixels.

    `at` is its position in each direction: 0 is left or top, 1 is right or bottom.
    """
    left, top = ((size[axis] - window[axis]) * at[axis] for axis in (0, 1))
    if window == (round(window[0]), round(window[1])):
        left, top = round(left), round(top)  # whole pixels can be cut out as they are
    return left, top, left + window[0], top + window[1]


def explain(finish: Finish, width: int, height: int) -> tuple[Note, ...]:
    """Notes on how an image of this size (in pixels) is finished.

    Raises UsageError if it would be enlarged without --upscale.
    """
    notes = []
    all_frames = frames(finish, width, height)
    target = finish.target
    exact = (target.width, target.height) if target and target.is_pixels else (width, height)
    if finish.fit == "none" and exact != (width, height):
        received = f"{width}x{height}"
        wanted = f"{exact[0]:.0f}x{exact[1]:.0f}"
        reason = f"the image will be {received}; --fit cover makes it exactly {wanted}"
        notes.append(Note("fit", "none", received, "passthrough", reason, warning=True))
    for frame in all_frames:
        if finish.fit != "none" or frame.label:
            parameter, asked = ("width", frame.label) if frame.label else ("fit", finish.fit)
            used = f"{frame.width}x{frame.height}"
            reason = described(frame, width, height, finish.focus)
            notes.append(Note(parameter, asked, used, "emulated", reason))
    return tuple(notes)


def described(frame: Frame, width: int, height: int, focus: str) -> str:
    """The steps in words: `from 2752x1536: 20.0 % of the width cropped (center), scaled by 0.4`."""
    steps = []
    kept_width, kept_height = frame.window
    for axis, whole, kept in (("width", width, kept_width), ("height", height, kept_height)):
        if whole - kept > SLIGHT:
            steps.append(f"{100 * (whole - kept) / whole:.1f} % of the {axis} cropped ({focus})")
    across, down = frame.width / kept_width, frame.height / kept_height
    if abs(across / down - 1) > 1 / min(frame.width, frame.height):
        scales = f"{across:.3f} in width and {down:.3f} in height"
        steps.append(f"scaled by {scales}, which changes its shape")
    elif abs(frame.scale - 1) > SLIGHT:
        steps.append(f"scaled by {frame.scale:.3f}")
    return f"from {width}x{height}: {', '.join(steps) or 'as it is'}"


def _own(finish: Finish, width: int, height: int) -> Frame:
    """The frame of the image itself, whole or fitted."""
    target = finish.target
    if target is None or finish.fit == "none":
        return Frame(width, height, (width, height))
    if finish.fit == "contain":
        scale = min(target.width / width, target.height / height)
        if not finish.upscale:
            scale = min(scale, 1.0)
        return Frame(max(1, round(width * scale)), max(1, round(height * scale)), (width, height))
    if finish.fit == "exact":
        return Frame(int(target.width), int(target.height), (width, height))
    scale = max(target.width / width, target.height / height)
    window = min(width, target.width / scale), min(height, target.height / scale)
    if target.is_pixels:
        return Frame(int(target.width), int(target.height), window)
    # A ratio without pixels: crop, do not scale.
    whole = max(1, round(window[0])), max(1, round(window[1]))
    return Frame(*whole, whole)


def _output(finish: Finish, received: Inspection, frame: Frame, name: str) -> Output:
    if finish.lossless:
        check_lossless(name)
    size = received.width, received.height
    is_whole = (frame.width, frame.height) == frame.window == size
    has_settings = finish.quality is not None or finish.effort is not None
    fits = finish.max_bytes is None or received.size <= finish.max_bytes
    upright = received.upright or finish.fit == "none"
    same = name == received.format and is_whole
    untouched = same and fits and upright and not has_settings
    return _plain(name, frame, finish)._replace(untouched=untouched)


def _plain(name: str, frame: Frame, finish: Finish) -> Output:
    quality = QUALITY if finish.quality is None else finish.quality
    effort = finish.effort or "balanced"
    return Output(name, frame, finish.focus, quality, effort, finish.lossless, finish.max_bytes)


def _too_small(frame: Frame, width: int, height: int) -> UsageError:
    size, times = f"{frame.width}x{frame.height}", f"{frame.scale:.2f} times"
    message = f"{size} would enlarge an image of {width}x{height} ({times})"
    most = max(1, int(frame.width / frame.scale)), max(1, int(frame.height / frame.scale))
    hint = f"ask for at most {most[0]}x{most[1]}, or allow it with --upscale"
    return UsageError(message, hint=hint)
