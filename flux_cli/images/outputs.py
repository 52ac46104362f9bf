"""From one image to the files a person wants of it: which pixels, which formats, how encoded. Pure arithmetic.

`imaging` carries these plans out; it decides nothing but where an entropy or attention crop lies.
"""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.image import ImageFile, Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.ratio import Shape
from flux_cli.core.request import Note
from flux_cli.images.formats import QUALITY, check_lossless

Box = tuple[float, float, float, float]

FITS = ("none", "cover", "contain", "exact")
FOCUSES = ("center", "top", "bottom", "left", "right", "entropy", "attention")
# Where a crop lies between the two ends of what is cut: 0 keeps left or top, 1 right or bottom.
PLACES = {"center": (0.5, 0.5), "top": (0.5, 0.0), "bottom": (0.5, 1.0), "left": (0.0, 0.5), "right": (1.0, 0.5)}
MAX_SIDE = 65_535  # pixels; no format flux writes has longer sides
MAX_PIXELS = 100_000_000  # what an image may have, decoded or made; the model's own have 4 million
SLIGHT = 1e-9  # rounding of the arithmetic, no enlargement


class Finish(NamedTuple):
    """What a person wants of every image, as they said it. None or empty: unsaid."""

    target: Shape | None = None
    fit: str = "none"
    focus: str = "center"
    upscale: bool = False
    widths: tuple[int, ...] = ()
    formats: tuple[str, ...] = ()  # as received
    quality: int | None = None
    lossless: bool = False
    max_bytes: int | None = None
    effort: str | None = None
    keep_original: bool = False

    @property
    def remakes(self) -> bool:
        """Whether files are made here, whatever comes: more is wanted than one format."""
        return bool(
            self.fit != "none"
            or len(self.formats) > 1
            or self.widths
            or self.lossless
            or self.max_bytes is not None
            or self.effort is not None
            or self.keep_original
        )


class Frame(NamedTuple):
    """Exact pixels of a file, and how much of the image (`window`, in its own pixels) they show."""

    width: int
    height: int
    window: tuple[float, float]
    label: str = ""  # what tells a derivative's name from the image's own: its width, or "original"

    @property
    def scale(self) -> float:
        """Pixels of the file for one of the image, the larger of both directions."""
        return max(self.width / self.window[0], self.height / self.window[1])


class Output(NamedTuple):
    """One file to make. `untouched`: the bytes that came are the file."""

    format: str
    frame: Frame
    focus: str
    quality: int
    effort: str
    lossless: bool = False
    max_bytes: int | None = None
    untouched: bool = False
    added: int = 0  # bytes that its record and signature will make the file larger


class Rendered(NamedTuple):
    """One file made: the image, what it was made for, and the quality reached (None: nothing was lost)."""

    image: ImageFile
    output: Output
    quality: int | None


def check(wanted: Finish) -> Finish:
    """The finish itself. Raises UsageError where its parts contradict each other, whatever image comes."""
    if wanted.fit != "none" and wanted.target is None:
        raise UsageError(f"--fit {wanted.fit} needs a size to fit to", hint="give --size 1200x630")
    if wanted.fit in ("contain", "exact") and wanted.target and not wanted.target.is_pixels:
        raise UsageError(f"--fit {wanted.fit} needs pixels, not a shape", hint="give --size 1200x630, or --fit cover")
    if wanted.fit != "cover" and wanted.focus != "center":
        raise UsageError(f"--focus {wanted.focus} has nothing to crop", hint="add --fit cover and --size")
    if wanted.lossless and wanted.quality is not None:
        raise UsageError("--lossless and --output-compression contradict each other", hint="give one of the two")
    if wanted.lossless:
        for name in wanted.formats:
            check_lossless(name)
    return wanted


def outputs(wanted: Finish, received: Inspection) -> tuple[Output, ...]:
    """Every file to make of an image, in the order of sizes, then formats.

    Raises UsageError where that would enlarge it unasked, or lose what should be lossless.
    """
    made = [
        _output(wanted, received, frame, name)
        for frame in frames(wanted, received.width, received.height)
        for name in wanted.formats or (received.format,)
    ]
    if wanted.keep_original:
        whole = Frame(received.width, received.height, (received.width, received.height), "original")
        made.insert(0, _plain(received.format, whole, wanted)._replace(untouched=True, max_bytes=None))
    return tuple(made)


def frames(wanted: Finish, width: int, height: int) -> tuple[Frame, ...]:
    """The image's own frame, unless only derivatives are wanted of it, and one for each width.

    Raises UsageError where one would enlarge the image unasked.
    """
    own = _own(wanted, width, height)
    derived = [
        Frame(wide, max(1, round(wide * own.height / own.width)), own.window, str(wide))
        for wide in dict.fromkeys(wanted.widths)
    ]
    kept = [own, *derived] if wanted.fit != "none" or not derived else derived
    for frame in kept:
        if max(frame.width, frame.height) > MAX_SIDE or frame.width * frame.height > MAX_PIXELS:
            raise UsageError(f"{frame.width}x{frame.height} is larger than any image should be")
        if frame.scale > 1 + SLIGHT and not wanted.upscale:
            raise _too_small(frame, width, height)
    return tuple(kept)


