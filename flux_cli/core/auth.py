"""A key: where it may be sent, and in which spellings a server may send it back."""

from __future__ import annotations

import re
from binascii import b2a_base64
from bisect import bisect_right
from functools import lru_cache

from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.text import Secret

MIN_RUN = 8  # characters of a key that are hidden without the rest of it
MIN_FOLDED_RUN = 12  # the same in another case or in base64: shorter runs occur by chance
LONGEST = 1024  # characters; of a longer key, only the beginning and the end are searched for
LEVELS = 4  # of escapes within escapes, such as JSON in JSON
WINDOW, OVERLAP = 1 << 18, 1 << 14  # characters that are searched at once, to save memory
INVISIBLE = re.compile(r"[^ -~]+")
ESCAPE = re.compile(
    r"%[0-9a-f]{2}|&#[0-9]{1,7};?|&#x[0-9a-f]{1,6};?|&[a-z]{2,8};"
    r"|\\u[0-9a-f]{4}|\\u\{[0-9a-f]{1,6}\}|\\x[0-9a-f]{2}|\\.",
    re.IGNORECASE,
)
URL_SAFE = str.maketrans("+/", "-_")
CONTROLS = str.maketrans("", "", "abfnrtv0")  # `\\n` stands for a character that is dropped

Span = tuple[int, int]


class Auth(NamedTuple):
    """A key, how it is sent, and the only places it may be sent to.

    These are the configured URL and, over https, the provider's own hosts.
    """

    key: Secret
    variable: str  # the environment variable of the key, for hints
    base: str
    header: str  # this and the next come from the provider's row
    prefix: str
    hosts: tuple[str, ...] = ()  # "api.bfl.ai", or "*.bfl.ai" for every name below it
    page: str = ""  # where people get keys and add credit, for hints


class Spelling(NamedTuple):
    """One way to write a key, and how many of its characters show it."""

    text: str
    least: int
    least_folded: int  # in another case
    is_word: bool = False  # it counts only as a word of its own


class Token(NamedTuple):
    """A part of a text that stands for another text: an escape, or characters that are dropped."""

    start: int
    end: int
    place: int  # in the decoded text
    length: int  # in the decoded text; 0 if it is dropped


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    from ipaddress import ip_address

    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def pieces_of(key: str) -> tuple[str, ...]:
    """Lower-case pieces of a key. Every text that shows the key has one, behind its escapes."""
    return tuple(piece for spelling in _spellings(key) for piece, _ in _pieces(spelling))


def hide_keys(text: str, keys: Sequence[str]) -> str:
    """The text with `***` for the keys, and for runs of at least 8 of their characters.

    Finds them in any case, in base64 and hex, with invisible characters between theirs, and behind
    up to four levels of escapes of URLs, JSON, Python and HTML. A key of less than 8 characters is
    hidden where it is a word of its own.
    """
    spellings = [spelling for key in keys for spelling in _spellings(key)]
    spans: list[Span] = []
    for start in range(0, max(1, len(text)), WINDOW - OVERLAP):
        window = _fold_width(text[start : start + WINDOW])
        if _shows_piece(window, spellings):
            spans += [(start + first, start + end) for first, end in _find(window, spellings)]
    return _replace(text, spans)


