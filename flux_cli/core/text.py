"""Makes text safe to show: on one line, without keys, without commands to terminals or CI services.

GitHub obeys `::command::` at the beginning of a line of stdout or stderr, even after blanks, and
the older `##[command]` anywhere. Azure obeys `##vso[` and TeamCity `##teamcity[`.
"""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_cli.core.model import Json

SHOWN = 300  # characters shown of a server's message
LONG = 4000  # characters shown of our own messages, which may contain a long URL
CI_COMMAND = r"##(?=\w*\[)"
MOST_ESCAPES = 1 << 12  # of URLs; decoding a text that has more of them is slow
SHORTEST_KEY = 4  # characters; nothing shorter is worth hiding
# Keys that local servers accept, and words of our own output. They are no secrets, and hiding them
# would damage messages and documents. Also left alone as a piece of a longer key.
WORDS = frozenset((
    "changeme", "dummy", "empty", "fake", "local", "localai", "localhost", "lumenfall", "none",
    "null", "ollama", "openai", "placeholder", "replicate", "sdcpp", "secret", "sglang", "test",
    "together", "token", "vllm",
))  # fmt: skip

# What env files, editors and `docker run --env-file` leave around the value of a variable. The last
# is a byte order mark that was read byte by byte.
AROUND = (" ", "\t", "\r", "\n", "\v", "\f", "\u00a0", "\ufeff", "\udcef\udcbb\udcbf")
QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019"}

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

# All keys of this run. A context variable, so that they belong to the run and not to the module.
_KEYS: ContextVar[tuple[str, ...]] = ContextVar("keys", default=())
# Lower-case pieces of their spellings, one of which is in every text that shows one of them.
_PIECES: ContextVar[tuple[str, ...]] = ContextVar("pieces", default=())


def variable_text(environ: Mapping[str, str], name: str) -> str:
    """The value of an environment variable; "" if it is not set. See `unwrap`."""
    return unwrap(environ.get(name, ""))


def unwrap(text: str) -> str:
    """The text without blanks, line ends, byte order marks and quotes around it."""
    before = ""
    while text != before:
        before = text
        for mark in AROUND:
            text = text.removeprefix(mark).removesuffix(mark)
        if len(text) > 1 and QUOTES.get(text[0]) == text[-1]:
            text = text[1:-1]
    return text


def decode_text(data: bytes) -> str:
    """The text of a file in UTF-8, or what a byte order mark says, without that mark.

    Editors and shells of Windows write UTF-16. Raises UnicodeDecodeError.
    """
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding)


def plain(text: str, limit: int = SHOWN) -> str:
    """The text on one line of at most `limit` characters, without keys and control characters.

    Keys are hidden first: line breaks and invisible characters in them become blanks.
    """
    text = redact(text[: 4 * limit])  # enough to fill the line, even after blanks are joined
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
        if len(value) < SHORTEST_KEY or value.lower() in WORDS or value in _KEYS.get():
            return
        from flux_cli.core.auth import pieces_of, spellings_of  # lookups have no keys

        found = [piece for spelling in spellings_of(value) for piece, _ in pieces_of(spelling)]
        _KEYS.set((*_KEYS.get(), value))
        _PIECES.set(tuple(dict.fromkeys((*_PIECES.get(), *found))))

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


def redact(text: str) -> str:
    """The text with `***` instead of every key of this run, and of pieces of at least 8 characters.

    Finds the spellings that `redaction.hide` knows, in time that grows with the length of the text.
    """
    keys = _KEYS.get()
    if not keys or not may_show_key(text):
        return text
    from flux_cli.core.redaction.hide import hide_keys  # most texts are ruled out at a glance

    return hide_keys(text, keys)


def may_show_key(text: str) -> bool:
    """Whether a key may be in the text. If it is False, none is.

    Much faster than `redact` where that takes long: about 0.1 s for a million characters.
    """
    if not _PIECES.get():
        return False
    # Good answers have these escapes. NUL stands before the name of a file, and is dropped.
    plain_text = text.replace("\n", "").replace("\\u0000", "").replace('\\"', '"')
    escapes = plain_text.count("%")
    if escapes > MOST_ESCAPES:
        return True
    if escapes:
        from urllib.parse import unquote  # every program that has a key has loaded it

        plain_text = unquote(plain_text)
    if "\\" in plain_text or "%" in plain_text or "&#" in plain_text:
        return True
    if _has_names(plain_text) or not (plain_text.isascii() and plain_text.isprintable()):
        return True
    folded = (text if plain_text == text else text + plain_text).lower()
    return any(piece in folded for piece in _PIECES.get())


def _has_names(text: str) -> bool:
    """Whether HTML's names of characters may be in the text. URLs have `&`, too."""
    if "&" not in text:
        return False
    from flux_cli.core.redaction.escapes import NAME  # most texts have none

    return NAME.search(text) is not None


def redact_json(value: object, hide: Callable[[str], str] = redact) -> Json:
    """The same JSON value with `hide` applied to every text in it, and to numbers as text."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {hide(name): redact_json(part, hide) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [redact_json(part, hide) for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = hide(repr(value))
        return value if shown == repr(value) else shown
    return value  # type: ignore[return-value] # a boolean, or null
