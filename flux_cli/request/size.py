"""Combines size, aspect_ratio and resolution, and finds the closest published size of the model."""

from __future__ import annotations

import math

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import MEGAPIXEL, Size
from flux_cli.core.ratio import (
    MIN_SIDE,
    Shape,
    fit_sides,
    nearest_ratio,
    nearest_size,
    parse_ratio,
    parse_shape,
    parse_tier,
    sides_of,
)
from flux_cli.core.request import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from flux_cli.core.model import AnySize, Dialect, Model
    from flux_cli.core.request import Value

    # A published size, the ratio for providers that take ratios, and notes with the reasons.
    Choice: TypeAlias = tuple[Size, str, list[Note]]

AUTO = "auto"
NAMES = ("size", "aspect_ratio", "resolution")
ALWAYS_SENT = "always sent, because the defaults of upstreams differ"
MAX_SCALE = 10**6  # sides of a ratio keep up to six decimal places
EQUAL = 1e-9  # ratios closer than this are the same shape: 32:18 and 16:9
CLOSE = 0.01  # pixels closer than this to a published ratio mean it: 1365x768 is 16:9, not 455:256


class _Asked(NamedTuple):
    """The requested shape and scale."""

    parameter: str | None  # the option that set the shape; None: no option
    text: str  # the value of that option
    shape: Shape
    area: float  # in pixels
    tier: str  # the resolution; "" with a size in pixels


def choose(given: dict[str, Value], model: Model, dialect: Dialect | None) -> Choice:
    """The published size that is closest to what was asked for, by ratio and then by area.

    `size` overrides aspect_ratio and resolution; ratio and scale are independent of each other.
    `given` holds the three parameters, None where not given. Raises UsageError for an invalid size,
    ratio or tier.
    """
    (size, aspect_ratio, resolution), notes = _without_auto(given, model)
    asked = _read(size, aspect_ratio, resolution, model)
    free = dialect.any_size if dialect else None
    chosen, ratio = _closest(asked, model, dialect, free)
    sends_ratio = _sends_ratio(dialect)
    sent = ratio if sends_ratio else chosen.name
    if asked.parameter and free:
        notes.append(_free_note(asked, chosen, free))
    elif asked.parameter:
        notes.append(_shape_note(asked, chosen, ratio, sent))
    if size is not None and aspect_ratio is not None:
        notes.append(_ignored("aspect_ratio", aspect_ratio, size))
    if resolution is not None and asked.shape.is_pixels:
        notes.append(_ignored("resolution", resolution, asked.text))
    elif resolution is not None:
        notes.append(_tier_note(resolution, asked.area, chosen))
    if asked.parameter is None or (asked.parameter == "aspect_ratio" and not sends_ratio):
        name = "aspect_ratio" if sends_ratio else "size"
        behavior = "converted" if asked.parameter else "default"
        reason = f"{ratio} at {chosen.resolution}; {ALWAYS_SENT}"
        notes.append(Note(name, None, sent, behavior, reason))
    return chosen, ratio, notes


def own_size(given: dict[str, Value], model: Model) -> Size:
    """The size that the model itself has for what was asked, whoever makes the image."""
    if model.any_size is None:
        return choose(given, model, None)[0]
    (size, aspect_ratio, resolution), _ = _without_auto(given, model)
    asked = _read(size, aspect_ratio, resolution, model)
    return _closest(asked, model, None, model.any_size)[0]


def _without_auto(given: dict[str, Value], model: Model) -> tuple[list[str | None], list[Note]]:
    """The values of NAMES. `auto` follows a reference image; without one, a shape is sent."""
    typed = [_text(given[name]) for name in NAMES]
    if not model.auto_size:
        return typed, []
    reason = "auto is the shape of a reference image, and there is none"
    notes = []
    for place, (name, text) in enumerate(zip(NAMES, typed, strict=True)):
        if text is not None and text.strip().lower() == AUTO:
            notes.append(Note(name, text, None, "ignored", reason, warning=True))
            typed[place] = None
    return typed, notes


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _sends_ratio(dialect: Dialect | None) -> bool:
    """Whether this provider takes a ratio instead of a size."""
    if dialect is None or "size" not in dialect.fields:
        return False
    return dialect.fields["size"].spelling == "aspect_ratio"


