"""A table that is wider than its terminal: columns that find no place go below, and cells are wrapped at words."""

from __future__ import annotations

from itertools import zip_longest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = 2
INDENT = 4  # of what goes below
ENOUGH = 24  # characters in which a sentence can be read


def flowed(rows: Sequence[Sequence[str]], right: Sequence[int], width: int) -> str:
    """The rows, each in as many lines as it needs; the first column stays where it is, so that rows can be told."""
    natural = [max(map(len, column)) for column in zip(*rows, strict=True)]
    least = [
        min(wide, width - INDENT, max(ENOUGH, *(len(word) for cell in column for word in cell.split(" "))))
        for wide, column in zip(natural, zip(*rows, strict=True), strict=True)
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
            cells = (wrapped(row[column].split(), wide) for column, wide in band.items())
            for parts in zip_longest(*cells, fillvalue=""):
                placed = [
                    part.rjust(wide) if column in right else part.ljust(wide)
                    for part, (column, wide) in zip(parts, band.items(), strict=True)
                ]
                lines.append((" " * (INDENT if number else 0) + (" " * GAP).join(placed)).rstrip())
    return "\n".join(filter(None, lines))  # cells without words need no line below


def wrapped(words: Iterable[str], width: int) -> list[str]:
    """The words in lines; one that is too long for any stays whole, to be copied."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines
