"""The plan as Markdown, for the page of a CI run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.document import STATES
from flux_cli.build.planning.text import total_line, unchanged_count
from flux_cli.terminal.markdown import MOST_ROWS, escaped, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flux_cli.build.planning.cost import Cost, Priced


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
    yield from table(("asset", "state", "reason"), rows)
    choices = [one.step for one in priced if one.step.choice and not one.step.is_open]
    if choices:
        yield ""
    for step in choices[:MOST_ROWS]:
        yield f"- {escaped(step.name)}: {escaped(step.choice)}"
