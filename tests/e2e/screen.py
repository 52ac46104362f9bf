"""A real terminal that a test can look at: tmux draws, wraps and resizes what a program writes."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PATIENCE = 20.0  # seconds after which a test stops waiting for what should be on the screen
SETTINGS = """\
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ''
set -g history-limit 5000
"""

needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="there is no tmux to look at a screen with"
)


class Screen:
    """One program on a terminal of its own. The last line it leaves is `[exit CODE]`."""

    def __init__(
        self,
        line: list[str],
        environment: Mapping[str, str],
        *,
        width: int,
        height: int = 20,
        folder: Path,
    ) -> None:
        self._socket = str(folder / "tmux")
        settings = folder / "tmux.conf"
        settings.write_text(SETTINGS)
        inside = {
            "LC_ALL": "C.UTF-8",
            "TERM": "tmux-256color",
            "FLUX_PREVIEW": "off",
            **environment,
        }
        inside.pop("COLUMNS", None)  # this terminal has a width of its own
        words = shlex.join(["env", "-u", "TMUX", *(f"{k}={v}" for k, v in inside.items()), *line])
        shell = f'trap : INT; {words}; echo "[exit $?]"; read -r _'
        self._tmux(
            "-f", str(settings), "new-session", "-d", "-x", str(width), "-y", str(height), "sh",
            "-c", shell,
            env={name: value for name, value in inside.items() if name not in ("COLUMNS", "LINES")},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *words: str, env: Mapping[str, str] | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", self._socket, *words],
            env=env,
            check=check,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout

    @property
    def lines(self) -> list[str]:
        """What is on the screen now, without empty lines at the end."""
        return self._tmux("capture-pane", "-p").rstrip("\n").split("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def everything(self) -> list[str]:
        """What has scrolled away and what is on the screen, with wrapped lines put together."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-").rstrip().split("\n")

    @property
    def colored(self) -> str:
        """The screen with its colors, as escape codes."""
        return self._tmux("capture-pane", "-p", "-e").rstrip("\n")

    @property
    def cursor(self) -> bool:
        """Whether the cursor can be seen."""
        return self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int = 20) -> None:
        """Make the window wider or narrower.

        tmux hides a second resize from the program for 250 ms, so the program learns of it later.
        """
        time.sleep(0.3)
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def until(self, found: Callable[[str], object]) -> str:
        """The screen once it shows what a test waits for."""
        end = time.monotonic() + PATIENCE
        while not found(text := self.text):
            assert time.monotonic() < end, f"the screen still shows:\n{text}"
            time.sleep(0.02)
        return text

    def end(self) -> str:
        """The screen once the program has ended."""
        return self.until(lambda text: "[exit " in text)


def drained(master: int) -> bytes:
    """All that a terminal gets until its last writer has gone, which Linux says with an error."""
    shown = b""
    try:
        while part := os.read(master, 65536):
            shown += part
    except OSError:
        pass
    os.close(master)
    return shown
