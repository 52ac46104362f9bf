"""SVG: a text, recognized by its root element. Sources: SVG 2 (5.1, 8.2), XML 1.0 (2.8)."""

from __future__ import annotations

import re

ENCODINGS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
PROLOG = 1 << 16  # bytes that are searched for the root element
TAIL = 1 << 12  # bytes behind it
# Nothing is tried twice (possessive quantifiers), so that no text takes long.
COMMENT = r"<!--(?:[^-]|-(?!->))*+-->"
INSTRUCTION = r"<\?(?:[^?]|\?(?!>))*+\?>"  # also the XML declaration
DOCTYPE = r"<!DOCTYPE\s+(?:[\w.-]+:)?svg\b[^\[>]*+(?:\[[^\]]*+\])?[^\[>]*+>"
ATTRIBUTES = r"(?:\s(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)?"
BEGINNING = rf"(?:\s++|{COMMENT}|{INSTRUCTION}|{DOCTYPE})*+<(?P<name>(?:[\w.-]+:)?svg)"
START = re.compile(rf"{BEGINNING}[\s/>]")
ROOT = re.compile(rf"{BEGINNING}(?P<attributes>{ATTRIBUTES})>")
LENGTH = re.compile(r"\s*\+?(\d{1,7}(?:\.\d+)?)(?:px)?\s*")


def matches(data: bytes) -> bool:
    """Whether a text begins like an SVG. A page that shows an SVG is none."""
    return START.match(_text(data[:PROLOG], data)) is not None


def check(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a complete SVG; both 0 if it has none, as many do.

    Raises ValueError if its root element does not end.
    """
    root = ROOT.match(_text(data[:PROLOG], data))
    if root is None:
        raise ValueError("the end is missing")
    if not root["attributes"].endswith("/") and not _ends(data, root["name"]):
        raise ValueError("the end is missing")
    attributes = dict(_attributes(root["attributes"]))
    width, height = (_pixels(attributes.get(side, "")) for side in ("width", "height"))
    if width and height:
        return width, height
    box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip())
    if len(box) != 4:
        return 0, 0
    width, height = _pixels(box[2]), _pixels(box[3])
    return (width, height) if width and height else (0, 0)


def _ends(data: bytes, name: str) -> bool:
    """Whether the end tag is the last one, with at most blanks and comments behind it."""
    tail = _text(data[-TAIL - len(data) % 2 :], data)
    rest = re.sub(COMMENT, "", tail).rstrip("\0 \t\r\n")
    return re.search(rf"</{re.escape(name)}\s*>\Z", rest) is not None


def _text(part: bytes, data: bytes) -> str:
    """A part of the file as text, in the encoding that its byte order mark names."""
    for mark, encoding in ENCODINGS:
        if data.startswith(mark):
            return part.decode(encoding, "replace").lstrip("\ufeff")
    return part.decode("utf-8", "replace")


def _attributes(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", text)
    return [(name, double or single) for name, double, single in found]


def _pixels(text: str) -> int:
    """A length in pixels, rounded; 0 for one in other units or none."""
    length = LENGTH.fullmatch(text)
    return round(float(length[1])) if length else 0
