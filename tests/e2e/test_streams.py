"""stdout is data and stderr is everything else, whatever either of them is connected to."""

import os
import pty
import re
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from fakes.gateway import by_seed, image, status
from fakes.images import look, pixels_as
from fakes.server import hang_up

from e2e.conftest import KEY
from e2e.screen import drained

pytestmark = pytest.mark.slow


def shell(line: str, environment: dict[str, str], **more) -> subprocess.CompletedProcess[bytes]:
    """A line of bash, where `flux` is the installed command."""
    done = subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, check=False, timeout=60, **more
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert KEY.encode() not in done.stdout + done.stderr
    return done


@pytest.fixture
def installed(keyed, command):
    return keyed | {"PATH": f"{Path(command).parent}:{keyed['PATH']}"}


def test_stdout_has_the_paths_and_nothing_else(generate):
    result = generate("a fox", "-n", "3", "--seed", "7", "-a", "7:1", "--enhance-prompt")
    assert result.out == "a-fox-7.jpg\na-fox-8.jpg\na-fox-9.jpg\n"
    assert result.err != ""


def test_with_json_stdout_is_one_document(generate):
    assert generate("a fox", "-n", "3", "-a", "7:1", "--json").json["status"] == "ok"


@pytest.mark.parametrize(
    "variables",
    [{"TERM": "xterm-256color"}, {"FORCE_COLOR": "0"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}],
    ids=str,
)
def test_no_escape_codes_go_into_a_pipe_unasked(generate, variables):
    result = generate("a fox", "-a", "7:1", "-n", "2", env=variables)
    assert "flux: note: " in result.err
    assert "\x1b" not in result.out + result.err


SGR = re.compile(rb"\x1b\[[0-9;]*m")


def test_forced_colors_go_into_a_pipe_change_no_word_and_move_nothing(installed, gateway):
    gateway.answers(by_seed({2: status(400, "INVALID_REQUEST", "no")}))
    line = "flux generate 'a fox' -n 2 --seed 1 -a 7:1 -o '{seed}.jpg'"
    plain = shell(f"{line} --dry-run", installed).stderr
    forced = shell(f"{line} --dry-run", installed | {"FORCE_COLOR": "1"}).stderr
    assert SGR.sub(b"", forced) == plain != forced
    done = shell(line, installed | {"FORCE_COLOR": "1", "GITHUB_ACTIONS": "true", "CI": "true"})
    assert (done.returncode, done.stdout) == (3, b"1.jpg\n")
    for word in (b"\x1b[33mnote:", b"\x1b[32msaved", b"\x1b[31mfailed:", b"\x1b[31merror:"):
        assert word in done.stderr
    assert b"\x1b" not in SGR.sub(b"", done.stderr)
    assert b"\n::error title=flux::" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "generate 'a fox' --json",
        "sizes",
        "resolve 'a fox'",
        "sizes --json",
        "models",
        "generate --help",
        "help",
    ],
)
def test_data_and_tables_are_never_colored(installed, line):
    assert b"\x1b" not in shell(f"flux {line}", installed | {"FORCE_COLOR": "1"}).stdout


@pytest.mark.parametrize(
    "line", [["sizes"], ["resolve", "a fox"], ["models"], ["generate", "--help"]], ids=" ".join
)
def test_tables_have_no_colors_on_a_terminal_either(keyed, command, line):
    master, slave = pty.openpty()
    with subprocess.Popen(
        [command, *line], env=keyed | {"TERM": "xterm-256color"}, stdout=slave, stderr=slave
    ) as flux:
        os.close(slave)
        shown = drained(master)
    assert (flux.returncode, b"\x1b" in shown, shown != b"") == (0, False, True)


def test_without_a_terminal_the_log_has_a_line_an_image(generate):
    result = generate("a fox", "-n", "2", "--seed", "7", "-o", "{seed}.jpg")
    saved = sorted(line for line in result.err.splitlines() if "] saved" in line)
    assert [line.split(" (")[0] for line in saved] == [
        "flux: [1/2] saved 7.jpg",
        "flux: [2/2] saved 8.jpg",
    ]
    assert "1024x1024 jpeg" in saved[0]


def test_several_images_end_with_their_sum_and_one_does_not(generate):
    assert re.fullmatch(
        r"flux: 2 saved, 0\.12 USD, \d+ s", generate("a fox", "-n", "2").err.splitlines()[-1]
    )
    assert not re.search(r"^flux: 1 saved", generate("a fox").err, re.MULTILINE)
    assert generate("a fox", "-n", "2", "--seed", "7", "--progress", "none").err == ""


def test_quiet_says_nothing_but_the_paths(generate):
    result = generate("a fox", "-a", "7:1", "--enhance-prompt", "-n", "2", "--seed", "7", "--quiet")
    assert (result.code, result.out, result.err) == (0, "a-fox-7.jpg\na-fox-8.jpg\n", "")


