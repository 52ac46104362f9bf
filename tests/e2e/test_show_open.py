"""`flux show --preview` and `--open`: the terminal shows the image, or the system's viewer does."""

import json
import os
import pty
import subprocess
import time
from pathlib import Path

import pytest
from sample_images import IMAGES

from e2e.screen import PATIENCE, drained
from flux_cli.core.errors import FluxError
from flux_cli.terminal.viewer import find_opener, open_files

# Writes what it was started with into a file, and litters, as some viewers do.
OPENER = """\
#!/usr/bin/env python3
import json, os, sys
print("litter", flush=True)
print("litter", file=sys.stderr)
assert sys.stdin.read() == ""
assert os.getsid(0) == os.getpid()
with open(os.environ["OPENED"], "a") as file:
    print(json.dumps([*map(os.fsencode, sys.argv[1:])], default=list), file=file)
"""


def program(path, text):
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def desktop(environment, tmp_path):
    """The variables of a session with a display, whose `xdg-open` is OPENER."""
    program(tmp_path / "xdg-open", OPENER)
    path = f"{tmp_path}:{environment['PATH']}"
    return {"DISPLAY": ":7", "PATH": path, "OPENED": str(tmp_path / "opened")}


def opened(desktop, count):
    """What each of `count` programs got. They may begin after `flux` has ended."""
    path, end = Path(desktop["OPENED"]), time.monotonic() + PATIENCE
    while not path.exists() or path.read_text().count("\n") < count:
        assert time.monotonic() < end, "a program was not started"
        time.sleep(0.02)
    return sorted(list(map(bytes, json.loads(line))) for line in path.read_text().splitlines())


def put(name, data=IMAGES["png"]):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(data)
    return name


@pytest.mark.parametrize(
    "name",
    [
        "fox.png",
        "--help.png",
        "https:/host/x.png",
        "$(touch x);`touch x`.png",
        "'\"\n\x1b[2J* .PNG",
        "\udcff狐.jpeg",
    ],
)
def test_the_viewer_gets_the_absolute_path_and_nothing_else(flux, desktop, work, name):
    put(name)
    result = flux("show", "--open", "--", name, env=desktop)
    assert (result.code, result.err) == (0, "")
    assert "litter" not in result.out
    assert opened(desktop, 1) == [[os.fsencode(work / name)]]
    assert not Path("x").exists()


def test_every_image_is_opened_once_and_what_is_no_image_is_not(flux, desktop, work):
    put("a.png")
    put("b.webp", IMAGES["webp lossy"])
    put("text.png", b"#!/bin/sh\n")
    result = flux("show", "a.png", "text.png", "b.webp", "a.png", "--open", env=desktop)
    assert result.code == 3
    assert "text.png is not an image" in result.err
    assert opened(desktop, 2) == [[os.fsencode(work / "a.png")], [os.fsencode(work / "b.webp")]]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["fox.png", "fox.desktop"], "fox.desktop: its name is not that of an image"),
        (["fox"], "fox: its name is not that of an image"),
        (["fox.png", "-"], "--open cannot open standard input"),
        (["fox.png"] * 11, "--open opens at most 10 images, not 11"),
    ],
)
def test_what_must_not_be_opened_is_refused_before_anything_is(flux, desktop, names, reason):
    for name in {*names} - {"-"}:
        put(name)
    result = flux("show", *names, "--open", env=desktop)
    assert (result.code, result.out) == (2, "")
    assert not Path(desktop["OPENED"]).exists()
    assert reason in result.err
    assert "\nhint: " in result.err


def test_an_opener_that_does_not_start_is_an_error_and_the_image_is_shown_all_the_same(
    flux, desktop, tmp_path
):
    program(tmp_path / "xdg-open", "#!/nonexistent/shell\n")
    put("fox.png")
    result = flux("show", "fox.png", "--open", env=desktop)
    assert (result.code, result.lines[0]) == (1, "fox.png")
    assert result.err.splitlines() == [
        "flux: error: cannot open fox.png in a viewer: No such file or directory",
        "hint: show it in the terminal instead: flux show FILE --preview",
    ]
    document = flux("show", "fox.png", "--open", "--json", env=desktop).json
    assert (document["status"], document["errors"][0]["path"]) == ("failed", "fox.png")