def place(window: tuple[float, float], size: tuple[int, int], at: tuple[float, float]) -> Box:
    """The box of a window in an image, at a share (0 to 1) of the room it has in each direction."""
    left, top = ((size[axis] - window[axis]) * at[axis] for axis in (0, 1))
    if window == (round(window[0]), round(window[1])):
        left, top = round(left), round(top)  # whole pixels can be cut out as they are
    return left, top, left + window[0], top + window[1]


def explain(wanted: Finish, width: int, height: int) -> tuple[Note, ...]:
    """What becomes of an image of that size, as notes. Raises UsageError where it would be enlarged unasked."""
    notes = []
    target = wanted.target
    all_frames = frames(wanted, width, height)
    if target and target.is_pixels and wanted.fit == "none" and (width, height) != (target.width, target.height):
        asked = f"{target.width:.0f}x{target.height:.0f}"
        reason = f"comes as {width}x{height}: --fit cover makes it exactly {asked}"
        notes.append(Note("fit", "none", f"{width}x{height}", "passthrough", reason, warning=True))
    for frame in all_frames:
        if wanted.fit != "none" or frame.label:
            parameter, asked = ("width", frame.label) if frame.label else ("fit", wanted.fit)
            reason = described(frame, width, height, wanted.focus)
            notes.append(Note(parameter, asked, f"{frame.width}x{frame.height}", "emulated", reason))
    return tuple(notes)


def described(frame: Frame, width: int, height: int, focus: str) -> str:
    """`from 2752x1536: 20 % of the width cropped around the center, scaled by 0.41`."""
    steps = []
    for axis, (whole, kept) in (("width", (width, frame.window[0])), ("height", (height, frame.window[1]))):
        if whole - kept > SLIGHT:
            steps.append(f"{100 * (whole - kept) / whole:.1f} % of the {axis} cropped ({focus})")
    across, down = frame.width / frame.window[0], frame.height / frame.window[1]
    if abs(across / down - 1) > 1 / min(frame.width, frame.height):
        steps.append(f"scaled by {across:.3f} in width and {down:.3f} in height, which changes its shape")
    elif abs(frame.scale - 1) > SLIGHT:
        steps.append(f"scaled by {frame.scale:.3f}")
    return f"from {width}x{height}: {', '.join(steps) or 'as it is'}"


def _own(wanted: Finish, width: int, height: int) -> Frame:
    """The frame of the image itself, whole or fitted."""
    target = wanted.target
    if target is None or wanted.fit == "none":
        return Frame(width, height, (width, height))
    if wanted.fit == "contain":
        scale = min(target.width / width, target.height / height, *(() if wanted.upscale else (1.0,)))
        return Frame(max(1, round(width * scale)), max(1, round(height * scale)), (width, height))
    if wanted.fit == "exact":
        return Frame(int(target.width), int(target.height), (width, height))
    scale = max(target.width / width, target.height / height)
    window = min(width, target.width / scale), min(height, target.height / scale)
    if target.is_pixels:
        return Frame(int(target.width), int(target.height), window)
    whole = max(1, round(window[0])), max(1, round(window[1]))  # a shape alone: crop, and do not scale
    return Frame(*whole, whole)


def _output(wanted: Finish, received: Inspection, frame: Frame, name: str) -> Output:
    if wanted.lossless:
        check_lossless(name)
    same = name == received.format and (frame.width, frame.height) == frame.window == (received.width, received.height)
    said = wanted.quality is not None or wanted.effort is not None
    fits = wanted.max_bytes is None or received.size <= wanted.max_bytes
    upright = received.upright or wanted.fit == "none"
    untouched = same and fits and upright and not said
    return _plain(name, frame, wanted)._replace(untouched=untouched)


def _plain(name: str, frame: Frame, wanted: Finish) -> Output:
    quality = QUALITY if wanted.quality is None else wanted.quality
    return Output(name, frame, wanted.focus, quality, wanted.effort or "balanced", wanted.lossless, wanted.max_bytes)


def _too_small(frame: Frame, width: int, height: int) -> UsageError:
    message = f"{frame.width}x{frame.height} would enlarge an image of {width}x{height} ({frame.scale:.2f} times)"
    most = max(1, int(frame.width / frame.scale)), max(1, int(frame.height / frame.scale))
    return UsageError(message, hint=f"ask for at most {most[0]}x{most[1]}, or allow it with --upscale")
