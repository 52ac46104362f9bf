"""HTML for files that were made: one `<picture>` element, from which a browser takes the best it can show."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path

from flux_cli.core.errors import ImageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.whole import inspect
from flux_cli.images.formats import FORMATS
from flux_cli.images.names import is_original

MODERN = ("avif", "webp")  # the smallest first: browsers take the first they know
FALLBACK = ("jpeg", "png", "gif", "webp", "avif")  # what an old browser can show, the surest first
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


class Source(NamedTuple):
    """One file on offer."""

    path: str
    format: str
    width: int
    height: int


def picture_element(sources: Sequence[Source], alt: str) -> str:
    """A `<picture>` element of all files of one image; `alt` says in words what it shows."""
    ordered = sorted(sources, key=lambda one: one.width)
    by_format = {name: [one for one in ordered if one.format == name] for name in FALLBACK}
    fallback = next(name for name in FALLBACK if by_format[name])
    lines = [
        f'  <source type="{FORMATS[name].mime}"{_offer(by_format[name])}>'
        for name in MODERN
        if by_format[name] and name != fallback
    ]
    last = by_format[fallback]
    shown = last[-1]
    lines.append(
        f'  <img src="{_address(shown.path)}"{_offer(last) if len(last) > 1 else ""}'
        f' width="{shown.width}" height="{shown.height}" alt="{alt.translate(ESCAPES)}"'
        ' loading="lazy" decoding="async">'
    )
    return "\n".join(["<picture>", *lines, "</picture>"])


def _offer(sources: Sequence[Source]) -> str:
    """The `srcset` of one format; with several widths, `sizes` for an image that is as wide as the page lets it be."""
    if len(sources) == 1:
        return f' srcset="{_address(sources[0].path)}"'
    widest = sources[-1].width
    addresses = ", ".join(f"{_address(one.path)} {one.width}w" for one in sources)
    return f' srcset="{addresses}" sizes="(max-width: {widest}px) 100vw, {widest}px"'


def _address(path: str) -> str:
    """A path as an address: blanks and commas would end an entry of `srcset`."""
    quoted = urllib.parse.quote(path.encode("utf-8", "surrogateescape"), safe="/-._~")
    return quoted.translate(ESCAPES)


def element(made: Iterable[Source], kept: Iterable[str], alt: str) -> str:
    """A `<picture>` element of the files of one image, without its original; "" where there is none to show."""
    sources = [*made, *filter(None, map(_seen, kept))]
    shown = [source for source in sources if not is_original(source.path)]
    return picture_element(shown, alt) if shown else ""


def _seen(path: str) -> Source | None:
    """A file that was there already, by what it says of itself; None for one that is no image."""
    try:
        look = inspect(Path(path).read_bytes())
    except (OSError, ImageError):
        return None
    return Source(path, look.format, look.width, look.height)
