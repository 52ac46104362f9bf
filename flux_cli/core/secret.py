"""Keys that cannot be printed by accident: whatever shows text asks `redact` first."""

from __future__ import annotations

from contextvars import ContextVar

SHORTEST = 8  # characters; anything shorter is no key, and redacting it would tear words apart

CUTS = ("…", "'", '"', "\n")  # what may stand behind a key of which only the beginning was kept

# Every key made in this run. A context variable, so that it belongs to the run and not to the module.
_IN_USE: ContextVar[tuple[str, ...]] = ContextVar("keys in use", default=())


class Secret:
    """A key. `str` and `repr` show that there is one, never what it is; `reveal` is for the one header it goes into."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= SHORTEST and value not in _IN_USE.get():
            _IN_USE.set((*_IN_USE.get(), value))

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


def redact(text: str) -> str:
    """The text without any key made in this run, nor the beginning of one where a text was cut short.

    Servers quote keys, and messages about what they say are cut: before `…`, or before a closing quote.
    """
    for value in (spelled for key in _IN_USE.get() for spelled in _spellings(key)):
        if value[:SHORTEST] not in text:
            continue
        text = text.replace(value, "***")
        for length in range(len(value) - 1, SHORTEST - 1, -1):
            for end in CUTS:
                text = text.replace(value[:length] + end, "***" + end)
            if text.endswith(value[:length]):
                text = text[:-length] + "***"
    return text


def _spellings(key: str) -> list[str]:
    """The key as addresses, JSON and Python's own quotes write it, and one inside the other; the longest first."""
    from urllib.parse import quote  # a lookup has no keys, and pays for none of this

    found = {key}
    for escape in (quote, lambda text: quote(text, safe=""), _python, _json):
        found |= {escape(text) for text in found}
    return sorted(found, key=len, reverse=True)


def _python(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _json(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
