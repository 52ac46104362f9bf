"""Reads NO_PROXY: the hosts that are reached without a proxy."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from flux_cli.core.lite import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}
BETWEEN = re.compile(r"[,;\s]+")
IN_BRACKETS = re.compile(r"\[([^\[\]]+)\](?::([0-9]{1,5}))?/?")
NAME = re.compile(r"(\*|(?:\*?\.)?[^\s@:/?#*\[\]\\,]+)(?::([0-9]{1,5}))?/?")


class Entry(NamedTuple):
    """One entry: `*`, an address or range of addresses, or a name and everything below it.

    A scheme and a port limit what it names; "" and 0 do not.
    """

    scheme: str
    name: str
    port: int = 0

    def names(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether it names a host. The port is None for the usual one of the scheme."""
        if self.scheme not in ("", "all", scheme):
            return False
        if self.port and self.port != (port or DEFAULT_PORTS.get(scheme)):
            return False
        if self.name == "*":
            return True
        host = host.strip("[]").rstrip(".").lower()
        try:
            return ip_address(host) in ip_network(self.name, strict=False)
        except ValueError:
            return f".{_ascii(host)}".endswith(f".{_ascii(self.name)}")


def read_entries(text: str) -> tuple[list[Entry], list[str]]:
    """The entries of NO_PROXY, separated by commas or blanks, and those that cannot be read."""
    found, unreadable = [], []
    for word in filter(None, BETWEEN.split(text)):
        entry = parse_entry(word)
        if entry:
            found.append(entry)
        else:
            unreadable.append(word)
    return found, unreadable


def parse_entry(text: str) -> Entry | None:
    """One entry; None if it cannot be read."""
    scheme, _, rest = text.lower().rpartition("://")
    match = IN_BRACKETS.fullmatch(rest)
    if match:
        address = match[1].partition("%")[0]  # the zone of a link-local address
        return Entry(scheme, address, int(match[2] or 0)) if _is_range(address) else None
    if _is_range(rest):
        return Entry(scheme, rest)
    match = NAME.fullmatch(rest)
    if not match:
        return None
    name = match[1] if match[1] == "*" else match[1].removeprefix("*").strip(".")
    return Entry(scheme, name, int(match[2] or 0)) if name else None


def _is_range(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _ascii(name: str) -> str:
    """A host name as it is sent, which may be spelled in any alphabet."""
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name
