"""Leaves out of a server's words what they quote of the request: its words are the user's.

Servers quote a prompt as it is, escaped, in lower case, or cut: `cannot draw 'a sign: no heal...`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus

from flux_cli.core.model import Json

PLACEHOLDER = "\u2026"  # no letter: words before and after it are not joined
MAX_TEXTS = 50  # of a request that are looked for
MAX_QUOTED = 1 << 16  # characters of a text of a request; longer ones are images
LEAST_PART = 12  # characters of a text that was cut; fewer are nobody's words
OPENING = r"""(?<=["'`:=(\[{<\u2018\u201c\u00ab\u300c])"""
CLOSING = r"""(?=\\*["'`)\]}>\u2019\u201d\u00bb\u300d])"""
CUT_END = r"""(?=\s*(?:$|\.\.|\u2026|[\[(<]|\\*["'`\u2019\u201d]))"""
CUT_START = r"""(?:(?<=["'`\u2018\u201c])|(?<=\.\.)|(?<=\u2026)|(?<=\.\. )|(?<=\u2026 ))"""


def texts_of_request(body: Json) -> tuple[str, ...]:
    """The texts of the body of a request that a server may quote, the longest first."""
    found = {text for text in _strings(body) if _may_be_quoted(text)}
    return tuple(sorted(found, key=len, reverse=True)[:MAX_TEXTS])


def without_quotes(text: str, quoted: Sequence[str]) -> str:
    """A server's text without the texts of the request that it quotes, whole or cut."""
    for one in quoted:
        for spelling in _spellings(one):
            text = _without(text, spelling)
    return text


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _may_be_quoted(text: str) -> bool:
    is_image = text.startswith("data:") or len(text) > MAX_QUOTED
    return bool(text.strip()) and not is_image


@lru_cache(maxsize=MAX_TEXTS)
def _spellings(text: str) -> tuple[str, ...]:
    """A text in the usual escapings, the longest first."""
    from html import escape  # slow to import, and only errors quote

    plain = text.strip()
    shapes = {plain, plain.lower(), " ".join(plain.split())}
    shapes |= {repr(shape)[1:-1] for shape in shapes}
    shapes |= {_as_json(shape, is_ascii=is_ascii) for shape in shapes for is_ascii in (True, False)}
    shapes |= {_as_json(shape, is_ascii=False) for shape in shapes}  # JSON in a text of JSON
    shapes |= {escape(plain), escape(plain, quote=False), quote(plain, errors="replace")}
    shapes.add(quote_plus(plain, errors="replace"))
    return tuple(sorted(shapes, key=len, reverse=True))


def _as_json(text: str, *, is_ascii: bool) -> str:
    return json.dumps(text, ensure_ascii=is_ascii)[1:-1]


def _without(text: str, spelling: str) -> str:
    """A text without one spelling of a quoted one: whole, or its beginning or end if it was cut."""
    if spelling in text:
        text = re.sub(_whole_pattern(spelling), PLACEHOLDER, text)
    if len(spelling) <= LEAST_PART:
        return text
    if spelling[:LEAST_PART] in text:
        text = _without_beginning(text, spelling)
    if spelling[-LEAST_PART:] in text:
        text = _without_end(text, spelling)
    return text


def _whole_pattern(spelling: str) -> str:
    """A single word is a quote only in quotation marks; it may as well be the server's own."""
    words = re.escape(spelling)
    if not re.search(r"\W", spelling):
        return f"{OPENING}{words}{CLOSING}"
    before = r"(?<!\w)" if re.match(r"\w", spelling) else ""
    after = r"(?!\w)" if re.search(r"\w$", spelling) else ""
    return f"{before}{words}{after}"


def _without_beginning(text: str, spelling: str) -> str:
    """Leave out the longest beginning of a spelling, where the text cuts it."""
    start = text.find(spelling[:LEAST_PART])
    while start >= 0:
        end = start + _common_length(text[start : start + len(spelling)], spelling)
        next_search = end
        if re.compile(CUT_END).match(text, end):
            text = text[:start] + PLACEHOLDER + text[end:]
            next_search = start + len(PLACEHOLDER)
        start = text.find(spelling[:LEAST_PART], next_search)
    return text


def _without_end(text: str, spelling: str) -> str:
    """Leave out the longest end of a spelling, where the text quotes only that."""
    end = text.find(spelling[-LEAST_PART:]) + LEAST_PART
    while end >= LEAST_PART:
        before = text[max(0, end - len(spelling)) : end]
        start = end - _common_length(before[::-1], spelling[::-1])
        next_search = end
        if re.compile(CUT_START).match(text, start):
            text = text[:start] + PLACEHOLDER + text[end:]
            next_search = start + len(PLACEHOLDER)
        end = text.find(spelling[-LEAST_PART:], next_search) + LEAST_PART
    return text


def _common_length(first: str, second: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    pairs = zip(first, second, strict=False)
    different = (place for place, (one, other) in enumerate(pairs) if one != other)
    return next(different, min(len(first), len(second)))
