"""Compares images that were received with what was asked for: seed, shape, size. Pure."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.ratio import parse_ratio, parse_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.model import Json, Size
    from flux_cli.core.outcome import SavedImage
    from flux_cli.core.request import Call, Reference, Resolved

OTHER_SHAPE = 0.1  # models that choose the size round the sides of small images
TOLERANCE = 0.02  # models round sides to multiples of 16 or 64 pixels


def find_differences(resolved: Resolved, call: Call, saved: SavedImage) -> Iterator[str]:
    """What the server made otherwise than it was asked to: the seed, the shape or the size."""
    used = saved.facts.seed
    if isinstance(call.seed, int) and used is not None and used != call.seed:
        yield f"the server used seed {used}, not {call.seed}"
    width, height = saved.received
    if not width or not height:
        return
    if resolved.follows:
        expected = _unlike_reference(resolved.request.references, width, height)
    elif resolved.size is not None:
        expected = _unexpected(resolved.size, resolved.aspect_ratio, width, height)
    else:
        expected = _unlike_body(call.shown, width, height)
    if expected:
        yield f"the server made {width}x{height}, not {expected}"


def _unexpected(size: Size, ratio: str | None, width: int, height: int) -> str:
    """What a model of the catalog should have made, if it made something else; else "".

    Its shape is always known. Its size is known where the catalog has the native one; the nominal
    size, which is what was sent, is right as well.
    """
    ratio = ratio or size.aspect_ratio
    native = size.native if ratio == size.aspect_ratio else None
    sizes = (native, (size.width, size.height)) if native else ()
    if any(_is_close(width, own[0]) and _is_close(height, own[1]) for own in sizes):
        return ""
    if not _is_close(width / height, parse_ratio(ratio)):
        return ratio
    return f"{native[0]}x{native[1]}" if native else ""


def _unlike_reference(references: Sequence[Reference], width: int, height: int) -> str:
    """The shape that an image should have taken over, if it has another one; else ""."""
    if not references or not references[0].width:
        return ""
    first = references[0]
    ratio = (width / height) / (first.width / first.height)
    is_alike = abs(ratio - 1) < OTHER_SHAPE
    return "" if is_alike else f"the shape of {first.name} ({first.width}x{first.height})"


def _unlike_body(body: dict[str, Json], width: int, height: int) -> str:
    """What the body of a request asks for, if the image is something else; else ""."""
    asked = body.get("size") or body.get("aspect_ratio")
    if isinstance(body.get("width"), int) and isinstance(body.get("height"), int):
        asked = f"{body['width']}x{body['height']}"
    if not isinstance(asked, str):
        return ""
    try:
        shape = parse_shape(asked)
    except UsageError:  # a word of the server's own, such as `auto`
        return ""
    if not shape.is_pixels:
        return "" if _is_close(width / height, shape.ratio) else asked
    is_right = _is_close(width, shape.width) and _is_close(height, shape.height)
    return "" if is_right else asked


def _is_close(found: float, expected: float) -> bool:
    return abs(found / expected - 1) <= TOLERANCE
