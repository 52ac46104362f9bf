"""Opens image files in the viewer that the user has chosen for them: the system knows which.

`typer.launch` and `webbrowser` do the same for addresses. For files, they let the viewer write into
the terminal, do not tell whether it has started, and find none on Windows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.images.formats import BY_SUFFIX, FORMATS, split_suffix

MOST_FILES = 10  # opened at once: each may be a window
PATIENCE = 1.0  # seconds in which a program that finds no viewer has ended
WINDOWS_SHELL = "explorer"  # it is part of Windows, and opens files by a call
# The programs that know the user's viewers, and the variable that says that they can work.
OPENERS = (
    ("wslview", "WSL_DISTRO_NAME"),
    ("termux-open", "TERMUX_VERSION"),
    ("xdg-open", "WAYLAND_DISPLAY"),
    ("xdg-open", "DISPLAY"),
)
IN_TERMINAL = "show it in the terminal instead: flux show FILE --preview"


def check_files(paths: Sequence[str]) -> None:
    """Raise UsageError if these are not a few image files by their names.

    The suffix decides which program opens a file: one that begins like an image may go on as a
    script.
    """
    if len(paths) > MOST_FILES:
        message = f"--open opens at most {MOST_FILES} images, not {len(paths)}"
        raise UsageError(message, hint="name fewer files")
    for path in paths:
        if path == "-":
            raise UsageError("--open cannot open standard input", hint="name a file")
        if split_suffix(path)[1].lower() not in BY_SUFFIX:
            hint = f"give it the suffix of its format: {', '.join(FORMATS)}"
            raise UsageError(
                f"--open cannot open {path}: its name is not that of an image", hint=hint
            )


def find_opener(platform: str = sys.platform, environ: Mapping[str, str] | None = None) -> str:
    """The program that opens files in the user's viewer. Raises FluxError if there is none."""
    environ = os.environ if environ is None else environ
    if platform == "win32":
        return WINDOWS_SHELL
    names = [name for name, variable in OPENERS if environ.get(variable)]
    if platform == "darwin":
        names = ["open"]
    if not names:
        raise FluxError("cannot open an image: there is no display", hint=IN_TERMINAL)
    found = filter(None, (shutil.which(name, path=environ.get("PATH")) for name in names))
    opener = next(found, None)
    if opener is None:
        hint = f"install xdg-utils, or {IN_TERMINAL}"
        raise FluxError(f"cannot open an image: there is no {names[-1]}", hint=hint)
    return opener


def open_files(
    paths: Sequence[str], opener: str, patience: float = PATIENCE
) -> dict[str, FluxError]:
    """Open files in the user's viewer, and return the failures of `patience` seconds by path.

    The viewer goes on when flux has ended, and does not write into the terminal.
    """
    failures: dict[str, FluxError] = {}
    started: dict[str, subprocess.Popen[bytes]] = {}
    for path in dict.fromkeys(paths):
        try:
            if process := _start(opener, str(Path(path).absolute())):
                started[path] = process
        except OSError as fault:
            failures[path] = _failure(path, fault.strerror or str(fault))
    end = time.monotonic() + patience
    for path, process in started.items():
        try:
            code = process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:  # the program is itself the viewer, or starts it
            continue
        if code:
            failures[path] = _failure(path, f"{Path(opener).name} ended with {code}")
    return failures


def _start(opener: str, path: str) -> subprocess.Popen[bytes] | None:
    """Open a file. No shell reads its name, and an absolute path is neither option nor URL."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 - Windows knows the viewer
        return None
    return subprocess.Popen(  # noqa: S603 - a program of the system
        [opener, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the shell does not close it
    )


def _failure(path: str, reason: str) -> FluxError:
    return FluxError(f"cannot open {path} in a viewer: {reason}", hint=IN_TERMINAL)
