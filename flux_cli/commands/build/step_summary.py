"""Appends a summary to the page of a CI run, where the service names a file for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.planning.summary import escaped, summary_text
from flux_cli.core.text import redact, variable_text
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.commands.build.session import Planned, Session

VARIABLE = "GITHUB_STEP_SUMMARY"


def _text(planned: Planned, failures: Mapping[str, str]) -> str:
    own = {name: failures[name] for name in planned.project.assets if name in failures}
    title = planned.project.path
    return summary_text(title, planned.priced, planned.cost, planned.limit, own)


def append_summary(session: Session, failures: Mapping[str, str]) -> None:
    """Append the summary, if a file for it is named. If that fails, a note says so."""
    path = variable_text(os.environ, VARIABLE)
    if not path:
        return
    texts = [_text(planned, failures) for planned in session.planned]
    if report := session.options.review.report:
        texts.append(f"Review page: {escaped(Path(report).name)}\n")
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(redact("\n".join(texts)))
    except (OSError, ValueError) as fault:
        messages.err(f"flux: note: cannot write {VARIABLE}: {fault}")
