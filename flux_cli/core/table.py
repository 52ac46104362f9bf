"""Tables in plain text: columns that fit a terminal, wide characters counted, long cells wrapped at words."""

from __future__ import annotations

from flux_cli.core.lite import json_text
from flux_cli.core.text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flux_cli.core.model import Json

ENDLESS = 1_000_000  # columns of what is no terminal
GAP = 2
INDENT = 4  # of what goes below
ENOUGH = 24  # columns in which a sentence can be read
SHORT = 30  # columns of what is no sentence, and is not wrapped beside others
MARKS = ("Mn", "Me", "Cf")
JAMO = range(0x1160, 0x1200)  # vowels and endings, which are drawn into the syllable before them


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if _is_latin(text):
        return len(text)
    return sum(map(_columns, text))


def _is_latin(text: str) -> bool:
    """Whether every character takes one column, as far as that can be told without looking any up."""
    text = text.replace("…", "")
    return len(text.encode("latin-1", "ignore")) == len(text)


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), width: int | None = None) -> str:
    """Columns two blanks apart, the first row as heading. `right` names columns of numbers, `width` is all there is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if (width and sum(widths) + 2 * len(widths) - 2 > width) or not _is_latin("".join(map("".join, rows))):
        return flowed(rows, right, width or ENDLESS)
    lines = []
    for row in rows:
        placed = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(placed).rstrip())
    return "\n".join(lines)


def shown(value: Json) -> str:
    """A value in a table: text as it is, nothing as a dash, the rest as JSON."""
    if value is None:
        return "-"
    return plain(value) if isinstance(value, str) else json_text(value)


def flowed(rows: Sequence[Sequence[str]], right: Sequence[int], width: int) -> str:
    """The rows, each in as many lines as it needs; the first column stays where it is, so that rows can be told."""
    from itertools import zip_longest  # tables that fit do not need it

    columns = list(zip(*rows, strict=True))
    natural = [max(map(cells, column)) for column in columns]
    words = [max(cells(word) for cell in column for word in cell.split(" ")) for column in columns]
    least = [
        min(wide, width - INDENT, max(SHORT if wide <= SHORT else ENOUGH, longest))
        for wide, longest in zip(natural, words, strict=True)
    ]
    bands: list[dict[int, int]] = [{}]  # the columns that share a line, each with its width
    spare = [width]
    for column, wide in enumerate(least):
        if bands[-1] and spare[-1] < wide:
            bands.append({})
            spare.append(width - INDENT)
        bands[-1][column] = wide
        spare[-1] -= wide + GAP
    for band, room in zip(bands, spare, strict=True):
        left = room + GAP
        for column in band:
            more = max(0, min(left, natural[column] - band[column]))
            band[column] += more
            left -= more
    lines = []
    for row in rows:
        for number, band in enumerate(bands):
            blocks = (wrapped(row[column].split(), wide) for column, wide in band.items())
            for parts in zip_longest(*blocks, fillvalue=""):
                placed = [
                    (part.rjust if column in right else part.ljust)(wide + len(part) - cells(part))
                    for part, (column, wide) in zip(parts, band.items(), strict=True)
                ]
                lines.append((" " * (INDENT if number else 0) + (" " * GAP).join(placed)).rstrip())
    return "\n".join(filter(None, lines))  # cells without words need no line below


def wrapped(words: Iterable[str], width: int) -> list[str]:
    """The words in lines; one that is too long for any stays whole, to be copied; wide writing has no blanks."""
    lines = [""]
    for word in words:
        if cells(word) > max(width, len(word)) and "/" not in word:
            lines += pieces(word, width)
        elif lines[-1] and cells(lines[-1]) + 1 + cells(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines if lines[0] else lines[1:] or lines


def pieces(word: str, width: int) -> list[str]:
    """A word in parts of at most `width` columns; a mark stays with what it marks."""
    parts, room = [""], width
    for char in word:
        columns = _columns(char)
        if columns > room and parts[-1]:
            parts.append("")
            room = width
        parts[-1] += char
        room -= columns
    return parts


def _columns(char: str) -> int:
    import unicodedata  # lookups of Latin text do not pay for it

    if unicodedata.category(char) in MARKS or ord(char) in JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
