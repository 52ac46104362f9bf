"""The options about how a picture says how it was made, declared once; and the picture that `--like` names."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli.core.errors import PictureError, UsageError
from flux_cli.core.model import Json
from flux_cli.core.request import Note, Request

if TYPE_CHECKING:
    from flux_cli.core.metadata.making import Reuse

METADATA = "Metadata"

NoMetadata = Annotated[
    bool,
    typer.Option(
        "--no-metadata",
        rich_help_panel=METADATA,
        help="Write nothing into the picture: what is saved as received is, byte for byte, what was sent",
    ),
]
NoPromptMetadata = Annotated[
    bool,
    typer.Option("--no-prompt-metadata", rich_help_panel=METADATA, help="Write all but the prompt into the picture"),
]
Sidecar = Annotated[
    bool,
    typer.Option("--sidecar", rich_help_panel=METADATA, help="Write how it was made into a .json beside the picture"),
]
Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="FILE",
        rich_help_panel="Parameters",
        help="Ask again as for that picture: its prompt, model, seed, size, …; options given here win",
    ),
]


def reuse_of(path: str, said: Mapping[str, object]) -> "Reuse":
    """What the picture of `--like` adds to the options said. Raises UsageError where it says nothing of its making."""
    from flux_cli import inputs
    from flux_cli.core.metadata.making import reused
    from flux_cli.core.metadata.reading import read

    try:
        reading = read(inputs.read_picture(path, sys.stdin.buffer if sys.stdin else None))
    except PictureError as fault:
        raise UsageError(f"--like {path}: {fault.message}", hint="name a png, jpeg, webp, gif or avif file") from fault
    reuse = reused(reading, path, said)
    if not reading.source or not (reuse.prompt or reuse.parameters):
        raise UsageError(f"--like {path}: the picture does not say how it was made", hint=f"see: flux show {path}")
    return reuse


def notes_of(
    reuse: "Reuse", path: str, notes: tuple[Note, ...], request: Request, prompt: str | None
) -> tuple[Note, ...]:
    """The notes of a request that was asked with `--like`: of each value, where it came from."""
    from flux_cli.core.metadata.making import noted

    taken: dict[str, Json] = dict(reuse.parameters)
    if prompt is None:
        taken["prompt"] = reuse.prompt
    if request.model == reuse.model:
        taken["model"] = reuse.model
    return (*reuse.notes, *noted(notes, taken, path))
