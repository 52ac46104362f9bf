"""How a model takes references at a provider, and whether it takes those of a request. Pure."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.model import References
from flux_cli.core.request import ADDRESSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from flux_cli.core.model import Dialect, Model
    from flux_cli.core.request import Reference

    Able: TypeAlias = tuple[Model, References | None]  # a model, and what it takes

# A model that no catalog has, at the gateway: it says itself what it does not take, for free.
UNKNOWN = References(most=16, mask="mask", takes_urls=False)
USUAL = "flux.2-pro"  # the model that hints name, and that `flux edit` uses


def taken_by(model: Model | None, dialect: Dialect | None) -> References | None:
    """How references are taken; None if they are not."""
    if dialect is not None:
        return dialect.references
    return model.references if model is not None else UNKNOWN


def check_count(
    count: int, taken: References | None, where: str, others: Callable[[], Sequence[Able]]
) -> References:
    """How so many references are taken. `others` lists what models take there.

    Raises UsageError if they are not taken, naming a model that takes them.
    """
    if taken is not None and count <= taken.most:
        return taken
    message = f"{where} takes no images as input"
    if taken is not None:
        most = "one image" if taken.most == 1 else f"{taken.most} images"
        message = f"{where} takes at most {most} as input, not {count}"
    able = [model.id for model, takes in others() if takes and takes.most >= count]
    hint = "give fewer images" if taken else "use another provider: flux providers"
    if able:
        hint = f"use another model: -m {USUAL if USUAL in able else able[0]}"
    raise UsageError(message, hint=hint)


def check_limits(reference: Reference, taken: References, where: str) -> None:
    """Raise UsageError for an image that is too small or too large for its model."""
    width, height = reference.width, reference.height
    is_inside = reference.asked.startswith("data:")
    name = f"image {reference.name if is_inside else reference.asked!r}"
    if min(width, height) < taken.min_side:
        message = f"{name} is {width}x{height}: {where} needs {taken.min_side} pixels a side"
        raise UsageError(message, hint="give a larger image")
    if taken.max_pixels is not None and width * height > taken.max_pixels:
        most = f"{taken.max_pixels / 1e6:g} megapixels"
        message = f"{name} is {width}x{height}: {where} takes at most {most}"
        raise UsageError(message, hint=_smaller(reference, taken.max_pixels))
    size = reference.content.size if reference.content else 0
    if taken.max_bytes is not None and size > taken.max_bytes:
        message = f"{name} has {size:,} bytes: {where} takes at most {taken.max_bytes:,}"
        raise UsageError(message, hint=_smaller(reference, width * height // 2))


def _smaller(reference: Reference, pixels: int) -> str:
    """The command that makes an image with at most so many pixels of a reference."""
    if reference.asked.startswith((*ADDRESSES, "data:")):
        return "make it smaller, and give the file"
    from shlex import quote  # only failures come here

    scale = min(1.0, (pixels / (reference.width * reference.height)) ** 0.5)
    width = max(1, int(reference.width * scale))
    return f"make it smaller: flux convert {quote(reference.asked)} -f jpeg --size {width}x"
