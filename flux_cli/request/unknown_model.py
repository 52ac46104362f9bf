"""What is assumed about a model that the catalog does not have, and about its server.

Little is: what flux can do itself is not sent, and options have the types of options.
"""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.model import Field, Param
from flux_cli.core.ratio import parse_shape
from flux_cli.core.request import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from flux_cli.core.request import Request, Value

OPTION_KINDS = {
    "image_prompt_strength": "number",
    "size": "string",
    "aspect_ratio": "string",
    "resolution": "string",
    "safety_tolerance": "string",
    "response_format": "string",
}
# The model may refuse these, and flux makes every format and quality itself.
FIELDS = {
    "output_format": Field(
        "emulated", by_name=True, reason="not sent, because the model may not take it"
    ),
    "output_compression": Field("emulated", by_name=True),
}


def option_types(request: Request) -> dict[str, Param]:
    """The types of the options. What -p names is JSON and has none."""
    kinds = {name: kind for name, kind in OPTION_KINDS.items() if name not in request.named}
    return {name: Param(name, kind, "passthrough", "") for name, kind in kinds.items()}


def size_to_ratio(given: dict[str, Value], named: Collection[str]) -> tuple[Note, ...]:
    """Move a ratio that was typed as the size to the aspect ratio. Returns notes on that.

    Other sizes, such as `auto`, and one that -p `named`, are left to the server.
    """
    size = given.get("size")
    if not isinstance(size, str) or "size" in named:
        return ()
    try:
        is_ratio = not parse_shape(size).is_pixels
    except UsageError:
        return ()
    if not is_ratio:
        return ()
    ignored = given.pop("aspect_ratio", None)
    given["aspect_ratio"] = given.pop("size")
    notes = [Note("size", size, "aspect_ratio", "renamed", "a ratio, sent as one")]
    if ignored is not None:
        reason = f"size {size} overrides it"
        notes.append(Note("aspect_ratio", str(ignored), None, "ignored", reason, warning=True))
    return tuple(notes)
