"""Appends a summary to the page of a CI run, where the service names a file for it."""

from __future__ import annotations

import os
from pathlib import Path

from flux_cli.core.text import redact, variable_text
from flux_cli.terminal import messages

VARIABLE = "GITHUB_STEP_SUMMARY"


def is_wanted() -> bool:
    """Whether a file for a summary is named."""
    return bool(variable_text(os.environ, VARIABLE))


def append_page(markdown: str) -> None:
    """Append Markdown to the file that is named. If that fails, a note says so."""
    try:
        path = Path(variable_text(os.environ, VARIABLE))
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(redact(markdown))
    except (OSError, ValueError) as fault:
        messages.err(f"flux: note: cannot write {VARIABLE}: {fault}")
