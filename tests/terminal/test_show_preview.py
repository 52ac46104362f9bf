"""When images are shown, and what flux says when they are not."""

import io
import os
import pty
import subprocess
import sys

import pytest
from PIL import Image

from flux_cli.core.errors import ConfigError
from flux_cli.terminal.preview import wants_preview

GOOD = {"TERM": "xterm-kitty"}
BLOCKS = {"TERM": "xterm-256color"}  # half blocks only
SHOW = """
import sys
from flux_cli.terminal.preview import show_preview, wants_preview
said = {"yes": True, "no": False, "unsaid": None}[sys.argv[1]]
wanted = wants_preview(said, sys.stderr, silent=False)
show_preview(sys.argv[2:], is_on=wanted, option=said)
print(wanted, *sorted({"PIL", "flux_cli.images.pixels.thumbnails"} & set(sys.modules)))
"""


@pytest.fixture
def terminal():
    ours, theirs = pty.openpty()
    with open(theirs, "w") as stream:
        yield stream
    os.close(ours)


@pytest.fixture
def fox(work):
    Image.new("RGB", (320, 180), (220, 30, 30)).save(work / "fox.png")
    return "fox.png"


@pytest.mark.parametrize(
    ("said", "silent", "environ", "wanted"),
    [
        (None, False, GOOD, True),
        (None, True, GOOD, False),
        (None, False, BLOCKS, False),
        (None, False, BLOCKS | {"COLORTERM": "truecolor"}, False),
        (None, False, BLOCKS | {"FLUX_PREVIEW": "256"}, True),
        (None, False, BLOCKS | {"FLUX_PREVIEW": "sixel"}, True),
        (
            None,
            False,
            GOOD | {"FLUX_PREVIEW": "kitty", "TMUX": "x", "TERM": "tmux-256color"},
            False,
        ),
        (True, False, BLOCKS, True),
        (None, False, GOOD | {"NO_COLOR": "1"}, False),
        (None, False, GOOD | {"NO_COLOR": ""}, True),
        (None, False, GOOD | {"CI": "true"}, False),
        (None, False, GOOD | {"CI": "false"}, True),
        (None, False, {"TERM": "dumb", "COLORTERM": "truecolor"}, False),
        (None, False, {"TERM": "linux"}, False),
        (None, False, GOOD | {"FLUX_PREVIEW": "off"}, False),
        (True, True, GOOD | {"NO_COLOR": "1", "CI": "true"}, True),
        (True, False, {"TERM": "linux"}, False),
        (False, False, GOOD, False),
        (False, False, GOOD | {"FLUX_PREVIEW": "wrong"}, False),
    ],
)
def test_images_are_shown_where_a_person_watches_unless_something_speaks_against_it(
    terminal, said, silent, environ, wanted
):
    assert wants_preview(said, terminal, silent=silent, environ=environ) is wanted


@pytest.mark.parametrize("said", [True, None])
def test_only_a_terminal_is_shown_images(said):
    closed = io.StringIO()
    closed.close()
    for stream in (io.StringIO(), closed):
        assert wants_preview(said, stream, silent=False, environ=GOOD) is False


def test_a_wrong_flux_preview_is_an_error_before_anything_is_made(terminal):
    with pytest.raises(ConfigError, match="FLUX_PREVIEW"):
        wants_preview(None, terminal, silent=False, environ=GOOD | {"FLUX_PREVIEW": "vga"})


def shown(environment, *words, tty=True, **environ):
    """What a run says on a terminal (or a pipe) that is its stderr, and on stdout."""
    ours, theirs = pty.openpty()
    environ = environment | environ
    del environ["COLUMNS"]
    run = subprocess.Popen(
        [sys.executable, "-c", SHOW, *words],
        stdout=subprocess.PIPE,
        stderr=theirs if tty else subprocess.PIPE,
        env=environ,
        text=True,
    )
    os.close(theirs)
    said = []
    if tty:
        try:
            while data := os.read(ours, 65536):
                said.append(data)
        except OSError:  # the other side has gone
            pass
    os.close(ours)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0
    text = b"".join(said).decode() if tty else err
    return out.split(), text.replace("\x1b[33mnote:\x1b[0m", "note:")


def test_an_image_is_shown_on_stderr_and_stdout_stays_clean(environment, fox):
    out, err = shown(environment, "yes", fox, TERM="xterm-256color")
    assert out == ["True", "PIL", "flux_cli.images.pixels.thumbnails"]
    assert "\u2580" in err
    assert "flux:" not in err


@pytest.mark.parametrize("said", ["no", "unsaid"])
def test_a_preview_nobody_sees_costs_nothing_and_says_nothing(environment, fox, said):
    assert shown(environment, said, fox, tty=False, TERM="xterm-256color") == (["False"], "")


def test_half_blocks_are_shown_only_to_people_who_ask_for_them(environment, fox):
    assert shown(environment, "unsaid", fox, TERM="xterm-256color") == (["False"], "")
    asked = {"TERM": "xterm-256color", "FLUX_PREVIEW": "256"}
    assert "\u2580" in shown(environment, "unsaid", fox, **asked)[1]


def test_no_preview_is_silent_on_a_terminal_too(environment, fox):
    assert shown(environment, "no", fox, TERM="xterm-256color") == (["False"], "")


@pytest.mark.parametrize(
    ("tty", "term", "reason"),
    [
        (False, "xterm-256color", "stderr is not a terminal\n"),
        (True, "linux", "this is not a terminal known to show images; set FLUX_PREVIEW to one of "),
    ],
)
def test_a_preview_that_was_asked_for_and_cannot_be_had_is_a_note(
    environment, fox, tty, term, reason
):
    out, err = shown(environment, "yes", fox, tty=tty, TERM=term)
    assert out == ["False"]
    assert err.startswith(f"flux: note: no preview: {reason}")


def test_an_image_that_cannot_be_read_is_a_note(environment, work):
    (work / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    out, err = shown(environment, "yes", "bad.png", TERM="xterm-256color")
    assert out[0] == "True"
    assert err.startswith("flux: note: no preview: bad.png ")


def test_images_left_out_of_a_preview_are_counted(environment, fox):
    err = shown(environment, "yes", *[fox] * 40, TERM="xterm-256color")[1]
    assert err.rstrip().endswith("flux: note: the preview shows the first 20 of 40")
