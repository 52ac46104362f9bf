"""HTML for the files of one image: a `<picture>` element with a source per format."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path

from flux_cli.core.errors import ImageError
from flux_cli.core.outcome import SavedImage
from flux_cli.images.formats import FORMATS
from flux_cli.images.names import is_original
from flux_cli.images.pixels.wholeness import examine

# Formats that browsers can show, the most widely supported first.
FOR_WEB = sorted((row for row in FORMATS.values() if row.web_rank), key=lambda row: row.web_rank)
# Formats for `<source>`, the smallest first: browsers use the first one they support.
MODERN = [row for row in reversed(FOR_WEB) if row.is_modern]
# Line breaks and `##` could make a line of a CI log that the service obeys.
ESCAPES = str.maketrans(
    {
        "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "#": "&#35;",
        "\n": "&#10;", "\r": "&#13;",
    }
)  # fmt: skip


def picture_element(sources: Sequence[SavedImage], alt: str) -> str:
    """A `<picture>` element with all files of one image; `alt` describes it in words.

    "" if no file has a format that browsers can show.
    """
    by_format: dict[str, list[SavedImage]] = {}
    for source in sorted(sources, key=lambda source: (source.width, len(source.path))):
        offered = by_format.setdefault(source.format, [])
        if not offered or offered[-1].width < source.width:  # each width once in `srcset`
            offered.append(source)
    fallback = next((row.name for row in FOR_WEB if row.name in by_format), None)
    if fallback is None:
        return ""
    modern = [row for row in MODERN if row.name in by_format and row.name != fallback]
    lines = [f'  <source type="{row.mime}"{_offer(by_format[row.name])}>' for row in modern]
    lines.append(_img(by_format[fallback], alt))
    return "\n".join(["<picture>", *lines, "</picture>"])


def _img(sources: Sequence[SavedImage], alt: str) -> str:
    """The `<img>` for browsers that support none of the sources before it."""
    widest = sources[-1]
    offer = _offer(sources) if len(sources) > 1 else ""
    size = f'width="{widest.width}" height="{widest.height}"'
    words = f'alt="{alt.translate(ESCAPES)}"'
    source = f'src="{_address(widest.path)}"{offer}'
    return f'  <img {source} {size} {words} loading="lazy" decoding="async">'


def _offer(sources: Sequence[SavedImage]) -> str:
    """The `srcset` of one format; with several widths, `sizes` for an image as wide as the page."""
    if len(sources) == 1:
        return f' srcset="{_address(sources[0].path)}"'
    widest = sources[-1].width
    addresses = ", ".join(f"{_address(one.path)} {one.width}w" for one in sources)
    return f' srcset="{addresses}" sizes="(max-width: {widest}px) 100vw, {widest}px"'


def _address(path: str) -> str:
    """A path as a URL. Blanks and commas are quoted: they would end an entry of `srcset`."""
    quoted = urllib.parse.quote(path.encode("utf-8", "surrogateescape"), safe="/-._~")
    return quoted.translate(ESCAPES)


def element(made: Iterable[SavedImage], kept: Iterable[str], alt: str) -> str:
    """A `<picture>` element with the files of one image, without its original; "" for no files.

    `made` are new files, `kept` the paths of files that already existed.
    """
    sources = [*made, *(source for path in kept if (source := _inspect(path)))]
    shown = [source for source in sources if not is_original(source.path)]
    return picture_element(shown, alt)


def _inspect(path: str) -> SavedImage | None:
    """A file on disk; None for one that is not an image."""
    try:
        image = examine(Path(path).read_bytes()).image
    except (OSError, ImageError):
        return None
    return SavedImage(path, image.format, image.width, image.height, image.size, as_received=True)
