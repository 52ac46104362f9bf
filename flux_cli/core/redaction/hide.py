"""Replaces keys in a text, in every spelling in which a server may send them back."""

from __future__ import annotations

import re

from flux_cli.core.auth import (
    MIN_FOLDED_RUN,
    MIN_RUN,
    fold_case,
    pieces_of,
    spellings_of,
    wide_spellings_of,
)
from flux_cli.core.redaction.escapes import (
    ESCAPE,
    INVISIBLE,
    decode,
    decode_match,
    fold_width,
    original,
    widen,
)
from flux_cli.core.text import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.auth import Spelling
    from flux_cli.core.redaction.escapes import Span

LEVELS = 4  # of escapes within escapes, such as JSON in JSON
WINDOW, OVERLAP = 1 << 18, 1 << 14  # characters that are searched at once, to save memory


def hide_keys(text: str, keys: Sequence[str]) -> str:
    """The text with `***` for the keys, and for runs of at least 8 of their characters.

    Of a key of more than 256 characters, runs of at least a 32nd of it.
    Runs of less than 12 that look like words stay. Finds them in any case, in base64 and hex, with
    invisible characters between theirs, and behind up to four levels of escapes of URLs, JSON,
    Python and HTML. A key of less than 8 characters is hidden where it is a word of its own.
    """
    spellings = [spelling for key in keys for spelling in spellings_of(key)]
    others = [key for key in keys if not key.isascii()]
    wide = [spelling for key in others for spelling in wide_spellings_of(key)]
    dropped = _all_but(wide)
    spans: list[Span] = []
    for start in range(0, max(1, len(text)), WINDOW - OVERLAP):
        window = fold_width(text[start : start + WINDOW])
        runs: list[Span] = []
        if _shows_piece(window, spellings):
            runs += _find(window, spellings, INVISIBLE)
        if wide:
            runs += _find(window, wide, dropped)
        spans += [(start + first, start + end) for first, end in runs]
    return _replace(text, spans)


def _all_but(spellings: Sequence[Spelling]) -> re.Pattern[str]:
    """What is dropped in a search for these spellings: all that is neither ASCII nor in them."""
    letters = {letter for spelling, *_ in spellings for letter in spelling if letter > "~"}
    letters |= {letter.swapcase() for letter in letters if len(letter.swapcase()) == 1}
    return re.compile(f"[^ -~{re.escape(''.join(sorted(letters)))}]+")


def _shows_piece(text: str, spellings: Sequence[Spelling]) -> bool:
    """Whether a key may be in the text. Faster than `_find`, which says where."""
    pieces = [piece for spelling in spellings for piece, _ in pieces_of(spelling)]
    text = INVISIBLE.sub("", text)
    for _ in range(LEVELS + 1):
        folded = text.lower()
        if any(piece in folded for piece in pieces):
            return True
        decoded = ESCAPE.sub(decode_match, text)
        if decoded == text:
            break
        text = decoded
    return False


def _find(text: str, spellings: Sequence[Spelling], invisible: re.Pattern[str]) -> Iterator[Span]:
    """Where keys are in the text, as start and end. Spans may overlap."""
    visible, dropped = decode(text, invisible, invisible)
    inner, escapes = decode(visible, ESCAPE, invisible)
    for run in _find_runs(visible, spellings):
        yield original(widen(run, escapes), dropped)
    layers = [dropped]
    while escapes and len(layers) <= LEVELS:
        layers.append(escapes)
        for run in _find_runs(inner, spellings):
            span = run
            for tokens in reversed(layers):
                span = original(span, tokens)
            yield span
        inner, escapes = decode(inner, ESCAPE, invisible)


def _find_runs(text: str, spellings: Sequence[Spelling]) -> Iterator[Span]:
    """Where a spelling, or enough of it, is in a decoded text."""
    folded = fold_case(text)
    for spelling in spellings:
        key = fold_case(spelling[0])
        offsets: dict[str, list[int]] = {}
        for piece, offset in pieces_of(spelling):
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
    key, least, least_folded = spelling
    first, end = run
    if len(key) < MIN_RUN:
        around = text[max(0, first - 1) : first] + text[end : end + 1]
        return not any(char.isalnum() for char in around)
    shown = text[first:end]
    if len(shown) < least or shown.lower().strip("-_.") in WORDS:
        return False
    if len(shown) < min(MIN_FOLDED_RUN, len(key)) and _may_be_words(shown):
        return False
    return len(shown) >= least_folded or key.startswith(shown, offset)


def _may_be_words(run: str) -> bool:
    """Whether a run looks like words, as the beginning of `sk-proj-…` does in `task-proj-1.jpg`."""
    is_one_case = run in (run.lower(), run.upper())
    return is_one_case and not any(char.isdigit() for char in run)


def _replace(text: str, spans: list[Span]) -> str:
    """The text with `***` instead of every span, and one for spans that touch each other."""
    parts: list[str] = []
    end = 0
    for first, last in sorted(spans):
        if first > end or not parts:
            parts += [text[end:first], "***"]
        end = max(end, last)
    return "".join([*parts, text[end:]])
