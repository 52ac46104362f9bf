"""What a build adds to the page of a CI run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.planning.summary import summary_text
from flux_cli.commands.step_summary import append_page, is_wanted
from flux_cli.terminal.markdown import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.commands.build.session import Planned, Session


def _text(planned: Planned, failures: Mapping[str, str]) -> str:
    own = {name: failures[name] for name in planned.project.assets if name in failures}
    title = planned.project.path
    return summary_text(title, planned.priced, planned.cost, planned.limit, own)


def append_summary(session: Session, failures: Mapping[str, str]) -> None:
    """Append the summary of each project, if a file for it is named."""
    if not is_wanted():
        return
    texts = [_text(planned, failures) for planned in session.planned]
    if report := session.options.review.report:
        texts.append(f"Review page: {escaped(Path(report).name)}\n")
    append_page("\n".join(texts))
