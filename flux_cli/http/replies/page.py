"""HTML pages, which servers and what stands in front of them answer instead of JSON."""

from __future__ import annotations

import re

from flux_cli.core.text import plain

HEADING = r"<(title|h1)\b[^>]{0,200}>([^<]{1,400})"
MAX_TITLE = 100  # characters


def is_page(text: str) -> bool:
    """Whether a body is HTML or XML."""
    return text.lstrip("\ufeff \r\n\t").startswith("<")


def page_title(text: str) -> str:
    """The title of a page, or its first heading; "" without one."""
    from html import unescape  # few answers are pages

    found = re.search(HEADING, text, re.IGNORECASE)
    return plain(unescape(found[2]), MAX_TITLE) if found else ""
