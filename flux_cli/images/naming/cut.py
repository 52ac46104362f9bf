"""Shortens texts for file names: at words, and never inside a character."""

from __future__ import annotations

import unicodedata

DIGEST_DIGITS = 8  # hex digits of a prompt that was cut
MOST = 255  # characters; no file name has more
SKIN_TONES = range(0x1F3FB, 0x1F400)  # they change the emoji before them


def cut(text: str, limit: int) -> str:
    """The longest beginning with at most `limit` bytes of UTF-8, without blanks at the end."""
    return text.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore").rstrip()


def cut_at_word(text: str, separator: str, limit: int, prompt: str, most: int = MOST) -> str:
    """The first words of a text, and a digest of the prompt.

    They have at most `limit` bytes and `most` characters together. So prompts that differ only
    behind the cut have different names.
    """
    from hashlib import sha256  # most prompts are short

    digest = sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_DIGITS]
    added = len(digest) + 1
    kept = _beginning(text, limit - added, most - added)
    if not text.startswith(f"{kept}{separator}") and kept != text:
        whole, found, _ = kept.rpartition(separator)
        if found and 2 * len(whole) >= len(kept):  # a word ends in the second half
            kept = whole
    return f"{kept.rstrip(separator)}-{digest}".lstrip("-")


def _beginning(text: str, limit: int, most: int) -> str:
    """The longest beginning with at most `limit` bytes and `most` characters.

    An accent stays with its letter, and a skin tone with its emoji.
    """
    kept = text[:most].encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore")
    end = len(kept)
    while 0 < end < len(text) and _belongs_to_the_last(text[end]):
        end -= 1
    return kept[:end] or kept


def _belongs_to_the_last(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or ord(char) in SKIN_TONES
