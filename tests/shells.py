"""Shells on terminals of their own, asked after every key what stands on their line."""

import os
import pty
import select
import time
import warnings
from pathlib import Path

SCRIPTS = Path(__file__).parents[1] / "completions"
TELL = "\x18\x0c"  # Ctrl-X Ctrl-L, bound below: the line, as the shell has it
CLEAR = "\x05\x15"  # Ctrl-E Ctrl-U
ALL = {"bash": "\x1b*", "zsh": "\x18a"}  # puts every candidate on the line
ARGV = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}
START = {
    "bash": (
        "bind 'set bell-style none'",
        "bind 'set completion-query-items 0'",
        "bind 'set page-completions off'",
        r"""bind -x '"\C-x\C-l": printf "\001%s\002" "$READLINE_LINE"'""",
        "PATH=/nowhere",  # whoever starts a program is told that it is not found
    ),
    "zsh": (
        "setopt nobeep",
        "tell() { printf '\\001%s\\002' \"$BUFFER\" > /dev/tty; }",
        "zle -N tell; bindkey '^X^L' tell",
        "zle -C all complete-word _generic; bindkey '^Xa' all; LISTMAX=1000",
        "zstyle ':completion:all:*' completer _all_matches _complete",
        "zstyle ':completion:all:*' insert yes",
        "zstyle ':completion:*' list-prompt ''",
    ),
}


class Shell:
    """A shell that has run these lines in this folder."""

    def __init__(self, name: str, lines: list[str], folder: Path) -> None:
        self.all = ALL[name]
        with warnings.catch_warnings():
            # Python warns of threads. The child does nothing but become a shell.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.environ.update(
                PS1="$ ", PROMPT="$ ", TERM="dumb", HOME=str(folder), LC_ALL="C.UTF-8"
            )
            os.execvp(ARGV[name][0], ARGV[name])
        for line in (*lines, *START[name]):
            os.write(self.terminal, f"{line}\n".encode())
        os.write(self.terminal, b"echo rea''dy\n")
        self._until("ready")

    def screen(self, keys: str) -> str:
        """What the shell shows while keys are pressed, and then the line between two marks."""
        os.write(self.terminal, (keys + TELL).encode())
        seen = self._until("\x02")
        os.write(self.terminal, CLEAR.encode())
        return seen

    def line(self, keys: str) -> str:
        """The line after these keys."""
        seen = self.screen(keys)
        assert "not found" not in seen
        return seen.rpartition("\x01")[2].rpartition("\x02")[0]

    def offers(self, line: str) -> set[str]:
        """The candidates for the last word of a line."""
        found = self.line(line + self.all)
        words = [] if found == line else found[line.rfind(" ") + 1 :].split()
        return {word.rstrip("=") for word in words}  # zsh goes on behind options that take a value

    def close(self) -> None:
        """End it."""
        os.write(self.terminal, b"\x03\nexit\n")
        os.close(self.terminal)
        os.waitpid(self.child, 0)

    def _until(self, word: str, seconds: float = 20.0) -> str:
        seen, end = "", time.monotonic() + seconds
        while word not in seen:
            assert time.monotonic() < end, f"the shell does not answer: {seen!r}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                seen += os.read(self.terminal, 65536).decode("utf-8", "replace")
        return seen
