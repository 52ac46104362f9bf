"""Characters that take two columns of a terminal, or none."""

import unicodedata

MARKS = ("Mn", "Me", "Cf")
JAMO = range(0x1160, 0x1200)  # vowels and endings, which are drawn into the syllable before them


def cell_count(text: str) -> int:
    """How many columns the text takes."""
    return sum(map(_columns, text))


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
    if unicodedata.category(char) in MARKS or ord(char) in JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
