"""Other people's text, made safe to show."""

SHOWN = 300  # characters of a server's own words that are worth a person's time
LONG = 4000  # characters of our own; a hint may hold an address that must not be cut


def plain(text: str, limit: int = SHOWN) -> str:
    """Text on one line, without control characters that could act on a terminal, cut at `limit` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
