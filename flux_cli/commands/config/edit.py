"""`flux config edit`: the user's settings file in an editor, checked afterward."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from flux_cli.commands.setup.account import without_home
from flux_cli.config.editing.user_file import make_starter, refuse_read_only
from flux_cli.config.folders import user_folder
from flux_cli.config.load import USER_FILE, find_faults
from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.text import variable_text
from flux_cli.providers.rows import ROWS
from flux_cli.request.styles.presets import read_presets
from flux_cli.terminal import messages, streams
from flux_cli.terminal.question import can_ask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EDITORS = ("VISUAL", "EDITOR")
AGAIN = "flux config edit opens it again"


def run() -> None:
    """Open the file in the user's editor, and check it when the editor has ended.

    Raises UsageError without an editor or a terminal, and for what is wrong in the file.
    """
    path = user_folder() / USER_FILE
    words = _editor(path)
    refuse_read_only(path)
    if not os.path.lexists(path):
        make_starter(path)
    code = _open(words, path)
    if code:
        raise FluxError(f"{words[0]} ended with {code}; the file is {path}", hint=AGAIN)
    faults = _find_faults()
    for fault in faults[:-1]:
        messages.error(fault, verbose=False)
    if faults:
        raise UsageError(faults[-1].message, hint=faults[-1].hint or AGAIN)
    streams.say(f"{without_home(str(path))}: no faults found")


def _editor(path: Path) -> list[str]:
    """The command of the editor. Raises UsageError."""
    texts = ((name, variable_text(os.environ, name)) for name in EDITORS)
    name, text = next((one for one in texts if one[1]), ("", ""))
    if not text:
        hint = f'export EDITOR=nano (or "code --wait"), or edit {path} yourself'
        raise UsageError("no editor is set in VISUAL or EDITOR", hint=hint)
    if not can_ask():
        hint = f"edit {path} yourself, or see flux config set --help"
        raise UsageError("there is no terminal for an editor", hint=hint)
    try:
        words = shlex.split(text)
    except ValueError as fault:
        hint = f'quote it as a shell would: export {name}="code --wait"'
        raise UsageError(f"{name} cannot be read: {text!r}", hint=hint) from fault
    return words


def _open(words: Sequence[str], path: Path) -> int:
    """Run the editor until it ends, and return its exit code. Ctrl-C is for the editor."""
    try:
        process = subprocess.Popen([*words, str(path)])  # noqa: S603 - the user's own editor
    except OSError as fault:
        message = f"cannot start {words[0]}: {fault.strerror}"
        raise UsageError(message, hint=f"set EDITOR, or edit {path} yourself") from fault
    with process:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


def _find_faults() -> list[FluxError]:
    """What is wrong in settings files. Variables do not count here."""
    if faults := find_faults(ROWS, environ={}):
        return faults
    try:
        read_presets()
    except FluxError as fault:
        return [fault]
    return []
