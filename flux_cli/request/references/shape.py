"""The size of an image that follows its first reference. Pure."""

from __future__ import annotations

import math

from flux_cli.core.model import LARGEST_INPUT, Size
from flux_cli.core.ratio import fit_sides, nearest_size, parse_tier
from flux_cli.core.request import Note
from flux_cli.request.size import AUTO, choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from flux_cli.core.model import AnySize, Dialect, Model, References
    from flux_cli.core.request import Reference, Request, Value

    # The size to expect, the ratio to send (None: the provider chooses), and notes.
    Choice: TypeAlias = tuple[Size | None, str | None, tuple[Note, ...]]


def choose_beside(
    request: Request, typed: dict[str, Value], model: Model, dialect: Dialect | None
) -> Choice:
    """The size and ratio to send beside references, and notes.

    A shape that was not typed is that of the first reference. Without a ratio, none is sent: the
    provider chooses, and the size is the one to expect, or None if the reference is a URL.
    """
    taken, first = request.taken, request.references[0]
    if taken and taken.follows and all(map(_is_open, typed.values())):
        size = _expected(first, model, dialect) if first.width else None
        return size, None, (_note(typed["size"], first, taken),)
    has_free_sizes = dialect is not None and dialect.any_size is not None
    asked = _completed(typed, first, has_free_sizes=has_free_sizes)
    size, ratio, notes = choose(asked, model, dialect)
    return size, ratio, tuple(notes)


def _is_open(value: Value) -> bool:
    """Whether the user left a part of the shape open, or named it `auto`."""
    return value is None or str(value).strip().lower() == AUTO


def _note(typed: Value, first: Reference, taken: References) -> Note:
    """What gives the image the shape of the first reference."""
    fields = ", ".join(f"{name} {value}" for name, value in taken.follow.items())
    reason = f"the shape is that of the first reference, {first.name}"
    asked = None if typed is None else str(typed)
    behavior = "passthrough" if asked else "default"
    return Note("size", asked, fields or None, behavior, reason)


def _completed(
    typed: dict[str, Value], first: Reference, *, has_free_sizes: bool
) -> dict[str, Value]:
    """What was typed, with the shape of the first reference if there is none.

    Its size counts as well if nothing else does, and the provider makes any size.
    """
    has_shape = not (_is_open(typed["size"]) and _is_open(typed["aspect_ratio"]))
    if has_shape or not first.width:
        return typed
    if has_free_sizes and _is_open(typed["resolution"]):
        return {**dict.fromkeys(typed), "size": f"{first.width}x{first.height}"}
    resolution = None if _is_open(typed["resolution"]) else typed["resolution"]
    ratio = f"{first.width}:{first.height}"
    return {"size": None, "aspect_ratio": ratio, "resolution": resolution}


def _expected(first: Reference, model: Model, dialect: Dialect | None) -> Size:
    width, height = first.width, first.height
    free = (dialect.any_size if dialect else None) or model.any_size
    if free is None:
        area = parse_tier(model.default.resolution)
        return nearest_size(model.sizes, width / height, area)
    width, height = fit_sides(width, height, _within_input(free))
    factor = math.gcd(width, height)
    ratio = f"{width // factor}:{height // factor}"
    return Size(width, height, ratio, AUTO, (width, height))


def _within_input(free: AnySize) -> AnySize:
    """The limits of a size that follows a reference: larger references are scaled down before."""
    return free._replace(max_pixels=min(free.max_pixels, math.prod(LARGEST_INPUT)))
