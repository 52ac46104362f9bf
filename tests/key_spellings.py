"""The spellings in which a server may send a key back, and how a reader undoes them."""

import html
import json
import re
import unicodedata
from urllib.parse import unquote

CANARY = "lmnfl_Sup3rS3cretV4lue.0q8Zp-Kd73hGx"

WRITERS = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, every character": lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    "Python": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "JavaScript": lambda text: "".join(f"\\u{{{ord(char):x}}}" for char in text),
    "percent": lambda text: "".join(f"%{ord(char):02x}" for char in text),
    "decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "hexadecimal": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "decimal, open": lambda text: "".join(f"&#{ord(char)}" for char in text),
    "hexadecimal, open": lambda text: "".join(f"&#x{ord(char):x}" for char in text),
    "HTML in a URL": lambda text: "".join(f"%26%23{ord(char)}%3B" for char in text),
    "HTML with an end of URLs": lambda text: "".join(f"&#{ord(char)}%3B" for char in text),
    "HTML with an end of JSON": lambda text: "".join(f"&#{ord(char)}\\u003b" for char in text),
    "many zeros": lambda text: "".join(f"&#{ord(char):09};" for char in text),
    "names": lambda text: text.replace(".", "&period;").replace("_", "&lowbar;"),
    "names of invisible characters": "&ZeroWidthSpace;".join,
    "names of invisible characters, two": "&NegativeVeryThinSpace;&NoBreak;".join,
    "old names, open": "&shy".join,
    "names of other letters": lambda text: "".join(
        f"&{char}opf;" if char in "abcdefghijklmnopqrstuvwxyz" else char for char in text
    ),
    "octal": lambda text: "".join(f"\\{ord(char):o}" for char in text),
    "octal, three digits": lambda text: "".join(f"\\{ord(char):03o}" for char in text),
    "octal, with a zero": lambda text: "".join(f"\\0{ord(char):03o}" for char in text),
    "Python, long": lambda text: "".join(f"\\U{ord(char):08x}" for char in text),
    "Perl": lambda text: "".join(f"\\x{{{ord(char):x}}}" for char in text),
    "percent, long": lambda text: "".join(f"%u{ord(char):04x}" for char in text),
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "fillers": "\u3164\u2060".join,
    "line breaks": "\n".join,
    "line breaks of HTML": "&NewLine;".join,
    "tabs": "\t".join,
    "line and paragraph separators": "\u2028\u2029".join,
    "a line break in the middle": lambda text: (
        f"{text[: len(text) // 2]}\r\n{text[len(text) // 2 :]}"
    ),
    "full width": lambda text: "".join(chr(ord(char) + 0xFEE0) for char in text),
    "mathematical": lambda text: "".join(
        chr(0x1D670 + ord(char) - 65) if "A" <= char <= "Z" else char for char in text
    ),
}


def runs_of(key, least):
    return {key[start : start + least] for start in range(len(key) - least + 1)}


ESCAPES = re.compile(
    r"\\[ux]\{([0-9a-f]{1,5})\}|\\(?-i:U)000([0-9a-f]{5})|(?:\\|%)u([0-9a-f]{4})|\\x([0-9a-f]{2})",
    re.IGNORECASE,
)
OCTAL = re.compile(r"\\0?([01][0-7]{2}|[4-7][0-7])")


def decoded(text):
    """What a reader of the text could make of it."""
    for _ in range(5):
        text = unquote(html.unescape(text))
        text = "".join(char for char in unicodedata.normalize("NFKC", text) if " " <= char <= "~")
        text = ESCAPES.sub(lambda found: chr(int("".join(filter(None, found.groups())), 16)), text)
        text = OCTAL.sub(lambda found: chr(int(found[1], 8)), text).replace("\\\\", "\\")
    return text
