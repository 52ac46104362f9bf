"""Changes one `name = value` line at the top of a TOML text. The rest stays as it is.

This does not parse TOML: a value may have several lines, and a line of a text may look like a
setting. So the caller parses the result, and refuses one that says anything but what it should.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = re.compile(r"\s*\[")
ASSIGNMENT = re.compile(r"""\s*["']?[\w-]+["']?\s*=""")
# The value of a line: a text in one kind of quotes, or anything without quotes.
VALUE = r""""(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"']+"""


def with_line(text: str, name: str, value: str | None) -> str:
    """The text with another value (in TOML) for a name, or without its line if that is None.

    A comment behind the value stays. A new line follows the last one before all tables.
    """
    lines = text.split("\n")
    end = next((number for number, one in enumerate(lines) if TABLE.match(one)), len(lines))
    assigns = re.compile(rf"""(\s*(["']?){re.escape(name)}\2\s*=\s*)(?:{VALUE})?(\s*(?:#.*)?)""")
    for number, one in enumerate(lines[:end]):
        if found := assigns.fullmatch(one):
            lines[number : number + 1] = [] if value is None else [f"{found[1]}{value}{found[3]}"]
            return "\n".join(lines)
    if value is None:
        return text
    line_end = "\r" if "\r\n" in text else ""
    lines.insert(_place(lines, end), f"{name} = {value}{line_end}")
    changed = "\n".join(lines)
    return changed if changed.endswith("\n") else f"{changed}\n"


def _place(lines: Sequence[str], end: int) -> int:
    """Where a new line is inserted: behind the last assignment, else above all tables.

    Without tables, at the end of the text.
    """
    if end == len(lines):
        return end if lines[-1].strip() else end - 1
    given = [number for number, one in enumerate(lines[:end]) if ASSIGNMENT.match(one)]
    return given[-1] + 1 if given else 0
