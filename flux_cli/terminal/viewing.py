"""Looking at images once files are there: previews in the terminal, and contact sheets."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.terminal import capabilities, messages
from flux_cli.terminal.environment import is_terminal


class Shown(NamedTuple):
    """One image on a sheet, and what its caption tells."""

    path: str
    number: int
    seed: Json = None


def wants_preview(
    said: bool | None,  # noqa: FBT001 - it has three values
    stream: TextIO,
    *,
    silent: bool,
    environ: Mapping[str, str] | None = None,
) -> bool:
    """Whether images will be shown on a stream: as said; unsaid, where a person watches and colors are welcome.

    `silent` is a run that was asked for nothing but data. Raises ConfigError for a wrong FLUX_PREVIEW, so it is
    decided before anything is paid.
    """
    environ = os.environ if environ is None else environ
    if said is False or stream.closed or not stream.isatty():
        return False
    if not said and (silent or environ.get("NO_COLOR") or not is_terminal(stream, environ)):
        return False
    return capabilities.way(environ) is not None


def show_preview(paths: Sequence[str], *, wanted: bool, said: bool | None) -> None:
    """Show saved images on stderr where that is wanted. What cannot be shown is a note: the files are there."""
    shown = 0
    if wanted and paths:
        from flux_cli.terminal.preview import preview

        try:
            shown = preview(paths, sys.stderr)
        except ImageError as fault:
            messages.err(f"flux: note: no preview: {fault.message}")
            return
    if said and paths and not shown:
        ways = ", ".join(capabilities.WAYS)
        messages.err(
            f"flux: note: no preview: on a terminal that shows images {capabilities.VARIABLE} names how: {ways}"
        )
    elif 0 < shown < len(paths):
        messages.err(f"flux: note: the preview shows the first {shown} of {len(paths)}")


def make_sheet(images: Sequence[Shown], file_format: str, quality: int | None) -> ImageFile:
    """The contact sheet of images, at least one, as a file to save; a note on stderr for each that is unreadable."""
    from flux_cli.images.pixels import thumbnails
    from flux_cli.images.pixels.render import convert
    from flux_cli.images.sheet import caption

    captions = [caption(image.number, image.seed) for image in images]
    png, faults = thumbnails.draw_sheet([image.path for image in images], captions)
    for fault in faults:
        messages.err(f"flux: note: an empty cell on the sheet: {fault.message}")
    return convert(png, file_format, quality)
