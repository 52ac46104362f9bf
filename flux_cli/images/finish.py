"""How images become files, read from options: fitting, widths, formats, limits."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.ratio import parse_shape, parse_side, shape_text
from flux_cli.images.formats import EFFORTS, FORMATS, check_alpha, check_lossless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core import options
    from flux_cli.core.model import Json
    from flux_cli.core.ratio import Shape

FITS = ("none", "cover", "contain", "pad", "exact")
FOCUSES = ("center", "top", "bottom", "left", "right", "entropy", "attention")
# What choices do, for people who typed something else.
EXPLAINED = {
    "--fit": "cover crops, contain stays inside, pad adds borders, exact distorts",
    "--focus": "a place, or a point from the left and the top, such as --focus 0.3,0.7",
    "--effort": "fast saves time, small saves bytes",
}
DECIMALS = 4  # of a point
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

    `target` may have one side only: then the image decides the other. `focus` is a place, or a
    point such as `0.3,0.7`, and `pad_color` is `#rrggbbaa`. `only_widths` is no option: a build
    keeps the full image elsewhere, and makes only its widths.
    """

    target: Shape | None = None
    fit: str = "none"
    focus: str = "center"
    pad_color: str | None = None
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
    def resizes(self) -> bool:
        """Whether the image gets another size or shape, apart from its widths."""
        return self.fit != "none" or bool(self.target and self.target.is_open)

    @property
    def remakes(self) -> bool:
        """Whether flux makes the files itself, whatever the provider returns."""
        return bool(
            self.resizes
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
        if self.resizes and self.target:
            facts = {"target": shape_text(self.target)}
        if facts and self.fit != "none":
            facts = {"fit": self.fit, **facts, "focus": self.focus}
        if self.pad_color is not None:
            facts["pad_color"] = self.pad_color
        is_lossy = any(FORMATS[name].quality for name in self.formats) or not self.formats
        if self.quality is not None and is_lossy:
            facts["output_compression"] = self.quality
        if self.lossless:
            facts["lossless"] = True
        return facts


def read_finish(
    given: options.Finish, size: str | None, formats: tuple[str, ...], quality: int | None = None
) -> Finish:
    """Read and check the finishing options. `size` matters with --fit, or if it is one side.

    Raises UsageError for invalid values and for options that contradict each other.
    """
    target = None if size is None else parse_side(size) or parse_shape(size)
    fit = parse_choice(given.fit or "none", FITS, "--fit")
    pad_color = None
    if given.pad_color is not None:
        from flux_cli.images.pixels.border_color import parse_color  # few lookups need it

        pad_color = parse_color(given.pad_color)
    widths = [width for text in given.width or () for width in text.split(",")]
    finish = Finish(
        target=target,
        fit=fit,
        focus=parse_focus(given.focus or "center"),
        pad_color=pad_color,
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
    _check_fit(finish)
    if finish.lossless and finish.quality is not None:
        message = "--lossless and --output-compression contradict each other"
        raise UsageError(message, hint="use only one of them")
    if finish.lossless:
        for name in finish.formats:
            check_lossless(name)
    return finish


def _check_fit(finish: Finish) -> None:
    if finish.fit != "none" and finish.target is None:
        raise UsageError(f"--fit {finish.fit} needs a size to fit to", hint="give --size 1200x630")
    if finish.fit in ("contain", "exact") and finish.target and not finish.target.is_pixels:
        message = f"--fit {finish.fit} needs pixels, not a shape"
        raise UsageError(message, hint="give --size 1200x630, or --fit cover")
    if finish.fit != "cover" and finish.focus != "center":
        message = f"--focus {finish.focus} has nothing to crop"
        raise UsageError(message, hint="add --fit cover and --size")
    if finish.fit in ("cover", "pad", "exact") and finish.target and finish.target.is_open:
        message = f"--fit {finish.fit} needs both sides, and --size is {shape_text(finish.target)}"
        raise UsageError(message, hint="give --size 1200x630, or drop --fit")
    if finish.pad_color is None:
        return
    if finish.fit != "pad":
        message = f"--pad-color {finish.pad_color} has nothing to fill"
        raise UsageError(message, hint="add --fit pad and --size")
    for name in finish.formats:
        check_pad_color(finish, name)


def check_pad_color(finish: Finish, file_format: str) -> None:
    """Raise UsageError for a transparent color in a format that has no transparent pixels."""
    color = finish.pad_color
    if color is not None and not color.endswith("ff"):
        check_alpha(file_format, f"--pad-color is {color}", "give an opaque color such as white")


def parse_focus(text: str) -> str:
    """What a crop keeps: one of FOCUSES, or a point such as `0.3,0.7`. Raises UsageError."""
    if "," not in text:
        return parse_choice(text, FOCUSES, "--focus")
    shares = [_parse_share(part) for part in text.split(",")]
    if len(shares) == 2 and max(shares) <= 1:
        return ",".join(f"{share:g}" for share in shares)
    hint = "give two numbers from 0 to 1, from the left and the top, such as --focus 0.3,0.7"
    raise UsageError(f"--focus: invalid point {text!r}", hint=hint)


def _parse_share(text: str) -> float:
    """A decimal number, rounded; infinity for anything else."""
    digits = text.strip().replace(".", "", 1)
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 12
    return round(float(text), DECIMALS) if is_number else float("inf")


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
    hint = did_you_mean(folded, choices) or EXPLAINED[option]
    raise UsageError(message, hint=hint)