def test_an_opener_that_finds_no_viewer_is_an_error(tmp_path):
    program(tmp_path / "xdg-open", "#!/bin/sh\ncase $1 in */fox.png) exit 3;; esac\n")
    failures = open_files(["fox.png", "owl.png"], str(tmp_path / "xdg-open"), PATIENCE)
    assert [(path, error.message) for path, error in failures.items()] == [
        ("fox.png", "cannot open fox.png in a viewer: xdg-open ended with 3")
    ]


def test_a_viewer_that_stays_open_does_not_hold_the_shell(flux, desktop, tmp_path):
    """The viewer ends when the test says so, which is after `flux` has."""
    os.mkfifo(tmp_path / "close")
    program(tmp_path / "xdg-open", f"#!/bin/sh\nread -r _ < '{tmp_path}/close'\n")
    put("fox.png")
    assert flux("show", "fox.png", "--open", env=desktop).code == 0
    with open(tmp_path / "close", "w") as close:  # waits for a reader: the viewer
        close.write("\n")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"DISPLAY": ""}, "there is no display"),
        ({"PATH": "/nonexistent"}, "there is no xdg-open"),
    ],
)
def test_without_a_viewer_it_is_said_in_one_sentence(flux, desktop, variables, reason):
    put("fox.png")
    result = flux("show", "fox.png", "--open", env=desktop | variables)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"flux: error: cannot open an image: {reason}\nhint: ")


@pytest.mark.parametrize(
    ("platform", "variables", "programs", "found"),
    [
        ("linux", ["WAYLAND_DISPLAY"], ["xdg-open"], "xdg-open"),
        ("freebsd14", ["DISPLAY"], ["xdg-open", "open"], "xdg-open"),
        ("linux", ["WSL_DISTRO_NAME"], ["wslview", "xdg-open"], "wslview"),
        ("linux", ["WSL_DISTRO_NAME", "DISPLAY"], ["xdg-open"], "xdg-open"),
        ("linux", ["TERMUX_VERSION"], ["termux-open"], "termux-open"),
        ("darwin", [], ["open", "xdg-open"], "open"),
        ("win32", [], [], "explorer"),
        ("linux", [], ["xdg-open"], None),
        ("linux", ["WSL_DISTRO_NAME"], ["xdg-open"], None),
    ],
)
def test_each_system_has_a_program_that_knows_the_viewer(
    tmp_path, platform, variables, programs, found
):
    for name in programs:
        program(tmp_path / name, "")
    environ = {"PATH": str(tmp_path)} | dict.fromkeys(variables, "1")
    if found is None:
        with pytest.raises(FluxError):
            find_opener(platform, environ)
    else:
        assert Path(find_opener(platform, environ)).name == found


@pytest.mark.parametrize(
    ("term", "start"), [("xterm-256color", "\x1b[38;5;"), ("xterm-kitty", "\x1b_Ga=T,")]
)
@pytest.mark.parametrize("source", ["fox.png", "-"])
def test_a_preview_is_drawn_on_stderr_and_stdout_stays_the_same(
    environment, command, flux, term, start, source
):
    put("fox.png")
    plain = flux("show", source, input=IMAGES["png"])
    master, slave = pty.openpty()
    with subprocess.Popen(
        [command, "show", source, "--preview"],
        env=environment | {"TERM": term},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=slave,
    ) as shown:
        os.close(slave)
        shown.stdin.write(IMAGES["png"])
        shown.stdin.close()
        drawn = drained(master).decode()
        out = shown.stdout.read()
    assert (shown.returncode, out) == (0, plain.raw)
    assert drawn.startswith(start)


def test_a_preview_in_a_pipe_is_a_note(flux):
    put("fox.png")
    result = flux("show", "fox.png", "--preview")
    assert (result.code, result.out) == (0, flux("show", "fox.png").out)
    assert result.err == "flux: note: no preview: stderr is not a terminal\n"


def test_no_preview_of_what_is_no_image(flux):
    put("text.png", b"text")
    result = flux("show", "text.png", "--preview")
    assert result.code == 2
    assert "preview" not in result.err
