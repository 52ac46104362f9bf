"""The markup of `--html`: an element for the files of one image, those that were there already included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.core import markup
from flux_cli.core.containers import inspect
from flux_cli.core.errors import ImageError
from flux_cli.core.markup import Source
from flux_cli.core.variants import is_original

if TYPE_CHECKING:
    from collections.abc import Iterable


def element(made: Iterable[Source], kept: Iterable[str], alt: str) -> str:
    """A `<picture>` element of the files of one image, without its original; "" where there is none to show."""
    sources = [*made, *filter(None, map(_seen, kept))]
    shown = [source for source in sources if not is_original(source.path)]
    return markup.picture_element(shown, alt) if shown else ""


def _seen(path: str) -> Source | None:
    """A file that was there already, by what it says of itself; None for one that is no image."""
    try:
        look = inspect(Path(path).read_bytes())
    except (OSError, ImageError):
        return None
    return Source(path, look.format, look.width, look.height)
