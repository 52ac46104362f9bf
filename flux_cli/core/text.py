"""Makes text safe to show: on one line, without keys, without commands to terminals or CI services.

GitHub obeys `::command::` at the beginning of a line of stdout or stderr, even after blanks, and
the older `##[command]` anywhere. Azure obeys `##vso[` and TeamCity `##teamcity[`.
"""

from __future__ import annotations

from contextvars import ContextVar

SHOWN = 300  # characters shown of a server's message
LONG = 4000  # characters shown of our own messages, which may contain a long URL
CI_COMMAND = r"##(?=\w*\[)"
MIN_KEY_LENGTH = 8  # redacting shorter texts would damage ordinary words
AFTER_CUT_KEY = ("…", "'", '"', "\n")  # what may follow a key that was cut off

# All keys of this run. A context variable, so that they belong to the run and not to the module.
_KEYS: ContextVar[tuple[str, ...]] = ContextVar("keys", default=())


def plain(text: str, limit: int = SHOWN) -> str:
    """The text on one line of at most `limit` characters, without control characters."""
    text = text[: 4 * limit]  # enough to fill the line, even after blanks are joined
    if not text.isprintable():
        text = "".join(map(_blank_if_unprintable, text))
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _blank_if_unprintable(char: str) -> str:
    return char if char.isprintable() else " "


def github_annotation(message: str, hint: str = "") -> str:
    """The command that makes GitHub show an error on the page of the workflow run."""
    rest = _escape_annotation(f"\nhint: {hint}") if hint else ""
    return f"::error title=flux::{_escape_annotation(message)}{rest}"


def disarm(line: str) -> str:
    """The line with a blank inserted into every command that a CI service would obey."""
    line = _replace_commands("# #", line)
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def disarm_json(text: str) -> str:
    """The same JSON with `##` escaped, so that no CI service obeys it.

    No line of JSON begins with `::`.
    """
    return _replace_commands(r"#\\u0023", text)


def _replace_commands(harmless: str, text: str) -> str:
    if "##" not in text:
        return text
    import re  # slow to import, and commands are rare

    return re.sub(CI_COMMAND, harmless, text)


def _escape_annotation(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


class Secret:
    """A key. `str` and `repr` hide it; `reveal` is for the header it is sent in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= MIN_KEY_LENGTH and value not in _KEYS.get():
            _KEYS.set((*_KEYS.get(), value))

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


def redact(text: str) -> str:
    """The text with `***` instead of every key of this run, including keys that are cut off."""
    for key in _KEYS.get():
        for spelling in _spellings(key):
            text = _redact_one(text, spelling)
    return text


def _redact_one(text: str, key: str) -> str:
    """The text without one spelling of a key, and without every beginning of it that is cut off."""
    if key[:MIN_KEY_LENGTH] not in text:
        return text
    text = text.replace(key, "***")
    for length in range(len(key) - 1, MIN_KEY_LENGTH - 1, -1):
        beginning = key[:length]
        for end in AFTER_CUT_KEY:
            text = text.replace(beginning + end, "***" + end)
        if text.endswith(beginning):
            text = text[:-length] + "***"
    return text


def _spellings(key: str) -> list[str]:
    """The key as it appears in URLs, JSON and Python strings, also nested; the longest first."""
    from urllib.parse import quote  # lookups have no keys and do not need it

    found = {key}
    found |= {quote(text) for text in found}
    found |= {quote(text, safe="") for text in found}
    found |= {_python_escaped(text) for text in found}
    found |= {_json_escaped(text) for text in found}
    return sorted(found, key=len, reverse=True)


def _python_escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _json_escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
