"""Reads the options about how an image becomes files: sizes in bytes and pixels, choices, and all of them together."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.ratio import parse_shape
from flux_cli.images.formats import EFFORTS
from flux_cli.images.outputs import FITS, FOCUSES, Finish, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core import options

UNITS = {"": 1, "b": 1, "kb": 1000, "k": 1000, "mb": 1000**2, "m": 1000**2, "kib": 1024, "mib": 1024**2}


def read_finish(said: options.Finish, size: str | None, formats: tuple[str, ...], quality: int | None = None) -> Finish:
    """What every image should become. `size` counts only with --fit.

    Raises UsageError for values that make no sense or contradict each other, before anything is done.
    """
    widths = [one for text in said.width or () for one in text.split(",")]
    return check(
        Finish(
            target=None if size is None else parse_shape(size),
            fit=parse_choice(said.fit, FITS, "--fit") if said.fit else "none",
            focus=parse_choice(said.focus, FOCUSES, "--focus") if said.focus else "center",
            upscale=said.upscale,
            widths=tuple(parse_width(width) for width in widths),
            formats=formats,
            quality=quality,
            lossless=said.lossless,
            max_bytes=None if said.max_bytes is None else parse_bytes(said.max_bytes),
            effort=parse_choice(said.effort, EFFORTS, "--effort") if said.effort else None,
            keep_original=said.keep_original,
        )
    )


def parse_quality(text: str) -> int:
    """Read a quality from 0 to 100. Raises UsageError."""
    if text.isascii() and text.isdigit() and int(text[:4]) <= 100:
        return int(text)
    raise UsageError(f"invalid output_compression {text!r}", hint="give a whole number from 0 to 100")


def parse_bytes(text: str, option: str = "--max-bytes") -> int:
    """Read `200kB`, `200 KB`, `1.5MB`, `2MiB` or a plain number of bytes. Raises UsageError for anything else."""
    folded = text.strip().lower()
    number = folded.rstrip("abcdefghijklmnopqrstuvwxyz").rstrip()
    unit = folded[len(number) :].strip()
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    if digits.isascii() and digits.isdigit() and len(digits) <= 12 and unit in UNITS:
        amount = int(float(number) * UNITS[unit])
        if amount > 0:
            return amount
    raise UsageError(f"{option}: invalid number of bytes {text!r}", hint="for example 200kB, 1.5MB or 2MiB")


def parse_width(text: str, option: str = "--width") -> int:
    """Read a width in pixels. Raises UsageError."""
    digits = text.strip().lower().removesuffix("px").removesuffix("w")
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits):
        return int(digits)
    raise UsageError(
        f"{option}: invalid width {text!r}", hint=f"give pixels, as in {option} 640; repeat the option for more widths"
    )


def parse_choice(text: str, choices: Sequence[str], option: str) -> str:
    """The choice that a word means; `centre` is read as `center`. Raises UsageError that lists all choices."""
    folded = text.strip().lower()
    if folded == "centre":
        folded = "center"
    if folded in choices:
        return folded
    message = f"{option}: invalid choice {text!r}, expected one of {', '.join(choices)}"
    raise UsageError(message, hint=did_you_mean(folded, choices) or f"for example {option} {choices[0]}")
