"""Paths on a terminal are links where it has them; everything else stays as it was."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from sample_images import IMAGES

from e2e.screen import drained

LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\(.*?)\x1b\]8;;\x1b\\", re.DOTALL)
KITTY = {"TERM": "xterm-kitty", "FLUX_PREVIEW": "off"}
GENERATE = ["generate", "a fox", "--offline", "-n", "2", "-o", "a {index}%.jpg", "-a", "7:1"]


def on_terminal(words, environment, *streams):
    """What a command writes if these streams of it are a terminal."""
    master, slave = pty.openpty()
    ends = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL) | dict.fromkeys(streams, slave)
    with subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, **ends) as flux:
        os.close(slave)
        shown = drained(master).decode()
    assert flux.returncode == 0
    return shown


def address(name):
    return (Path.cwd() / name).as_uri().replace("file:///", f"file://{os.uname().nodename}/")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_paths_of_a_run_are_links(environment, command, stream):
    shown = on_terminal([command, *GENERATE], environment | KITTY, stream)
    names = ["a 1%.jpg", "a 2%.jpg"]
    assert sorted(LINK.findall(shown)) == [(address(name), name) for name in names]


@pytest.mark.parametrize(
    "line",
    [
        ["generate", "a fox", "--offline", "-o", "a b.jpg", "-a", "7:1"],
        ["convert", "fox.png", "-o", "a b.webp"],
        ["show", "fox.png"],
        ["show", "fox.png", "fox.png"],
        ["build", "--init"],
    ],
    ids=" ".join,
)
def test_a_link_changes_nothing_that_can_be_seen(environment, command, work, line):
    def shown(**variables):
        for path in work.iterdir():
            path.unlink()
        (work / "fox.png").write_bytes(IMAGES["png"])
        return on_terminal([command, *line], environment | KITTY | variables, "stdout")

    linked, plain = shown(), shown(FORCE_HYPERLINK="0")
    assert LINK.search(linked)
    assert LINK.sub(r"\2", linked) == plain
    assert "\x1b" not in plain


def test_what_is_no_path_is_no_link(environment, command, work):
    (work / "fox.png").write_bytes(IMAGES["png"])
    for line in (
        ["generate", "a fox", "--offline", "-o", "a.jpg", "-a", "7:1", "--html"],
        ["generate", "a fox", "--offline", "-o", "b.jpg", "-a", "7:1", "--json"],
        ["show", "fox.png", "--json"],
        ["sizes"],
    ):
        assert "\x1b" not in on_terminal([command, *line], environment | KITTY, "stdout")


def test_a_pipe_gets_no_link_even_if_links_are_forced(flux):
    forced = KITTY | {"FORCE_HYPERLINK": "1"}
    result = flux(*GENERATE, env=forced)
    assert result.out == "a 1%.jpg\na 2%.jpg\n"
    assert "\x1b" not in result.err
    assert flux("show", "a 1%.jpg", env=forced).lines[0] == "a 1%.jpg"
