"""The image that `--like` names: what it says of its making becomes what is asked."""

from __future__ import annotations

import sys

from flux_cli.core.errors import ImageError, UsageError
from flux_cli.images.formats import ALL_FORMATS
from flux_cli.images.metadata.making import noted, reused
from flux_cli.images.metadata.read import read_metadata
from flux_cli.request import inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json
    from flux_cli.core.request import Note, Request
    from flux_cli.images.metadata.making import Reuse


def reuse_of(path: str, said: Mapping[str, object]) -> Reuse:
    """What the image of `--like` adds to the options said. Raises UsageError where it says nothing of its making."""
    try:
        reading = read_metadata(inputs.read_image(path, sys.stdin.buffer if sys.stdin else None))
    except ImageError as fault:
        raise UsageError(f"--like {path}: {fault.message}", hint=f"name a {ALL_FORMATS} file") from fault
    reuse = reused(reading, path, said)
    if not reading.source or not (reuse.prompt or reuse.parameters):
        raise UsageError(f"--like {path}: the image does not say how it was made", hint=f"see: flux show {path}")
    return reuse


def notes_of(
    reuse: Reuse, path: str, notes: tuple[Note, ...], request: Request, prompt: str | None
) -> tuple[Note, ...]:
    """The notes of a request that was asked with `--like`: of each value, where it came from."""
    taken: dict[str, Json] = dict(reuse.parameters)
    if prompt is None:
        taken["prompt"] = reuse.prompt
    if request.model == reuse.model:
        taken["model"] = reuse.model
    return (*reuse.notes, *noted(notes, taken, path))
