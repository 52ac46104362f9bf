"""What a file that is made anew does not hold of the image that it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import ImageError, UsageError
from flux_cli.images.details import describe
from flux_cli.images.formats import FOREIGN
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.record import SIGNATURE_LOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.images.containers.registry import Look
    from flux_cli.images.outputs import Output


def check_losses(seen: Look, outputs: Sequence[Output]) -> tuple[str, ...]:
    """Notes on what files that flux makes anew do not hold.

    Raises UsageError if one of them should be lossless, and its pixels cannot be.
    """
    made = [output for output in outputs if not output.untouched]
    if not made or seen.image.format in FOREIGN:
        return ()
    details = describe(seen.image, seen.sound)
    if details.inexact and any(output.lossless for output in made):
        message = f"--lossless: flux cannot keep all of the image: {'; '.join(details.inexact)}"
        raise UsageError(message, hint="drop --lossless")
    lost = [*details.lost, *_lost_metadata(seen)]
    notes = [f"the conversion does not keep all of the image: {'; '.join(lost)}"] if lost else []
    return (*notes, SIGNATURE_LOST) if has_credentials(seen.sound) else tuple(notes)


def _lost_metadata(seen: Look) -> list[str]:
    """What other programs wrote about how the image was made; a conversion leaves it out."""
    from flux_cli.images.metadata.read import read_metadata  # few images are made anew

    try:
        source = read_metadata(seen.sound).source
    except ImageError:  # nobody can read it
        return []
    return [] if source in ("", "flux") else [f"the metadata of {source} about how it was made"]
