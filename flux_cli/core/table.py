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
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    total = sum(widths) + GAP * (len(widths) - 1)
    if (width and total > width) or not _is_latin("".join(map("".join, rows))):
        return _wrapped_table(rows, right, width or UNLIMITED)
    lines = []
    for row in rows:
        placed = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append((" " * GAP).join(placed).rstrip())
    return "\n".join(lines)


def cell_text(value: Json) -> str:
    """A value as text in a table: None as a dash, other values that are not text as JSON."""
    if value is None:
        return "-"
    return plain(value) if isinstance(value, str) else json_text(value)


def _wrapped_table(rows: Sequence[Sequence[str]], right: Sequence[int], width: int) -> str:
    """Format rows in as many lines as they need. Columns that do not fit beside the first ones go below."""
    from itertools import zip_longest  # tables that fit do not need it

    bands = _bands(rows, width)
    lines = []
    for row in rows:
        for number, band in enumerate(bands):
            indent = " " * (INDENT if number else 0)
            blocks = [wrap_words(row[column].split(), columns) for column, columns in band.items()]
            for parts in zip_longest(*blocks, fillvalue=""):
                placed = [
                    _aligned(part, columns, to_right=column in right)
                    for part, (column, columns) in zip(parts, band.items(), strict=True)
                ]
                lines.append((indent + (" " * GAP).join(placed)).rstrip())
    return "\n".join(filter(None, lines))  # a band of empty cells needs no line


def _bands(rows: Sequence[Sequence[str]], width: int) -> list[dict[int, int]]:
    """Which columns share a line, each with its width. Later bands are indented."""
    cells_by_column = list(zip(*rows, strict=True))
    natural = [max(map(text_width, cells)) for cells in cells_by_column]
    least = [
        _least_width(cells, columns, width)
        for cells, columns in zip(cells_by_column, natural, strict=True)
    ]
    bands: list[dict[int, int]] = [{}]
    spare = [width]
    for column, columns in enumerate(least):
        if bands[-1] and spare[-1] < columns:
            bands.append({})
            spare.append(width - INDENT)
        bands[-1][column] = columns
        spare[-1] -= columns + GAP
    for band, left in zip(bands, spare, strict=True):
        _widen(band, natural, left + GAP)
    return bands


def _least_width(cells: Sequence[str], natural: int, width: int) -> int:
    """The width that cells need to stay readable. Long words are not broken; short cells are not wrapped."""
    longest_word = max(text_width(word) for cell in cells for word in cell.split(" "))
    readable = MAX_UNWRAPPED if natural <= MAX_UNWRAPPED else MIN_SENTENCE
    return min(natural, width - INDENT, max(readable, longest_word))


def _widen(band: dict[int, int], natural: Sequence[int], left: int) -> None:
    """Distribute the remaining width of a line to the cells that can use it, from left to right."""
    for column, columns in band.items():
        more = max(0, min(left, natural[column] - columns))
        band[column] = columns + more
        left -= more


def _aligned(text: str, columns: int, *, to_right: bool) -> str:
    characters = columns + len(text) - text_width(text)
    return text.rjust(characters) if to_right else text.ljust(characters)


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
    """Split a word into parts of at most `width` columns. Combining marks stay with their character."""
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
