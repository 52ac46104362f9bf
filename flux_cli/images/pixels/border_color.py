"""Reads the color of borders as people write it, with Pillow's reader of CSS colors."""

from __future__ import annotations

from contextlib import suppress

from PIL.ImageColor import colormap, getrgb

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.images.outputs import CLEAR


def parse_color(text: str, option: str = "--pad-color") -> str:
    """A color in its one form, `#rrggbbaa`. Raises UsageError.

    Takes everything that Pillow knows of CSS, such as `#fa0`, `#ffaa0080`, `rgb(255, 170, 0)` and
    `orange`; digits without `#`; and `transparent`.
    """
    folded = text.strip().lower()
    if folded == "transparent":
        return CLEAR
    for spelling in (folded, f"#{folded}"):
        with suppress(ValueError):  # Pillow does not know it, or it is out of range
            levels = getrgb(spelling)
            return f"#{bytes(levels).hex():f<8}"
    hint = did_you_mean(folded, colormap)
    message = f"{option}: invalid color {text!r}"
    raise UsageError(message, hint=hint or "write #rrggbb, #rrggbbaa, or a name such as white")


def channels(color: str) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity of a color in its one form, each from 0 to 255."""
    red, green, blue, alpha = bytes.fromhex(color[1:])
    return red, green, blue, alpha
