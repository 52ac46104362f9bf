"""HTML elements from values. Every text is escaped here, and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flux_cli.core.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.build.review.content import Pair

# What no page can hold, and marks that would show text in another order than it has.
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
REPLACEMENT = "\ufffd"
MOST = 20_000  # characters of one text
# Line breaks and `##` could make a line of a CI log that the service obeys.
ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#39;",
        "#": "&#35;",
        "\n": "&#10;",
    }
)


def text(value: str) -> str:
    """A text as it is, without keys, in an element or in the quotes of an attribute."""
    value = redact(value)
    if len(value) > MOST:
        value = value[: MOST - 1] + "…"
    return UNSAFE.sub(REPLACEMENT, value).translate(ESCAPES)


def element(name: str, value: str, kind: str = "") -> str:
    """An element with a text; "" without one."""
    return wrapped(name, text(value), kind) if value else ""


def wrapped(name: str, markup: str, kind: str = "") -> str:
    """An element around other elements. `kind` is its class."""
    return f"<{name}{named('class', kind)}>{markup}</{name}>"


def named(attribute: str, value: str) -> str:
    """An attribute; "" without a value."""
    return f' {attribute}="{text(value)}"' if value else ""


def pairs(rows: Iterable[Pair], kind: str) -> str:
    """A list of words and what they are."""
    cells = "".join(
        f"<div><dt>{text(word)}</dt><dd>{text(value)}</dd></div>" for word, value in rows
    )
    return wrapped("dl", cells, kind) if cells else ""
