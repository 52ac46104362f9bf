"""A key: where it may be sent, and in which spellings a server may send it back."""

from __future__ import annotations

from binascii import b2a_base64

from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import SHORTEST_KEY, WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from flux_cli.core.text import Secret

    # A way to write a key, how many of its characters show it, and how many in another case.
    Spelling: TypeAlias = tuple[str, int, int]

MIN_RUN = 8  # characters of a key that show it without the rest of it
LONG_SHARE = 32  # of a key of more than 256 characters, a run of a 32nd shows it
MIN_FOLDED_RUN = 12  # the same in another case or in base64: shorter runs occur by chance
URL_SAFE = str.maketrans("+/", "-_")


class Auth(NamedTuple):
    """A key, how it is sent, and the only places it may be sent to.

    These are the configured URL and, over https, the provider's own hosts.
    """

    key: Secret | None  # None: only headers of its own are sent
    variable: str  # the environment variable of the key, for hints
    base: str
    header: str  # this and the next come from the provider's row
    prefix: str
    hosts: tuple[str, ...] = ()  # "api.bfl.ai", or "*.bfl.ai" for every name below it
    page: str = ""  # where people get keys and add credit, for hints
    headers: tuple[tuple[str, Secret | str], ...] = ()  # what else the user's provider table sends

    def fields(self) -> dict[str, str]:
        """The headers to send, as they are: only for addresses that may get the key."""
        sent = {}
        for name, value in self.headers:
            sent[name] = value if isinstance(value, str) else value.reveal()
        if self.key:
            sent[self.header] = f"{self.prefix}{self.key.reveal()}"
        return sent


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


def spellings_of(key: str) -> list[Spelling]:
    """The key, and how it is written in hex and base64.

    A key of less than MIN_RUN characters counts only as a whole. Of one that is not ASCII, the rest
    without those characters counts as well: many readers drop them, as searches do.
    """
    if key.isascii():
        return [_plain_spelling(key), *_coded_spellings(key.encode())]
    from flux_cli.core.redaction.escapes import INVISIBLE, fold_width  # few keys need it

    rest = INVISIBLE.sub("", fold_width(key))
    is_telling = len(rest) >= SHORTEST_KEY and rest.lower() not in WORDS
    found = [_plain_spelling(rest)] if is_telling else []
    return found + _coded_spellings(bytes_of(key))


def wide_spellings_of(key: str) -> list[Spelling]:
    """A key that is not ASCII, in its own characters, and with a character for each of its bytes.

    Escapes of URLs and Python stand for bytes, and a wrong encoding shows them as characters.
    """
    from unicodedata import normalize

    from flux_cli.core.redaction.escapes import fold_width

    forms = (key, normalize("NFC", key), normalize("NFD", key))
    as_bytes = [bytes_of(form).decode("latin-1") for form in forms]
    found = dict.fromkeys(map(fold_width, (*forms, *as_bytes)))
    return [_plain_spelling(form) for form in found]


def fold_case(text: str) -> str:
    """The text in lower case, and as long as before."""
    return text.replace("\u0130", "\u0131").lower()  # the one letter that becomes two


def bytes_of(text: str) -> bytes:
    """The bytes of a text in UTF-8; of what was no UTF-8 in the environment, its own bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no bytes
        return text.encode("utf-8", "surrogatepass")


def _plain_spelling(key: str) -> Spelling:
    size = len(key)
    if size < MIN_RUN:
        return key, size, size
    run = max(MIN_RUN, size // LONG_SHARE)
    return key, run, max(run, min(MIN_FOLDED_RUN, size))


def _coded_spellings(data: bytes) -> list[Spelling]:
    """How the bytes of a key are written in hex and base64."""
    size = len(data)
    if size < MIN_RUN:
        return []
    run = max(MIN_RUN, size // LONG_SHARE)
    found = [(data.hex(), 2 * run, 2 * run)]
    for shift in range(3):  # where the key begins in a group of three bytes
        encoded = b2a_base64(bytes(shift) + data, newline=False).decode()
        own = encoded[(0, 2, 3)[shift] : (shift + size) * 8 // 6]
        least = min(max(MIN_FOLDED_RUN, run * 4 // 3), len(own))
        for text in own, own.translate(URL_SAFE):
            found += [(text, least, len(text))]
    return found


def pieces_of(spelling: Spelling) -> Iterator[tuple[str, int]]:
    """Pieces of a spelling in lower case, and their offsets.

    Every text that shows the key in this spelling has one of them, behind its escapes.
    """
    text, least, _ = spelling
    size = least if len(text) < MIN_RUN else (least + 1) // 2
    for offset in range(0, len(text) - size + 1, size):
        yield fold_case(text[offset : offset + size]), offset
