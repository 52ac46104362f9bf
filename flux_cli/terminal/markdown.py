"""Text and tables in Markdown, for the page of a CI run. Nothing in a text is obeyed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flux_cli.core.text import plain
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_ROWS = 200
LONGEST = 500  # characters of a cell
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~@:/&-])")


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, with an empty line before it; none without rows.

    Cells are escaped. At most MOST_ROWS rows are listed, and the others are counted.
    """
    if not rows:
        return
    yield ""
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows[:MOST_ROWS]:
        yield f"| {' | '.join(map(escaped, row))} |"
    if len(rows) > MOST_ROWS:
        yield ""
        yield f"and {counted(len(rows) - MOST_ROWS, 'more row')}"


def escaped(text: str) -> str:
    """A text that Markdown and HTML show as it is, on one line."""
    return SPECIAL.sub(_entity, plain(text, LONGEST))


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[1])};"
