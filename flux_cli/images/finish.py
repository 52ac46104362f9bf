"""How images become files, read from options: fitting, widths, formats, limits."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.ratio import parse_shape
from flux_cli.images.formats import EFFORTS, FORMATS, check_lossless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core import options
    from flux_cli.core.model import Json
    from flux_cli.core.ratio import Shape

FITS = ("none", "cover", "contain", "exact")
FOCUSES = ("center", "top", "bottom", "left", "right", "entropy", "attention")
UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "k": 1000,
    "mb": 1000**2,
    "m": 1000**2,
    "kib": 1024,
    "mib": 1024**2,
}


class Finish(NamedTuple):
    """The finishing that was requested for every image. None or empty: not given.

    `only_widths` is no option: a build keeps the full image elsewhere, and makes only its widths.
    """

    target: Shape | None = None
    fit: str = "none"
    focus: str = "center"
    upscale: bool = False
    widths: tuple[int, ...] = ()
    formats: tuple[str, ...] = ()  # empty: as received
    quality: int | None = None
    lossless: bool = False
    max_bytes: int | None = None
    effort: str | None = None
    keep_original: bool = False
    only_widths: bool = False

    @property
    def remakes(self) -> bool:
        """Whether flux makes the files itself, whatever the provider returns."""
        return bool(
            self.fit != "none"
            or len(self.formats) > 1
            or self.widths
            or self.lossless
            or self.max_bytes is not None
            or self.effort is not None
            or self.keep_original
        )

    def describe(self) -> dict[str, Json]:
        """What changes how files look, and cannot be seen in them: for the record of an image.

        Formats, widths and the limit of bytes are not part of it: the files have them.
        """
        facts: dict[str, Json] = {}
        if self.fit != "none" and self.target:
            sign = "x" if self.target.is_pixels else ":"
            target = f"{self.target.width:g}{sign}{self.target.height:g}"
            facts |= {"fit": self.fit, "target": target, "focus": self.focus}
        is_lossy = any(FORMATS[name].quality for name in self.formats) or not self.formats
        if self.quality is not None and is_lossy:
            facts["output_compression"] = self.quality
        if self.lossless:
            facts["lossless"] = True
        return facts


def read_finish(
    given: options.Finish, size: str | None, formats: tuple[str, ...], quality: int | None = None
) -> Finish:
    """Read and check the finishing options. `size` matters only with --fit.

    Raises UsageError for invalid values and for options that contradict each other.
    """
    target = None if size is None else parse_shape(size)
    fit = parse_choice(given.fit or "none", FITS, "--fit")
    focus = parse_choice(given.focus or "center", FOCUSES, "--focus")
    widths = [width for text in given.width or () for width in text.split(",")]
    finish = Finish(
        target=target,
        fit=fit,
        focus=focus,
        upscale=given.upscale,
        widths=tuple(parse_width(width) for width in widths),
        formats=formats,
        quality=quality,
        lossless=given.lossless,
        keep_original=given.keep_original,
    )
    if given.max_bytes is not None:
        finish = finish._replace(max_bytes=parse_bytes(given.max_bytes))
    if given.effort:
        finish = finish._replace(effort=parse_choice(given.effort, EFFORTS, "--effort"))
    return check(finish)


def check(finish: Finish) -> Finish:
    """Return the finish. Raises UsageError if its parts contradict each other for any image."""
    if finish.fit != "none" and finish.target is None:
        raise UsageError(f"--fit {finish.fit} needs a size to fit to", hint="give --size 1200x630")
    if finish.fit in ("contain", "exact") and finish.target and not finish.target.is_pixels:
        message = f"--fit {finish.fit} needs pixels, not a shape"
        raise UsageError(message, hint="give --size 1200x630, or --fit cover")
    if finish.fit != "cover" and finish.focus != "center":
        message = f"--focus {finish.focus} has nothing to crop"
        raise UsageError(message, hint="add --fit cover and --size")
    if finish.lossless and finish.quality is not None:
        message = "--lossless and --output-compression contradict each other"
        raise UsageError(message, hint="use only one of them")
    if finish.lossless:
        for name in finish.formats:
            check_lossless(name)
    return finish


def parse_quality(text: str) -> int:
    """Read a quality from 0 to 100. Raises UsageError."""
    if text.isascii() and text.isdigit() and int(text[:4]) <= 100:
        return int(text)
    message = f"invalid output_compression {text!r}"
    raise UsageError(message, hint="give a whole number from 0 to 100")


def parse_bytes(text: str, option: str = "--max-bytes") -> int:
    """Read `200kB`, `200 KB`, `1.5MB`, `2MiB` or a plain number of bytes. Raises UsageError."""
    folded = text.strip().lower()
    number = folded.rstrip("abcdefghijklmnopqrstuvwxyz").rstrip()
    unit = folded[len(number) :].strip()
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    if digits.isascii() and digits.isdigit() and len(digits) <= 12 and unit in UNITS:
        amount = int(float(number) * UNITS[unit])
        if amount > 0:
            return amount
    message = f"{option}: invalid number of bytes {text!r}"
    raise UsageError(message, hint="for example 200kB, 1.5MB or 2MiB")


def parse_width(text: str, option: str = "--width") -> int:
    """Read a width in pixels. Raises UsageError."""
    digits = text.strip().lower().removesuffix("px").removesuffix("w")
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits):
        return int(digits)
    hint = f"give pixels, as in {option} 640; repeat the option for more widths"
    raise UsageError(f"{option}: invalid width {text!r}", hint=hint)


def parse_choice(text: str, choices: Sequence[str], option: str) -> str:
    """The choice a word names, in any case; `centre` is read as `center`.

    Raises UsageError with a list of all choices.
    """
    folded = text.strip().lower()
    if folded == "centre":
        folded = "center"
    if folded in choices:
        return folded
    message = f"{option}: invalid choice {text!r}, expected one of {', '.join(choices)}"
    hint = did_you_mean(folded, choices) or f"for example {option} {choices[0]}"
    raise UsageError(message, hint=hint)
