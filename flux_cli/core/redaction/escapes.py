"""Decodes escapes of URLs, JSON, Python and HTML, and drops invisible characters.

Remembers where each of them was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from html import unescape
from html.entities import html5

from flux_cli.core.lite import NamedTuple

INVISIBLE = re.compile(r"[^ -~]+")
# Names of HTML. Browsers read the oldest of them without a semicolon, too.
OLD_NAMES = "|".join(sorted({name.lower() for name in html5 if not name.endswith(";")}))
NAME = re.compile(rf"&(?=[a-z])(?:[a-z][a-z0-9]{{1,31}};|{OLD_NAMES})", re.IGNORECASE)
ESCAPE = re.compile(
    rf"%u[0-9a-f]{{4}}|%[0-9a-f]{{2}}|{NAME.pattern}"
    # The semicolon may be missing. Not where an escape follows: that may be the semicolon.
    r"|&#0*[0-9]{1,7}(?:;|(?![0-9;%\\]))|&#x0*[0-9a-f]{1,6}(?:;|(?![0-9a-f;%\\]))"
    # Python's `\U` has 8 digits; it counts as `\u` in capitals, too.
    r"|(?-i:\\U)[0-9a-f]{8}|\\(?-i:u|U(?![0-9a-f]{5,7}[%&]))[0-9a-f]{4}"
    r"|\\x[0-9a-f]{2}|\\[ux]\{[0-9a-f]{1,8}\}"
    # In octal: two or three digits, and perhaps a zero before them. One digit may be itself.
    r"|\\0?(?:[01][0-7]{2}|[4-7][0-7])"
    # Not where another escape follows: what that stands for may be part of this one.
    rf"|\\(?!%u?[0-9a-f]|&#|{NAME.pattern}|[ux]\{{?[0-9a-f]{{0,7}}[%&]).",
    re.IGNORECASE,
)
LAST_CODE = 0x10FFFF  # of Unicode
CONTROLS = str.maketrans("", "", "abfnrtv0")  # `\\n` stands for a character that is dropped

Span = tuple[int, int]


class Token(NamedTuple):
    """A part of a text that stands for another text: an escape, or characters that are dropped."""

    start: int
    end: int
    place: int  # in the decoded text
    length: int  # in the decoded text; 0 if it is dropped


def fold_width(text: str) -> str:
    """The text with plain characters for their variants, such as full-width letters."""
    if text.isascii():
        return text
    from unicodedata import normalize

    plain = {}
    for char in set(text):
        folded = normalize("NFKC", char)
        if len(folded) == 1 and folded.isascii():
            plain[ord(char)] = folded
    return text.translate(plain)


def decode(
    text: str, pattern: re.Pattern[str], dropped: re.Pattern[str] = INVISIBLE
) -> tuple[str, list[Token]]:
    """The text with its tokens decoded, and where they are. `dropped` counts as invisible."""
    tokens, parts, end, place = [], [], 0, 0
    for found in pattern.finditer(text):
        meaning = _decode_token(found[0], dropped)
        place += found.start() - end
        parts += [text[end : found.start()], meaning]
        end = found.end()
        tokens.append(Token(found.start(), end, place, len(meaning)))
        place += len(meaning)
    return "".join([*parts, text[end:]]), tokens


def decode_match(found: re.Match[str]) -> str:
    """What a token stands for: a visible ASCII character, or nothing."""
    return _decode_token(found[0], INVISIBLE)


@lru_cache(1024)
def _decode_token(token: str, dropped: re.Pattern[str]) -> str:
    kind, number = token[0], token[2:].strip("{};")
    if kind == "%":
        char = _char(token[1:].lstrip("uU"), 16)
    elif kind == "\\":
        char = _decode_backslash(token[1], number)
    elif kind != "&":
        return ""
    elif token[1] != "#":
        char = unescape(token)
        if char == token:  # in capitals
            char = unescape(token.lower())
    else:
        char = _char(number[1:], 16) if number[0] in "xX" else _char(number, 10)
    return dropped.sub("", fold_width(char))


def _decode_backslash(letter: str, number: str) -> str:
    r"""What stands for `\n`, `\x6c`, `\154` and the like; the letter is the first character."""
    if not number:
        return letter.translate(CONTROLS)
    return _char(letter + number, 8) if letter.isdigit() else _char(number, 16)


def _char(digits: str, base: int) -> str:
    code = int(digits[-7:], base)  # any number of zeros may precede them
    return chr(code) if code <= LAST_CODE else ""


def widen(run: Span, tokens: list[Token]) -> Span:
    """The run, and the whole of the escapes in which it begins and ends: JSON stays valid."""
    first, end = run
    for token in _at(first, tokens), _at(end - 1, tokens):
        if token:
            first, end = min(first, token.start), max(end, token.end)
    return first, end


def _at(position: int, tokens: list[Token]) -> Token | None:
    index = bisect_right(tokens, position, key=lambda token: token.start) - 1
    return tokens[index] if index >= 0 and position < tokens[index].end else None


def original(run: Span, tokens: list[Token]) -> Span:
    """Where a run of a decoded text is in the text that it was decoded from."""
    first, end = run
    return _undo(first, tokens)[0], _undo(end - 1, tokens)[1]


def _undo(place: int, tokens: list[Token]) -> Span:
    """Where one character of a decoded text is in the text that it was decoded from."""
    index = bisect_right(tokens, place, key=lambda token: token.place)
    token = tokens[index - 1] if index else Token(0, 0, 0, 0)
    beyond = place - token.place - token.length
    if beyond < 0:
        return token.start, token.end
    return token.end + beyond, token.end + beyond + 1
