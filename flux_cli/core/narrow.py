"""A table wider than its terminal, or in wide writing: columns without a place go below, cells are wrapped at words."""

from __future__ import annotations

from itertools import zip_longest

from flux_cli.core.rendering import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = 2
INDENT = 4  # of what goes below
ENOUGH = 24  # columns in which a sentence can be read
SHORT = 30  # columns of what is no sentence, and is not wrapped beside others


def flowed(rows: Sequence[Sequence[str]], right: Sequence[int], width: int) -> str:
    """The rows, each in as many lines as it needs; the first column stays where it is, so that rows can be told."""
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
            from flux_cli.core.wide import pieces

            lines += pieces(word, width)
        elif lines[-1] and cells(lines[-1]) + 1 + cells(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines if lines[0] else lines[1:] or lines