@lru_cache(16)
def _spellings(key: str) -> tuple[Spelling, ...]:
    if len(key) < MIN_RUN:
        return (Spelling(key, len(key), len(key), is_word=True),)
    data = key.encode()
    found = [
        Spelling(key, MIN_RUN, min(MIN_FOLDED_RUN, len(key))),
        Spelling(data.hex(), 2 * MIN_RUN, 2 * MIN_RUN),
    ]
    for shift in range(3):  # where the key begins in a group of three bytes
        encoded = b2a_base64(bytes(shift) + data, newline=False).decode()
        own = encoded[(0, 2, 3)[shift] : (shift + len(data)) * 8 // 6]
        least = min(MIN_FOLDED_RUN, len(own))
        for text in own, own.translate(URL_SAFE):
            found += [Spelling(text, least, len(text))]
    return tuple(found)


def _pieces(spelling: Spelling) -> Iterator[tuple[str, int]]:
    """Pieces of a spelling in lower case, and their offsets. Every run that counts holds one."""
    text, least = spelling.text.lower(), spelling.least
    size = least if spelling.is_word else (least + 1) // 2
    for offset in range(0, len(text) - size + 1, size):
        if offset < LONGEST or offset > len(text) - LONGEST:
            yield text[offset : offset + size], offset


def _fold_width(text: str) -> str:
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


def _shows_piece(text: str, spellings: Sequence[Spelling]) -> bool:
    """Whether a key may be in the text. Faster than `_find`, which says where."""
    pieces = [piece for spelling in spellings for piece, _ in _pieces(spelling)]
    text = INVISIBLE.sub("", text)
    for _ in range(LEVELS + 1):
        folded = text.lower()
        if any(piece in folded for piece in pieces):
            return True
        decoded = ESCAPE.sub(_decode_match, text)
        if decoded == text:
            break
        text = decoded
    return False


def _find(text: str, spellings: Sequence[Spelling]) -> Iterator[Span]:
    """Where keys are in the text, as start and end. Spans may overlap."""
    visible, dropped = _decode(text, INVISIBLE)
    inner, escapes = _decode(visible, ESCAPE)
    for run in _find_runs(visible, spellings):
        yield _original(_widen(run, escapes), dropped)
    layers = [dropped]
    while escapes and len(layers) <= LEVELS:
        layers.append(escapes)
        for run in _find_runs(inner, spellings):
            span = run
            for tokens in reversed(layers):
                span = _original(span, tokens)
            yield span
        inner, escapes = _decode(inner, ESCAPE)


def _decode(text: str, pattern: re.Pattern[str]) -> tuple[str, list[Token]]:
    """The text with its tokens decoded, and where they are."""
    tokens, parts, end, place = [], [], 0, 0
    for found in pattern.finditer(text):
        meaning = _decode_match(found)
        place += found.start() - end
        parts += [text[end : found.start()], meaning]
        end = found.end()
        tokens.append(Token(found.start(), end, place, len(meaning)))
        place += len(meaning)
    return "".join([*parts, text[end:]]), tokens


def _decode_match(found: re.Match[str]) -> str:
    return _decode_token(found[0])


@lru_cache(1024)
def _decode_token(token: str) -> str:
    """The visible ASCII character that a token stands for; "" if it stands for none."""
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
    code = int(digits, base)
    return chr(code) if code < 128 else ""


def _find_runs(text: str, spellings: Sequence[Spelling]) -> Iterator[Span]:
    """Where a spelling, or enough of it, is in a decoded text."""
    folded = text.lower()
    for spelling in spellings:
        key = spelling.text.lower()
        offsets: dict[str, list[int]] = {}
        for piece, offset in _pieces(spelling):
            offsets.setdefault(piece, []).append(offset)
        pattern = re.compile("|".join(map(re.escape, offsets)))
        at = 0
        while found := pattern.search(folded, at):
            start, piece = found.start(), found[0]
            at = start + 1
            for offset in offsets[piece]:
                before, length = _extend(folded, start, key, offset)
                run = start - before, start - before + length
                at = max(at, run[1] - len(piece) + 1)
                if _counts(text, run, spelling, offset - before):
                    yield run


def _extend(text: str, start: int, key: str, offset: int) -> tuple[int, int]:
    """How many characters before a place are alike in text and key, and how many in all."""
    before = 0
    most = min(start, offset)
    while before < most and text[start - before - 1] == key[offset - before - 1]:
        before += 1
    after, most = 0, min(len(text) - start, len(key) - offset)
    while after < most and text[start + after] == key[offset + after]:
        after += 1
    return before, before + after


def _counts(text: str, run: Span, spelling: Spelling, offset: int) -> bool:
    """Whether a run shows a key. It begins at `offset` of the spelling."""
    first, end = run
    if spelling.is_word:
        around = text[max(0, first - 1) : first] + text[end : end + 1]
        return not any(char.isalnum() for char in around)
    length = end - first
    if length < spelling.least or text[first:end].lower().strip("-_.") in WORDS:
        return False
    return length >= spelling.least_folded or spelling.text.startswith(text[first:end], offset)


def _widen(run: Span, tokens: list[Token]) -> Span:
    """The run, and the whole of the escapes in which it begins and ends: JSON stays valid."""
    first, end = run
    for token in _at(first, tokens), _at(end - 1, tokens):
        if token:
            first, end = min(first, token.start), max(end, token.end)
    return first, end


def _at(position: int, tokens: list[Token]) -> Token | None:
    index = bisect_right(tokens, position, key=lambda token: token.start) - 1
    return tokens[index] if index >= 0 and position < tokens[index].end else None


def _original(run: Span, tokens: list[Token]) -> Span:
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


def _replace(text: str, spans: list[Span]) -> str:
    """The text with `***` instead of every span, and one for spans that touch each other."""
    parts, end = [], 0
    for first, last in sorted(spans):
        if first > end or not parts:
            parts += [text[end:first], "***"]
        end = max(end, last)
    return "".join([*parts, text[end:]])