def _read(
    size: str | None, aspect_ratio: str | None, resolution: str | None, model: Model
) -> _Asked:
    tier = model.default.resolution if resolution is None else resolution
    area = parse_tier(tier)
    if size is not None:
        shape = parse_shape(size, smallest=MIN_SIDE)
        if shape.is_pixels:
            return _Asked("size", size, shape, shape.area, "")
        return _Asked("size", size, shape, area, tier)
    if aspect_ratio is not None:
        parse_ratio(aspect_ratio)  # refuses pixels
        return _Asked("aspect_ratio", aspect_ratio, parse_shape(aspect_ratio), area, tier)
    return _Asked(None, "", parse_shape(model.default.aspect_ratio), area, tier)


def _closest(
    asked: _Asked, model: Model, dialect: Dialect | None, free: AnySize | None
) -> tuple[Size, str]:
    """The size to use, and the ratio to send."""
    if free is None:
        chosen = nearest_size(_offered(model, dialect), asked.shape.ratio, asked.area)
        return chosen, _ratio_to_send(asked, chosen, dialect)
    width, height = fit_sides(*_sides(asked), free)
    tier = f"{round(width * height / MEGAPIXEL, 2):g}MP"
    if asked.tier and not _is_limited(asked, free, width, height):
        tier = asked.tier
    ratio = _named_ratio(asked.shape, model)
    return Size(width, height, ratio, tier, (width, height)), ratio


def _sides(asked: _Asked) -> tuple[float, float]:
    """Width and height in pixels of what was asked for."""
    shape = asked.shape
    return (shape.width, shape.height) if shape.is_pixels else sides_of(shape.ratio, asked.area)


def _is_limited(asked: _Asked, free: AnySize, *used: int) -> bool:
    """Whether a size differs from what was asked for by more than rounding."""
    sides = zip(_sides(asked), used, strict=True)
    return any(abs(before - after) >= free.step for before, after in sides)


def _named_ratio(shape: Shape, model: Model) -> str:
    """The published ratio that a shape has, or its own."""
    nearest = nearest_ratio(shape.ratio, dict.fromkeys(size.aspect_ratio for size in model.sizes))
    tolerance = CLOSE if shape.is_pixels else EQUAL
    return nearest if _distance(shape.ratio, nearest) < tolerance else _reduced(shape)


def _offered(model: Model, dialect: Dialect | None) -> tuple[Size, ...]:
    """The model's sizes whose ratio this provider takes."""
    ratios = dialect.aspect_ratios if dialect else ()
    return tuple(size for size in model.sizes if not ratios or size.aspect_ratio in ratios)


def _ratio_to_send(asked: _Asked, chosen: Size, dialect: Dialect | None) -> str:
    """The published ratio, or for providers that take any ratio, exactly the one asked for."""
    if dialect is None or dialect.any_ratio is None:
        return chosen.aspect_ratio
    ratio = asked.shape.ratio
    tolerance = CLOSE if asked.shape.is_pixels else EQUAL
    if _distance(ratio, chosen.aspect_ratio) < tolerance:
        return chosen.aspect_ratio
    narrowest, widest = dialect.any_ratio
    if ratio <= parse_ratio(narrowest):
        return narrowest
    if ratio >= parse_ratio(widest):
        return widest
    return _reduced(asked.shape)


def _reduced(shape: Shape) -> str:
    """`1200x630` -> `40:21`, `1.91:1` -> `191:100`: whole numbers without a common factor."""
    scale = 1
    while scale < MAX_SCALE and not _is_whole(shape, scale):
        scale *= 10
    width, height = round(shape.width * scale), round(shape.height * scale)
    factor = math.gcd(width, height)
    return f"{width // factor}:{height // factor}"


