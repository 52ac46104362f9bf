"""What a person sees while images are made, read from the screen of a real terminal."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.gateway import by_seed, held, image, status, together
from fakes.images import pixels_as

from e2e.screen import Screen, needs_tmux

pytestmark = [pytest.mark.slow, needs_tmux]
WIDTHS = (40, 80, 200)
FRAME = re.compile(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", re.MULTILINE)


@pytest.fixture
def screen(command, keyed, tmp_path):
    """Run `flux generate` on a terminal: `with screen("a fox", "-n", "3", width=40) as shown:`."""

    def run(*words, width=80, height=20, **variables):
        return Screen(
            [command, "generate", *words],
            keyed | variables,
            width=width,
            height=height,
            folder=tmp_path,
        )

    return run


def rows(text):
    """The lines of calls under way."""
    return [line for line in text.splitlines() if FRAME.match(line)]


LOOKUPS = (
    "providers",
    "providers bfl",
    "config",
    "sizes",
    "models",
    "resolve -a 7:1 --raw",
    "help environment",
    "help",
    "generate -h",
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("line", LOOKUPS)
def test_what_is_looked_up_fits_the_terminal_and_is_whole_in_a_pipe(
    flux, command, environment, tmp_path, line, width
):
    piped = flux(*line.split(), env={"FLUX_PREVIEW": "off"})
    with Screen(
        [command, *line.split()], environment, width=width, height=200, folder=tmp_path
    ) as shown:
        shown.end()
        lines = shown.everything
    assert lines[-1] == "[exit 0]"
    if line.startswith("resolve"):
        lines = lines[3:-2]  # the table between what is to be copied and what to expect
    assert [one for one in lines if len(one) > width and len(one.split()) > 1] == []
    words = {word for one in lines[:-1] for word in one.split()} - {"\\"}
    assert words <= set(piped.out.split())
    if max(map(len, piped.lines)) <= width and not line.endswith(
        "-h"
    ):  # the folders of a test can be long
        assert "\n".join(lines[:-1]) in piped.out


@pytest.mark.parametrize("width", WIDTHS)
def test_a_call_under_way_has_one_line_with_state_time_and_prompt(screen, gateway, release, width):
    gateway.answers(held(release))
    with screen("a red fox in the snow under a very large winter moon", width=width) as shown:
        text = shown.until(lambda text: "drawing" in text)
        (line,) = text.splitlines()
        assert re.match(r"^. +\d+\.\d s  drawing  a red fox", line)
        assert len(line) < width
        assert line.endswith("…") == (width < 80)
        release.set()
        assert shown.end().splitlines()[0].startswith("✓ 1024x1024 jpeg")
        assert FRAME.search(shown.text) is None


def test_the_second_image_says_how_long_the_first_one_took(screen, generate, gateway, release):
    assert generate("a fox", "--seed", "1").code == 0
    gateway.answers(held(release))
    with screen("a fox", "--seed", "2") as shown:
        shown.until(lambda text: re.search(r"\d\.\d s(,| of) .*about \d+ s  drawing  a fox", text))
        release.set()
        assert FRAME.search(shown.end()) is None


def test_paths_and_the_summary_are_below_the_preview(screen):
    with screen("a fox", "-n", "2", "--seed", "1", "--preview", FLUX_PREVIEW="256") as shown:
        shown.end()
        *_, above, first, second, summary, _ = shown.everything
    assert "\u2580" in above
    assert (first, second) == ("a-fox-1.jpg", "a-fox-2.jpg")
    assert summary.startswith("flux: 2 saved, 0.12 USD")


@pytest.mark.parametrize("width", [60, 120])
def test_many_conversions_have_a_bar_that_an_interrupt_erases(command, keyed, tmp_path, width):
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(pixels_as("png", 1200, 900, number))
    line = ["sh", "-c", f"cd {tmp_path}; {command} convert *.png -f avif --effort small"]
    with Screen(line, keyed, width=width, folder=tmp_path) as shown:
        text = shown.until(lambda text: re.search("━ [1-9]/12 done", text))
        bar = next(one for one in text.splitlines() if "/12 done" in one)
        assert len(bar.split()[0]) == (width - 1) // 6
        assert len(bar) < width
        shown.press("C-c")
        last = shown.end()
    assert "[exit 130]" in last
    assert not re.search("[━⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", last)
    made = sorted(path.stem for path in tmp_path.glob("*.avif"))
    assert 0 < len(made) < 12
    assert len(re.findall(r"^✓ +\d+/12 ", last, re.MULTILINE)) == len(made)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".flux")] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_many_calls_have_a_line_each_and_a_summary_that_fits(screen, gateway, release, width):
    slow = status(429, message="slow down, please, there are too many of you", retry_after="60")
    refused = status(400, "INVALID_REQUEST", "this is not what anybody draws")
    gateway.answers(by_seed({1: image(), 2: refused, 3: slow}, otherwise=held(release)))
    with screen("a fox", "-n", "6", "--seed", "1", "--retries", "1", width=width) as shown:
        text = shown.until(
            lambda text: len(rows(text)) == 4 and "2/6 done" in text and "waiting" in text
        )
        assert [re.match(r"^. (\d/6) ", line)[1] for line in rows(text)] == [
            "3/6",
            "4/6",
            "5/6",
            "6/6",
        ]
        summary = text.splitlines()[-1]
        assert re.match("[━╺╸]{6,30} 2/6 done · ", summary)
        assert "1 failed" in summary
        assert "0.06 USD" in summary
        assert ("4 running" in summary) == (width >= 80)
        assert all(len(line) < width for line in [*rows(text), summary])
        waiting = rows(text)[0]
        assert "waiting" in waiting
        assert ("too many of you" in waiting) == (width == 200)
        assert shown.text.count("✗ 2/6") == 1
        shown.press("C-c")
        shown.end()


@pytest.mark.parametrize("width", WIDTHS)
def test_of_hundreds_of_calls_some_rows_are_shown_and_the_summary_counts_all(
    screen, gateway, release, width
):
    gateway.answers(held(release))
    line = ("a fox", "-n", "300", "--concurrency", "200", "--seed", "1", "--yes")
    with screen(*line, width=width) as shown:
        text = shown.until(lambda text: len(gateway.posts) == 200 and len(rows(text)) == 12)
        assert len(text.splitlines()) == 13
        assert re.match("━+ 0/300 done · 200 running", text.splitlines()[-1])
        shown.press("C-c")
        assert "[exit 130]" in shown.end()


def test_a_low_terminal_shows_fewer_rows_and_keeps_the_summary(screen, gateway, release):
    gateway.answers(held(release))
    with screen("a fox", "-n", "9", height=6) as shown:
        text = shown.until(lambda text: "9 running" in text)
        assert len(rows(text)) == 4
        assert re.match("━+ 0/9 done", text.splitlines()[-1])
        shown.press("C-c")
        shown.end()


def new_frame(shown: Screen) -> str:
    """The screen as soon as it has been drawn again."""
    frame = rows(shown.text)[-1][0]
    return shown.until(lambda text: len(rows(text)) == 4 and rows(text)[-1][0] != frame)


@pytest.mark.parametrize("widths", [(200, 80, 40), (40, 200), (80, 40, 80, 40, 200, 40)], ids=str)
def test_a_resize_leaves_nothing_behind(screen, gateway, release, widths):
    """Whatever the widths, every line is there once: nothing wrapped stays, nothing is lost.

    Each resize follows a new frame at once. A frame that is on its way just then is drawn for the
    width before; no program can know.
    """
    slow = status(
        429, message="slow down, please, there are far too many of you here today", retry_after="60"
    )
    under_way = {seed: held(release) for seed in (14, 15, 16)}
    gateway.answers(by_seed({13: slow, **under_way}))
    with screen("a fox", "-n", "16", "--seed", "1", "--json", width=widths[0]) as shown:
        shown.until(lambda text: "12/16 done" in text and "waiting" in text)
        for width in widths[1:]:
            new_frame(shown)
            shown.resize(width)
            text = new_frame(shown)
            assert all(len(line) <= width for line in text.splitlines())
        lines = shown.everything
        for number in range(1, 13):
            assert (
                sum(line.startswith(f"✓ {number:>2}/16 a-fox-{number}.jpg") for line in lines) == 1
            )
        assert [line[2:7] for line in lines if FRAME.match(line)] == [
            "13/16",
            "14/16",
            "15/16",
            "16/16",
        ]
        assert sum("12/16 done" in line for line in lines) == 1
        assert len(lines) == 12 + 4 + 1
        shown.press("C-c")
        shown.end()


def test_ctrl_c_clears_the_moving_lines_and_gives_the_cursor_back(screen, gateway, release):
    gateway.answers(by_seed({1: image()}, otherwise=held(release)))
    with screen("a fox", "-n", "3", "--seed", "1") as shown:
        shown.until(lambda text: "1/3 done" in text and len(rows(text)) == 2)
        assert not shown.cursor
        shown.press("C-c")
        text = shown.end()
        assert shown.cursor
        assert rows(text) == []
        assert "running" not in text
        assert text.count("a-fox-1.jpg") == 1
        assert "interrupted" in text
        assert "[exit 130]" in text


def test_cost_and_time_left_are_shown_while_many_images_are_made(screen, gateway, release):
    first = together(2)
    answers = iter([first, first])
    gateway.answers(lambda _request: next(answers, None) or held(release))
    with screen("a fox", "-n", "20", "--concurrency", "2", "--seed", "1", width=100) as shown:
        text = shown.until(lambda text: "2/20 done" in text)
        assert "0.12 USD" in text.splitlines()[-1]
        shown.press("C-c")
        shown.end()


COLOR = re.compile(r"\x1b\[(?:\d+;)*3[0-7]")


@pytest.mark.parametrize(
    ("variables", "colored"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, True),
    ],
    ids=str,
)
def test_colors_are_left_out_where_they_are_not_wanted_and_the_lines_still_move(
    screen, gateway, release, variables, colored
):
    gateway.answers(by_seed({1: image()}, otherwise=held(release)))
    with screen("a fox", "-n", "2", "--seed", "1", **variables) as shown:
        shown.until(lambda text: "1/2 done" in text)
        assert bool(COLOR.search(shown.colored)) == colored
        assert len(rows(shown.text)) == 1
        release.set()
        shown.end()


PLAIN = {
    "a dumb terminal": ((), {"TERM": "dumb"}, False),
    "a dumb terminal with forced colors": ((), {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    "CI": ((), {"CI": "true"}, False),
    "CI with forced colors": ((), {"CI": "true", "FORCE_COLOR": "1"}, True),
    "asked for by the option": (("--progress", "plain"), {}, True),
    "asked for without colors": (("--progress", "plain"), {"NO_COLOR": "1"}, False),
    "asked for by the variable": ((), {"FLUX_PROGRESS": "plain"}, True),
    "the option wins": (("--progress", "plain"), {"FLUX_PROGRESS": "none"}, True),
}


@pytest.mark.parametrize(("words", "variables", "colored"), PLAIN.values(), ids=PLAIN)
def test_plain_progress_is_lines_that_stay(screen, gateway, words, variables, colored):
    gateway.answers(by_seed({2: status(400, "INVALID_REQUEST", "no such thing")}))
    with screen("a fox", "-n", "2", "--seed", "1", *words, width=200, **variables) as shown:
        shown.end()
        assert bool(COLOR.search(shown.colored)) == colored
        lines = shown.lines
        assert (
            sum(
                line.startswith("flux: [1/2] saved a-fox-1.jpg (1024x1024 jpeg, ") for line in lines
            )
            == 1
        )
        assert sum(line.startswith("flux: [2/2] failed: ") for line in lines) == 1


def test_progress_none_says_nothing_of_what_goes_well(screen):
    with screen("a fox", "-n", "2", "--seed", "1", "--progress", "none") as shown:
        assert shown.end().splitlines() == ["a-fox-1.jpg", "a-fox-2.jpg", "[exit 0]"]


def test_a_terminal_without_unicode_gets_ascii(screen, gateway, release):
    gateway.answers(by_seed({1: image()}, otherwise=held(release)))
    with screen(
        "a fox", "-n", "2", "--seed", "1", PYTHONIOENCODING="latin-1", PYTHONUTF8="0"
    ) as shown:
        text = shown.until(lambda text: "1/2 done" in text and "+ 1/2" in text)
        assert text.isascii()
        assert text.splitlines()[0].startswith("+ 1/2 ")
        assert re.match(r"[- ]+ 1/2 done - 1 running", text.splitlines()[-1])
        release.set()
        shown.end()


def test_verbose_shows_steps_and_request_ids_above_the_moving_lines(screen):
    with screen("a fox", "--seed", "1", "--verbose", width=100) as shown:
        first, second, third = shown.end().splitlines()[:3]
        assert first == "  sent"
        assert re.match(r"  received \d+ kB, 0\.06 USD after \d\.\d s, request req_1$", second)
        assert re.match(r"✓ 1024x1024 jpeg, \d+ kB, 0\.06 USD  \d\.\d s  req_1$", third)


def test_a_terminal_that_goes_away_takes_no_image_with_it(command, keyed, gateway, release):
    """As under nohup: the window is closed while the provider works, and the hang-up is ignored."""
    gateway.answers(held(release))
    master, slave = pty.openpty()
    with subprocess.Popen(
        [
            "sh",
            "-c",
            'trap "" HUP; exec "$@"',
            "sh",
            command,
            "generate",
            "a fox",
            "-n",
            "2",
            "--seed",
            "7",
        ],
        env=keyed | {"TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
    ) as flux:
        os.close(slave)
        shown = b""
        while b"drawing" not in shown:
            shown += os.read(master, 65536)
        os.close(master)
        release.set()
        out, _ = flux.communicate(timeout=30)
    assert (flux.returncode, out) == (0, b"a-fox-7.jpg\na-fox-8.jpg\n")
    assert sorted(path.name for path in Path().iterdir()) == ["a-fox-7.jpg", "a-fox-8.jpg"]


def test_the_screens_in_the_readme_are_what_the_command_shows():
    """But for times and sizes; scripts/screens.py makes them anew."""
    script = Path(__file__).parents[2] / "scripts" / "screens.py"
    done = subprocess.run(
        [sys.executable, script, "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_conversions_show_sizes_and_what_is_left(command, keyed, tmp_path):
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(pixels_as("png", 1600, 1200, number))
    names = [str(tmp_path / f"{number}.png") for number in range(6)]
    line = [command, "convert", *names, "-f", "avif", "--effort", "small"]
    with Screen(line, keyed, width=300, folder=tmp_path) as shown:
        shown.until(lambda text: "converting" in text and "/6 done" in text)
        last = shown.end()
    lines = re.findall(r"✓ \d/6 .*/\d\.png -> .*/\d\.avif  \d+ kB -> \d+ kB  \d", last)
    assert len(lines) == 6
