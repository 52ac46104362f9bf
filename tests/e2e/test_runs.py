"""`flux runs`: what earlier runs asked, cost and left behind, in a hundred columns or as JSON."""

import shlex
import subprocess
import time
from pathlib import Path

import pytest
from fakes.gateway import image, status
from fakes.images import pixels_as
from journals import change_first_line
from rich.cells import cell_len

pytestmark = pytest.mark.slow

PROMPT = (
    "a red fox in the snow, \x1b[31mwith a prompt that is longer than any line "
    "of a terminal can show at once"
)


def test_a_list_fits_into_a_hundred_columns_and_acts_on_no_terminal(generate, flux):
    assert generate(PROMPT, "-n", "3", "--seed", "7").code == 0
    assert generate("a cat", "-o", "cat.jpg").code == 0
    shown = flux("runs")
    assert (shown.code, shown.err) == (0, "flux: 2 runs, 4 images saved, 0.24 USD\n")
    assert max(map(len, shown.lines)) <= 100
    assert "\x1b" not in shown.out
    heading, newest, oldest = shown.lines
    assert heading.split() == ["Run", "model", "saved", "USD", "state", "prompt"]
    assert newest.split()[1:] == ["flux1.1-pro-ultra", "1/1", "0.06", "complete", "a", "cat"]
    assert oldest.split()[1:5] == ["flux1.1-pro-ultra", "3/3", "0.18", "complete"]


@pytest.mark.parametrize("width", [30, 40, 60, 90, 100])
def test_a_prompt_in_wide_characters_fits_a_terminal_too(command, generate, environment, width):
    assert generate("東京の夜景と富士山 " * 4, "-o", "fox.jpg").code == 0
    shell = f"stty cols {width}; exec {shlex.quote(command)} runs 2> /dev/null"
    line = ["script", "-qec", shell, "/dev/null"]
    inside = {name: value for name, value in environment.items() if name != "COLUMNS"}
    shown = subprocess.run(
        line, env=inside, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert "東京の夜景" in shown.stdout
    assert max(map(cell_len, shown.stdout.splitlines())) <= width


def test_one_run_is_shown_call_by_call(generate, flux, gateway):
    gateway.answers(image(), status(400, "INVALID_REQUEST", "no such shape"))
    assert generate("a fox", "-n", "2", "--seed", "7", "--concurrency", "1").code == 3
    (run,) = flux("runs", "--json").json["runs"]
    lines = flux("runs", run["run"]).lines
    assert lines[-2].split() == ["1", "7", "saved", str(Path("a-fox-7.jpg").absolute())]
    assert lines[-1].split()[:3] == ["2", "8", "failed"]
    assert "no such shape" in lines[-1]
    (told,) = flux("runs", run["run"], "--json").json["runs"]
    assert [entry["state"] for entry in told["entries"]] == ["saved", "failed"]
    assert [entry["error"] and entry["error"]["code"] for entry in told["entries"]] == [
        None,
        "validation",
    ]


def test_an_image_that_went_into_a_pipe_is_no_file(generate, flux):
    assert generate("a fox", "-o", "-").code == 0
    (run,) = flux("runs", "--json").json["runs"]
    assert flux("runs", run["run"], "--json").json["runs"][0]["entries"][0]["files"] == [
        {"path": "-"}
    ]


def test_a_run_that_is_not_there_is_a_wrong_word(flux):
    result = flux("runs", "20200101")
    assert (result.code, "hint: see: flux runs" in result.err) == (2, True)


def test_without_runs_there_is_nothing_to_list(flux):
    assert flux("runs").err == "flux: no runs yet\n"
    assert flux("runs", "--json").json["runs"] == []


def test_sketches_cost_nothing_and_are_no_runs(flux):
    assert flux("generate", "a fox", "--offline").code == 0
    assert flux("runs", "--json").json["runs"] == []


@pytest.mark.parametrize("side", [16, 90])
def test_the_journal_of_a_saved_image_stays_small(generate, gateway, state, side):
    """An image of base64 that stayed in it would be there for as long as the journal."""
    gateway.answers(image(pixels_as("png", side, side)))
    assert generate("a fox", "-n", "4", "--response-format", "b64_json").code == 0
    (journal,) = state.rglob("*.jsonl")
    assert journal.stat().st_size < 4 * 4000


def test_prompts_are_kept_for_as_long_as_the_setting_says(generate, flux, state):
    """Everything of the prompt goes, and what the run cost stays."""
    words = ("--param", "negative_prompt=secret mice", "-o", "{slug}-{seed}.{ext}")
    assert generate("a secret fox", *words).code == 0
    (journal,) = state.glob("*.jsonl")
    change_first_line(journal, time=time.time() - 31 * 86_400)
    assert generate("a cat").code == 0
    assert "secret" in journal.read_text()
    before = flux("runs", journal.stem, "--json").json["runs"][0]
    assert generate("a dog", env={"FLUX_KEEP_PROMPTS": "30d"}).code == 0
    assert "secret" not in journal.read_text()
    after = flux("runs", journal.stem, "--json").json["runs"][0]
    assert (before["prompt"], after["prompt"]) == ("a secret fox", None)
    kept = ("run", "state", "time", "model", "requests", "saved", "cost_usd")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert [entry["seed"] for entry in after["entries"]] == [before["entries"][0]["seed"]]
    assert [run["prompt"] for run in flux("runs", "--json").json["runs"]][:2] == ["a dog", "a cat"]


def test_never_keeps_no_prompt_at_all(generate, state):
    assert generate("a secret fox", env={"FLUX_KEEP_PROMPTS": "never"}).code == 0
    (journal,) = state.glob("*.jsonl")
    assert "secret" not in journal.read_text()