def _is_whole(shape: Shape, scale: int) -> bool:
    return (shape.width * scale).is_integer() and (shape.height * scale).is_integer()


def _distance(ratio: float, name: str) -> float:
    """How far a ratio is from a named one: the absolute logarithm of their quotient."""
    return abs(math.log(ratio / parse_ratio(name)))


def _ignored(parameter: str, asked: str, size: str) -> Note:
    reason = f"size {size} is more specific and overrides it"
    return Note(parameter, asked, None, "ignored", reason, warning=True)


def _shape_note(asked: _Asked, chosen: Size, ratio: str, sent: str) -> Note:
    """A note on the option that set the shape."""
    if asked.shape.is_pixels:
        return _pixels_note(asked, chosen, ratio, sent)
    parameter, text = asked.parameter or "", asked.text
    used = sent if parameter == "size" else ratio
    if _distance(asked.shape.ratio, ratio) >= EQUAL:
        reason = f"the model has no {text}; using {ratio} ({chosen.name}), the closest"
        return Note(parameter, text, used, "converted", reason, warning=True)
    reason = f"{ratio} is {chosen.name}"
    if ratio != chosen.aspect_ratio:
        reason = f"sent as it is; close to {chosen.name}, which is nominal"
    return Note(parameter, text, used, "converted", reason)


def _pixels_note(asked: _Asked, chosen: Size, ratio: str, sent: str) -> Note:
    """A note on a size in pixels."""
    parameter, text = asked.parameter or "", asked.text
    pixels = (asked.shape.width, asked.shape.height)
    where = f"{ratio} at {chosen.resolution}"
    if pixels == (chosen.width, chosen.height):
        behavior = "passthrough" if sent == chosen.name else "converted"
        return Note(parameter, text, sent, behavior, f"published size: {where}")
    if pixels == chosen.native:
        reason = f"the size in which the provider delivers {where}"
        return Note(parameter, text, sent, "converted", reason)
    reason = f"the model has no {text}; using {chosen.name} ({ratio}), the closest"
    if ratio != chosen.aspect_ratio:
        reason = f"the ratio {ratio} is kept; the model chooses the scale"
    return Note(parameter, text, sent, "converted", reason, warning=True)


def _free_note(asked: _Asked, chosen: Size, free: AnySize) -> Note:
    """A note on a size or ratio where sizes are free."""
    parameter, text = asked.parameter or "", asked.text
    used = chosen.name
    if _is_limited(asked, free, chosen.width, chosen.height):
        reason = f"{_limit(asked, free)}; using {used}, the closest"
        return Note(parameter, text, used, "converted", reason, warning=True)
    if not asked.shape.is_pixels:
        reason = f"{chosen.aspect_ratio} at {chosen.resolution}, in steps of {free.step} pixels"
        return Note(parameter, text, used, "converted", reason)
    if (asked.shape.width, asked.shape.height) == (chosen.width, chosen.height):
        reason = f"any size in steps of {free.step} pixels"
        return Note(parameter, text, used, "passthrough", reason)
    reason = f"sides are multiples of {free.step} here; using {used}, the closest"
    return Note(parameter, text, used, "converted", reason, warning=True)


def _limit(asked: _Asked, free: AnySize) -> str:
    """The limit that a size is beyond."""
    width, height = _sides(asked)
    if width * height > free.max_pixels:
        return f"images have at most {free.max_pixels / MEGAPIXEL:g} megapixels here"
    if free.max_side is not None and max(width, height) > free.max_side:
        return f"sides have at most {free.max_side} pixels here"
    return f"sides have at least {free.min_side} pixels here"


def _tier_note(asked: str, area: float, chosen: Size) -> Note:
    used = chosen.resolution
    if abs(math.log(area / parse_tier(used))) < EQUAL:
        return Note("resolution", asked, used, "converted", f"part of size {chosen.name}")
    reason = f"the model has no {asked}; using {used}, the closest"
    return Note("resolution", asked, used, "converted", reason, warning=True)
