"""Making text safe to show: on one line, without keys, and without commands that a terminal or CI service would obey.

GitHub's runner reads every line a step writes to either stream. It obeys `::command::` where a line begins, after
blanks, too, and the older `##[command]` anywhere; Azure and TeamCity know `##vso[` and `##teamcity[`.
"""

from __future__ import annotations

from contextvars import ContextVar

SHOWN = 300  # characters of a server's own words that are worth a person's time
LONG = 4000  # characters of our own; a hint may hold an address that must not be cut
CI_COMMAND = r"##(?=\w*\[)"
SHORTEST = 8  # characters; anything shorter is no key, and redacting it would tear words apart

CUTS = ("…", "'", '"', "\n")  # what may stand behind a key of which only the beginning was kept

# Every key made in this run. A context variable, so that it belongs to the run and not to the module.
_IN_USE: ContextVar[tuple[str, ...]] = ContextVar("keys in use", default=())


def plain(text: str, limit: int = SHOWN) -> str:
    """Text on one line, without control characters that could act on a terminal, cut at `limit` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def annotation(message: str, hint: str = "") -> str:
    """The line that makes GitHub show a failure on the page of the run. It names no file: the fault is in none."""
    rest = _escape_annotation(f"\nhint: {hint}") if hint else ""
    return f"::error title=flux::{_escape_annotation(message)}{rest}"


def inert(line: str) -> str:
    """One line of a log that no CI service obeys: a blank breaks what would be a command."""
    line = _without_marks("# #", line)
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def inert_json(text: str) -> str:
    """JSON that means the same and that no CI service obeys. `##` can only be inside a string, `::` begins no line."""
    return _without_marks(r"#\\u0023", text)


def _without_marks(harmless: str, text: str) -> str:
    if "##" not in text:
        return text
    import re  # dearer than a lookup, and marks are rare

    return re.sub(CI_COMMAND, harmless, text)


def _escape_annotation(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


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
    for escape in (quote, lambda text: quote(text, safe=""), _python_escaped, _json_escaped):
        found |= {escape(text) for text in found}
    return sorted(found, key=len, reverse=True)


def _python_escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _json_escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