def test_quiet_still_says_errors(generate, gateway):
    gateway.answers(status(429, retry_after="0"), hang_up)
    result = generate("a fox", "--quiet")
    assert result.code == 1
    assert result.err.startswith("flux: error: ")


def test_head_takes_the_first_path_and_all_images_are_saved(installed):
    done = shell("set -o pipefail; flux generate -n 3 --seed 7 'a fox' | head -1", installed)
    assert (done.returncode, done.stdout) == (0, b"a-fox-7.jpg\n")
    assert all(look(f"a-fox-{seed}.jpg")[0] == "jpeg" for seed in (7, 8, 9))


READERS_THAT_GO = {
    "paths": "generate -n 3 --seed 7 'a fox'",
    "json": "generate -n 3 --seed 7 'a fox' --json",
    "image": "generate 'a fox' -o -",
    "dry run": "generate 'a fox' --dry-run",
    "sizes": "sizes",
    "resolve": "resolve 'a fox'",
    "models": "models flux1.1-pro-ultra",
    "config": "config",
    "help": "generate --help",
    "version": "--version",
}


@pytest.mark.parametrize("line", READERS_THAT_GO.values(), ids=READERS_THAT_GO)
def test_a_reader_that_goes_away_is_no_error(installed, line):
    done = shell(f"flux {line} | true; exit ${{PIPESTATUS[0]}}", installed)
    assert done.returncode == 0
    assert b"rror" not in done.stderr


UNWRITABLE = [">&-", *([">/dev/full"] if Path("/dev/full").exists() else [])]


@pytest.mark.parametrize("to", UNWRITABLE)
@pytest.mark.parametrize(
    "line", [line for name, line in READERS_THAT_GO.items() if name != "image"]
)
def test_a_stdout_that_takes_nothing_is_an_error_in_one_line(installed, line, to):
    done = shell(f"flux {line} {to}", installed)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if b"rror" in line]
    assert [line.partition(b"output")[0] for line in said] == [
        b"flux: error: cannot write to standard "
    ]


@pytest.mark.parametrize("to", UNWRITABLE)
def test_images_are_saved_whole_although_stdout_takes_nothing_and_it_is_said(installed, to):
    done = shell(f"flux generate -n 3 --seed 7 'a fox' -f webp --quiet {to}", installed)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.partition(b"; ")[2]) == (1, b"saved: a-fox-7.webp and 2 more")
    assert sorted(map(look, map(str, Path().iterdir()))) == 3 * [("webp", (1024, 1024))]
    done = shell(f"flux convert a-fox-7.webp -f png --quiet {to}", installed)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.partition(b"; ")[2]) == (1, b"saved: a-fox-7.png")


@pytest.mark.parametrize("to", UNWRITABLE)
def test_a_stdout_that_takes_nothing_hides_no_other_failure(installed, gateway, to):
    gateway.answers(by_seed({8: status(400, "INVALID_REQUEST", "no")}))
    done = shell(f"flux generate -n 3 --seed 7 'a fox' {to}", installed)
    assert done.returncode == 3  # what failed first is said first
    assert b"flux: error: the provider refused with INVALID_REQUEST: no" in done.stderr
    assert b"flux: 2 saved, 1 failed, 0.12 USD" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(b"; saved: a-fox-7.jpg and 1 more")


@pytest.mark.parametrize("closed", [">&- 2>&-", "<&- >&- 2>&-", "2>&-", "<&- 2>&-", "<&-"])
def test_whatever_is_closed_no_image_is_lost_and_no_file_takes_the_place_of_a_stream(
    installed, closed
):
    done = shell(f"flux generate 'a fox' -n 2 --seed 7 --log-file run.log {closed}", installed)
    assert done.returncode == (1 if ">&-" in closed.replace("2>&-", "") else 0)
    assert sorted(path.name for path in Path().iterdir()) == [
        "a-fox-7.jpg",
        "a-fox-8.jpg",
        "run.log",
    ]
    assert look("a-fox-7.jpg") == look("a-fox-8.jpg") == ("jpeg", (1024, 1024))
    assert all(line.startswith("{") for line in Path("run.log").read_text().splitlines())


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="no /proc tells which files a process has open"
)
@pytest.mark.parametrize("closed", [">&- 2>&-", "<&- >&- 2>&-", "<&- 2>&-", "<&- >&-"])
def test_a_closed_stream_is_nobody_s_file(installed, gateway, closed):
    """Libraries write to 1 and 2 whatever is there: it must be neither the log nor an image."""
    seen = []

    def look_at(_request):
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if b"a-fox-of-its-own" in (process / "cmdline").read_bytes().split(b"\0"):
                    seen.append([str((process / "fd" / number).readlink()) for number in "12"])
        return image()

    gateway.answers(look_at)
    shell(f"flux generate a-fox-of-its-own --seed 7 --log-file run.log {closed}", installed)
    assert seen
    closes = {">&-": 0, "2>&-": 1}
    assert all(
        streams[closes[one]] == "/dev/null"
        for streams in seen
        for one in closed.split()
        if one in closes
    )


