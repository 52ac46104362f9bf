"""Amounts as people write them on the line of a finishing step: bytes, widths, choices."""

import math
from collections.abc import Sequence
from typing import TypeVar

from flux_cli.core.errors import UsageError, did_you_mean

UNITS = {"": 1, "b": 1, "kb": 1000, "k": 1000, "mb": 1000**2, "m": 1000**2, "kib": 1024, "mib": 1024**2}
Choice = TypeVar("Choice", bound=str)


def parse_bytes(text: str, option: str = "--max-bytes") -> int:
    """Read `200kB`, `200 KB`, `1.5MB`, `2MiB` or a plain number of bytes. Raises UsageError for anything else."""
    folded = text.strip().lower()
    number = folded.rstrip("abcdefghijklmnopqrstuvwxyz").rstrip()
    unit = folded[len(number) :].strip()
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    if digits.isascii() and digits.isdigit() and len(digits) <= 12 and unit in UNITS:
        amount = math.floor(float(number) * UNITS[unit])
        if amount > 0:
            return amount
    raise UsageError(f"{option} {text!r} is no number of bytes", hint="write 200kB, 1.5MB or 2MiB")


def parse_width(text: str, option: str = "--width") -> int:
    """Read a width in pixels. Raises UsageError."""
    digits = text.strip().lower().removesuffix("px").removesuffix("w")
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits):
        return int(digits)
    raise UsageError(f"{option} {text!r} is no width in pixels", hint=f"write {option} 640, again for each further one")


def parse_choice(text: str, choices: Sequence[Choice], option: str) -> Choice:
    """The choice a word means. Raises UsageError naming all."""
    folded = {"centre": "center"}.get(text.strip().lower(), text.strip().lower())
    for choice in choices:
        if choice == folded:
            return choice
    message = f"{option} {text!r} is not one of {', '.join(choices)}"
    raise UsageError(message, hint=did_you_mean(folded, choices) or f"write {option} {choices[0]}")
