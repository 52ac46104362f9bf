"""The plan as Markdown, for the page of a CI run. Texts are escaped: nothing in them is obeyed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flux_cli.build.planning.document import STATES
from flux_cli.build.planning.text import total_line, unchanged_count
from flux_cli.core.text import plain
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flux_cli.build.planning.cost import Cost, Priced

MOST_ROWS = 200
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~@:/&-])")


def summary_text(
    title: str,
    priced: Sequence[Priced],
    cost: Cost,
    limit: float | None,
    failures: Mapping[str, str],
) -> str:
    """The summary of one project. `failures` are messages by asset."""
    return "\n".join([*_lines(title, priced, cost, limit, failures), ""])


def _lines(
    title: str,
    priced: Sequence[Priced],
    cost: Cost,
    limit: float | None,
    failures: Mapping[str, str],
) -> Iterator[str]:
    yield f"### {escaped(title)}"
    yield ""
    yield escaped(total_line(priced, cost, limit))
    shown = [one for one in priced if not one.step.is_unchanged]
    unchanged = unchanged_count(priced)
    yield f"{unchanged:,} unchanged"
    rows = [(one.step.name, STATES[one.step.sign], one.step.reason) for one in shown]
    rows = [(name, "failed", message) for name, message in failures.items()] + rows
    if rows:
        yield ""
        yield "| asset | state | reason |"
        yield "|---|---|---|"
    for name, state, reason in rows[:MOST_ROWS]:
        yield f"| {escaped(name)} | {state} | {escaped(reason)} |"
    choices = [one.step for one in priced if one.step.choice and not one.step.is_open]
    if choices:
        yield ""
    for step in choices[:MOST_ROWS]:
        yield f"- {escaped(step.name)}: {escaped(step.choice)}"
    if len(rows) > MOST_ROWS:
        yield ""
        yield f"and {counted(len(rows) - MOST_ROWS, 'more row')}"


def escaped(text: str) -> str:
    """A text that Markdown and HTML show as it is, on one line."""
    return SPECIAL.sub(_entity, plain(text, 500))


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[1])};"