@pytest.mark.parametrize("to", UNWRITABLE)
@pytest.mark.parametrize("more", ["", "--json"])
def test_what_failed_first_gives_the_exit_code(installed, gateway, to, more):
    gateway.answers(status(400, "CONTENT_POLICY_VIOLATION"))
    assert shell(f"flux generate 'a fox' {more} {to}", installed).returncode == 5


def test_bytes_to_a_closed_stdout_are_refused_before_anything_is_paid(installed, gateway):
    done = shell("flux generate 'a fox' -o - >&-", installed)
    assert (done.returncode, gateway.requests) == (2, [])
    assert b"closed" in done.stderr
    assert shell("flux convert fox.png -o - >&-", installed).returncode == 2


def test_a_closed_stderr_is_no_error(installed):
    done = shell("flux generate 'a fox' --seed 7 -a 7:1 2>&-", installed)
    assert (done.returncode, done.stdout) == (0, b"a-fox-7.jpg\n")


def test_failures_keep_their_exit_code_without_any_stream(installed, gateway):
    gateway.answers(status(400, "CONTENT_POLICY_VIOLATION"))
    assert shell("flux generate 'a fox' <&- >&- 2>&-", installed).returncode == 5


def test_a_full_disk_behind_an_image_on_stdout_is_an_error(installed):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = shell("flux generate 'a fox' -o - >/dev/full", installed)
    assert done.returncode == 1
    assert b"flux: error: cannot write to standard output" in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_no_locale_loses_an_image(generate, variables):
    result = generate("雪の狐", "--seed", "7", "-a", "7:1", env=variables)
    assert result.code == 0
    (path,) = Path().iterdir()
    assert path.name == "雪の狐-7.jpg"


def screen(line: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
    """Run with stderr on a terminal and stdout in a pipe: exit code, stdout, terminal output."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave
    ) as flux:
        os.close(slave)
        shown = drained(master)
        out = flux.stdout.read().decode()
    return flux.returncode, out, shown.decode()


def test_on_a_terminal_each_image_leaves_a_line_and_stdout_stays_clean(keyed, command):
    line = [command, "generate", "a fox", "-n", "3", "--seed", "7"]
    code, out, shown = screen(line, keyed | {"TERM": "xterm-256color"})
    assert (code, out) == (0, "a-fox-7.jpg\na-fox-8.jpg\na-fox-9.jpg\n")
    assert all(f"a-fox-{seed}.jpg" in shown for seed in (7, 8, 9))
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


def test_on_a_terminal_the_cursor_comes_back_after_a_failure(keyed, command, gateway):
    gateway.answers(status(400, message="no \x1b[31m such \x07 shape"))
    code, out, shown = screen([command, "generate", "a fox"], keyed | {"TERM": "xterm-256color"})
    assert (code, out) == (1, "")
    assert shown.rfind("\x1b[?25h") >= shown.rfind("\x1b[?25l")
    assert "\x1b[31m such" not in shown
    assert "\x07" not in shown


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"CI": "true", "TERM": "xterm"}])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(keyed, command, variables):
    _, _, shown = screen([command, "generate", "a fox"], keyed | variables)
    assert "\x1b" not in shown
    assert "saved" in shown


def test_a_path_is_exact_in_a_pipe_and_cannot_act_on_a_terminal(keyed, command, generate):
    line = ["generate", "a fox", "-o", "a\x1b[2J\x9b{index}.jpg"]
    assert generate(*line[1:]).out == "a\x1b[2J\x9b1.jpg\n"
    master, slave = pty.openpty()
    words = [command, *line, "--overwrite", "--no-preview"]
    with subprocess.Popen(words, env=keyed, stdout=slave, stderr=subprocess.PIPE) as flux:
        os.close(slave)
        shown = drained(master)
        flux.stderr.read()
    assert flux.returncode == 0
    assert shown.decode().split() == ["a", "[2J", "1.jpg"]


def test_an_image_is_not_written_to_a_terminal(keyed, command, gateway):
    master, slave = pty.openpty()
    done = subprocess.run(
        [command, "generate", "a fox", "-o", "-"],
        env=keyed,
        stdout=slave,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(slave)
    os.close(master)
    assert (done.returncode, gateway.requests) == (2, [])
    assert b"terminal" in done.stderr


def test_two_runs_at_once_into_one_folder_do_not_meet(keyed, command, gateway):
    gateway.answers(image(pixels_as("png", 50, 50)))
    line = [command, "generate", "a fox", "-n", "4", "--quiet"]
    runs = [subprocess.Popen(line, env=keyed, stdout=subprocess.PIPE) for _ in range(2)]
    paths = [run.communicate()[0].split() for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert len({*paths[0], *paths[1]}) == len(list(Path().iterdir())) == 8
