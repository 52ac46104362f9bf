"""Formats tables as plain text that fits a terminal, with wide characters and long cells."""

from __future__ import annotations

from flux_cli.core.lite import json_text
from flux_cli.core.text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flux_cli.core.model import Json

UNLIMITED = 1_000_000  # columns, if the output is not a terminal
GAP = 2  # blanks between columns
INDENT = 4  # of columns that are continued below
MIN_SENTENCE = 24  # columns in which a sentence is readable
MAX_UNWRAPPED = 30  # cells up to this width are not wrapped
ZERO_WIDTH = ("Mn", "Me", "Cf")  # Unicode categories
Band = dict[int, int]  # columns of a table that share a line -> their widths
JAMO = range(0x1160, 0x1200)  # Hangul vowels and finals, drawn into the syllable before them


def text_width(text: str) -> int:
    """How many terminal columns a text takes."""
    if _is_latin(text):
        return len(text)
    return sum(map(_char_width, text))


def _is_latin(text: str) -> bool:
    """Whether every character certainly takes one column, without looking any up."""
    text = text.replace("…", "")
    return len(text.encode("latin-1", "ignore")) == len(text)


def table(
    rows: Sequence[Sequence[str]], right: Sequence[int] = (), width: int | None = None
) -> str:
    """Format rows as a table; the first row is the heading. Tables that are too wide are wrapped.

    `right` are the right-aligned columns, `width` is the width of the terminal (None: unlimited).
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    total = sum(widths) + GAP * (len(widths) - 1)
    is_latin = _is_latin("".join(map("".join, rows)))
    if not is_latin or (width and total > width):
        return _wrapped_table(rows, right, width or UNLIMITED)
    lines = []
    for row in rows:
        placed = [
            _padded(cell, widths[column], to_right=column in right)
            for column, cell in enumerate(row)
        ]
        lines.append((" " * GAP).join(placed).rstrip())
    return "\n".join(lines)


def _padded(text: str, length: int, *, to_right: bool) -> str:
    return text.rjust(length) if to_right else text.ljust(length)


def cell_text(value: Json) -> str:
    """A value as text in a table: None as a dash, other values that are not text as JSON."""
    if value is None:
        return "-"
    return plain(value) if isinstance(value, str) else json_text(value)


def _wrapped_table(rows: Sequence[Sequence[str]], right: Sequence[int], width: int) -> str:
    """Format rows in as many lines as they need. Columns that do not fit go below the others."""
    first, *others = _bands(rows, width)
    lines = []
    for row in rows:
        lines += _band_lines(row, first, right)
        for band in others:
            lines += [" " * INDENT + line for line in _band_lines(row, band, right)]
    lines = [line.rstrip() for line in lines]
    return "\n".join(filter(None, lines))  # a band of empty cells needs no line


def _band_lines(row: Sequence[str], band: Band, right: Sequence[int]) -> list[str]:
    """The cells of one band beside each other, each wrapped to its width."""
    from itertools import zip_longest  # tables that fit do not need it

    blocks = [wrap_words(row[column].split(), width) for column, width in band.items()]
    lines = []
    for parts in zip_longest(*blocks, fillvalue=""):
        placed = [
            _aligned(part, band[column], to_right=column in right)
            for column, part in zip(band, parts, strict=True)
        ]
        lines.append((" " * GAP).join(placed))
    return lines


def _bands(rows: Sequence[Sequence[str]], width: int) -> list[Band]:
    """Distribute the columns to bands that fit into `width`. Bands after the first are indented."""
    by_column = list(zip(*rows, strict=True))
    natural = [max(map(text_width, cells)) for cells in by_column]
    bands: list[Band] = [{}]
    spare = [width]  # of each band
    for column, cells in enumerate(by_column):
        least = _least_width(cells, natural[column], width)
        if bands[-1] and spare[-1] < least:
            bands.append({})
            spare.append(width - INDENT)
        bands[-1][column] = least
        spare[-1] -= least + GAP
    for band, left in zip(bands, spare, strict=True):
        _widen(band, natural, left + GAP)  # the last column is followed by no gap
    return bands


def _least_width(cells: Sequence[str], natural: int, width: int) -> int:
    """The width that cells need to stay readable.

    Long words are not broken, and short cells are not wrapped.
    """
    longest_word = max(text_width(word) for cell in cells for word in cell.split(" "))
    readable = MAX_UNWRAPPED if natural <= MAX_UNWRAPPED else MIN_SENTENCE
    return min(natural, width - INDENT, max(readable, longest_word))


def _widen(band: Band, natural: Sequence[int], left: int) -> None:
    """Distribute the remaining width of a line to the columns that can use it, from the left."""
    for column, width in band.items():
        more = max(0, min(left, natural[column] - width))
        band[column] = width + more
        left -= more


def _aligned(text: str, width: int, *, to_right: bool) -> str:
    """The text padded to a width in terminal columns, which may not be its number of characters."""
    return _padded(text, width + len(text) - text_width(text), to_right=to_right)


def wrap_words(words: Iterable[str], width: int) -> list[str]:
    """Arrange words in lines. Long words and paths are not broken, so that they can be copied.

    Text in wide characters, which has no blanks, is broken anywhere.
    """
    lines = [""]
    for word in words:
        if text_width(word) > max(width, len(word)) and "/" not in word:
            lines += _split_word(word, width)
        elif lines[-1] and text_width(lines[-1]) + 1 + text_width(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines if lines[0] else lines[1:] or lines


def _split_word(word: str, width: int) -> list[str]:
    """Split a word into parts of at most `width` columns. Combining marks stay at their letter."""
    parts, left = [""], width
    for char in word:
        columns = _char_width(char)
        if columns > left and parts[-1]:
            parts.append("")
            left = width
        parts[-1] += char
        left -= columns
    return parts


def _char_width(char: str) -> int:
    import unicodedata  # Latin text does not need it

    if unicodedata.category(char) in ZERO_WIDTH or ord(char) in JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
