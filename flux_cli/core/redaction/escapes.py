"""Decodes escapes of URLs, JSON, Python and HTML, and drops invisible characters.

Remembers where each of them was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from flux_cli.core.lite import NamedTuple

INVISIBLE = re.compile(r"[^ -~]+")
ESCAPE = re.compile(
    r"%[0-9a-f]{2}|&[a-z]{2,8};"
    # The semicolon may be missing. Not where an escape follows: that may be the semicolon.
    r"|&#0*[0-9]{1,7}(?:;|(?![0-9;%\\]))|&#x0*[0-9a-f]{1,6}(?:;|(?![0-9a-f;%\\]))"
    r"|\\u[0-9a-f]{4}|\\u\{[0-9a-f]{1,6}\}|\\x[0-9a-f]{2}|\\.",
    re.IGNORECASE,
)
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


def decode(text: str, pattern: re.Pattern[str]) -> tuple[str, list[Token]]:
    """The text with its tokens decoded, and where they are."""
    tokens, parts, end, place = [], [], 0, 0
    for found in pattern.finditer(text):
        meaning = decode_match(found)
        place += found.start() - end
        parts += [text[end : found.start()], meaning]
        end = found.end()
        tokens.append(Token(found.start(), end, place, len(meaning)))
        place += len(meaning)
    return "".join([*parts, text[end:]]), tokens


def decode_match(found: re.Match[str]) -> str:
    """What a token stands for: a visible ASCII character, or nothing."""
    return _decode_token(found[0])


@lru_cache(1024)
def _decode_token(token: str) -> str:
    kind, number = token[0], token[2:].strip("{};")
    if kind == "%":
        char = _char(token[1:], 16)
    elif kind == "\\":
        char = _char(number, 16) if number else token[1].translate(CONTROLS)
    elif kind != "&":
        return ""
    elif token[1] != "#":
        from html import unescape  # slow to import, and names of characters are rare

        char = unescape(token)
    else:
        char = _char(number[1:], 16) if number[0] in "xX" else _char(number, 10)
    return "" if INVISIBLE.search(char) else char


def _char(digits: str, base: int) -> str:
    code = int(digits[-7:], base)  # any number of zeros may precede them
    return chr(code) if code < 128 else ""


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
