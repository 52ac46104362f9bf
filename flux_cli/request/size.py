"""Size & Layout: what size, aspect_ratio and resolution mean together, and the nearest a model has."""

from __future__ import annotations

import math

from flux_cli.core.lite import NamedTuple
from flux_cli.core.ratio import MIN_SIDE, Shape, nearest_size, parse_ratio, parse_shape, parse_tier
from flux_cli.core.request import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Dialect, Model, Size
    from flux_cli.core.request import Value

NAMES = ("size", "aspect_ratio", "resolution")
SAME = 1e-9  # two ratios are one shape: 32:18 and 16:9
NEAR = 0.01  # pixels this near to a published shape mean it: 1365x768 is 16:9, not 455:256


class Chosen(NamedTuple):
    """The published size, the shape as a provider that takes shapes gets it, and why."""

    size: Size
    aspect_ratio: str
    notes: tuple[Note, ...]


class _Asked(NamedTuple):
    """What was said, read: which option set the shape (None: none did), its ratio, and the area in pixels."""

    parameter: str | None
    text: str
    shape: Shape
    area: float


def choose(said: dict[str, Value], model: Model, dialect: Dialect | None) -> Chosen:
    """Size wins over aspect_ratio and resolution; shape and scale are independent; the nearest is taken.

    `said` has the three parameters, None where unsaid. Raises UsageError for what is no size, ratio or tier.
    """
    size, aspect_ratio, resolution = (None if said[name] is None else str(said[name]) for name in NAMES)
    asked = _read(size, aspect_ratio, resolution, model)
    shapes = dialect.aspect_ratios if dialect else ()
    offered = tuple(row for row in model.sizes if not shapes or row.aspect_ratio in shapes)
    chosen = nearest_size(offered, asked.shape.ratio, asked.area)
    ratio = _exact(asked, chosen, dialect)
    by_ratio = bool(dialect and "size" in dialect.fields and dialect.fields["size"].spelling == "aspect_ratio")
    sent = ratio if by_ratio else chosen.name
    notes = [_shape_note(asked, chosen, ratio, sent)] if asked.parameter else []
    if size is not None:
        notes += _ignored("aspect_ratio", aspect_ratio, size)
    if asked.shape.is_pixels:
        notes += _ignored("resolution", resolution, asked.text)
    elif resolution is not None:
        notes.append(_tier_note(resolution, asked.area, chosen))
    if asked.parameter != "size" and not (by_ratio and asked.parameter):
        reason = f"{ratio} at {chosen.resolution}, sent explicitly: upstream defaults differ"
        name = "aspect_ratio" if by_ratio else "size"
        notes.append(Note(name, None, sent, "converted" if asked.parameter else "default", reason))
    return Chosen(chosen, ratio, tuple(notes))


def _read(size: str | None, aspect_ratio: str | None, resolution: str | None, model: Model) -> _Asked:
    area = parse_tier(model.default.resolution if resolution is None else resolution)
    if size is not None:
        shape = parse_shape(size, smallest=MIN_SIDE)
        return _Asked("size", size, shape, shape.area if shape.is_pixels else area)
    if aspect_ratio is not None:
        parse_ratio(aspect_ratio)  # refuses pixels
        return _Asked("aspect_ratio", aspect_ratio, parse_shape(aspect_ratio), area)
    return _Asked(None, "", parse_shape(model.default.aspect_ratio), area)


def _exact(asked: _Asked, chosen: Size, dialect: Dialect | None) -> str:
    """The shape to send: the published one, or the very one asked for where the provider takes any."""
    ratio = asked.shape.ratio
    near = NEAR if asked.shape.is_pixels else SAME
    if dialect is None or dialect.any_ratio is None or _distance(ratio, chosen) < near:
        return chosen.aspect_ratio
    narrow, wide = dialect.any_ratio
    if ratio <= parse_ratio(narrow):
        return narrow
    if ratio >= parse_ratio(wide):
        return wide
    return _reduced(asked.shape)


def _reduced(shape: Shape) -> str:
    """`1200x630` -> `40:21`, `1.91:1` -> `191:100`: whole numbers without a common factor."""
    scale = 1
    while scale < 10**6 and not ((shape.width * scale).is_integer() and (shape.height * scale).is_integer()):
        scale *= 10
    width, height = round(shape.width * scale), round(shape.height * scale)
    factor = math.gcd(width, height)
    return f"{width // factor}:{height // factor}"


def _distance(ratio: float, size: Size) -> float:
    return abs(math.log(ratio / parse_ratio(size.aspect_ratio)))


def _ignored(parameter: str, asked: str | None, size: str) -> list[Note]:
    if asked is None:
        return []
    return [Note(parameter, asked, None, "ignored", f"size {size} is more specific and always wins", warning=True)]


def _shape_note(asked: _Asked, chosen: Size, ratio: str, sent: str) -> Note:
    """What became of the option that set the shape."""
    parameter, text = asked.parameter or "", asked.text
    where = f"{ratio} at {chosen.resolution}"
    if asked.shape.is_pixels:
        if (asked.shape.width, asked.shape.height) == (chosen.width, chosen.height):
            return Note(
                parameter, text, sent, "passthrough" if sent == chosen.name else "converted", f"published: {where}"
            )
        if (asked.shape.width, asked.shape.height) == chosen.native:
            return Note(parameter, text, sent, "converted", f"the size in which {where} is delivered")
        reason = f"not published: the nearest by shape, then area, is {where}"
        if ratio != chosen.aspect_ratio:
            reason = f"shape kept as {ratio}; the scale is the model's own"
        return Note(parameter, text, sent, "converted", reason, warning=True)
    used = sent if parameter == "size" else ratio
    exact = abs(math.log(asked.shape.ratio / parse_ratio(ratio))) < SAME
    if exact and ratio == chosen.aspect_ratio:
        return Note(parameter, text, used, "converted", f"{ratio} is {chosen.name}")
    if exact:
        return Note(parameter, text, used, "converted", f"taken as it is; nominally near {chosen.name}")
    reason = f"not supported: the nearest ratio is {ratio}"
    return Note(parameter, text, used, "converted", reason, warning=True)


def _tier_note(asked: str, area: float, chosen: Size) -> Note:
    if abs(math.log(area / parse_tier(chosen.resolution))) < SAME:
        return Note("resolution", asked, chosen.resolution, "converted", f"part of size {chosen.name}")
    reason = f"not supported: the nearest tier is {chosen.resolution}"
    return Note("resolution", asked, chosen.resolution, "converted", reason, warning=True)
