"""What the log of a CI service gets: one line per event, a heartbeat, and annotations.

Text from elsewhere never becomes a command of the CI service.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from core.test_ci_commands import HOSTILE, obeyed
from fakes.gateway import by_seed, image, status

pytestmark = pytest.mark.slow

GITHUB = {"GITHUB_ACTIONS": "true", "CI": "true"}


def test_a_failure_is_annotated_on_github_and_still_greppable(generate, gateway):
    gateway.answers(status(400, "INVALID_REQUEST", "100% wrong"))
    result = generate("a fox", env=GITHUB)
    error, hint, note = result.err.splitlines()
    assert error == "flux: error: the provider refused with INVALID_REQUEST: 100% wrong"
    assert hint.startswith("hint: ")
    assert (
        note
        == f"::error title=flux::{error.removeprefix('flux: error: ').replace('%', '%25')}%0A{hint}"
    )
    assert obeyed(result.err) == ["error"]
    assert result.out == ""


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["generate", "a fox", "--sede", "1"], 2),
        (["generate", "a fox"], 4),
        (["sizes", "x"], 2),
        (["generat"], 2),
        (["convert", "missing.png", "-f", "webp"], 2),
        (["convert", "text.png", "-f", "webp", "--json"], 2),
        (["show", "missing.png"], 2),
        (["show", "text.png", "--json"], 2),
        (["recover", "20260101-000000-000000"], 2),
    ],
    ids=str,
)
def test_an_error_of_any_command_is_annotated(flux, line, code):
    Path("text.png").write_text("no image")
    result = flux(*line, env=GITHUB)
    assert (result.code, obeyed(result.err), obeyed(result.out)) == (code, ["error"], [])
    assert result.out == "" or "--json" in line
    for elsewhere in ({"CI": "true"}, {"GITHUB_ACTIONS": "false"}, {"GITHUB_ACTIONS": ""}):
        assert obeyed(flux(*line, env=elsewhere).err) == []


def test_of_several_images_each_that_fails_is_annotated_and_stdout_has_the_others(flux):
    assert flux("generate", "a fox", "--offline", "-s", "16x16", "-o", "fox.png").code == 0
    shown = flux("show", "a.png", "fox.png", "b.png", env=GITHUB)
    assert (shown.code, obeyed(shown.err), obeyed(shown.out)) == (3, ["error", "error"], [])
    assert shown.lines[0] == "fox.png"
    made = flux("convert", "a.png", "fox.png", "-f", "webp", env=GITHUB)
    assert (made.code, obeyed(made.err), made.out) == (3, ["error"], "fox.webp\n")


def test_a_failure_while_recovering_is_annotated(generate, flux, keyed, gateway):
    assert generate("a fox", "--retries", "0", env={"FLUX_TIMEOUT": "20"}).code == 0
    gateway.answers(image(name="lost.jpg", first=(status(500),) * 9))
    assert generate("a lake", "--retries", "0").code == 1
    result = flux("recover", env=keyed | GITHUB | {"FLUX_RETRIES": "0"})
    assert (result.code, obeyed(result.err), result.out) == (1, ["error"], "")


def test_a_partial_failure_has_one_annotation_for_each_kind_and_ends_with_the_sum(
    generate, gateway
):
    answers = {8: status(400, "INVALID_REQUEST", "no"), 9: status(400, "INVALID_REQUEST", "no")}
    gateway.answers(by_seed(answers))
    result = generate("a fox", "-n", "4", "--seed", "7", env=GITHUB)
    assert (result.code, obeyed(result.err)) == (3, ["error"])
    assert "::error title=flux::2 requests: " in result.err
    assert result.err.splitlines()[-1].startswith("flux: 2 saved, 2 failed, 0.12 USD, ")


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r", "%0A"], ids=repr)
@pytest.mark.parametrize("more", [(), ("--json", "--verbose"), ("-n", "2")], ids=str)
def test_a_server_cannot_command_the_ci_service(generate, gateway, breaks, more):
    gateway.answers(status(400, "INVALID_REQUEST", breaks + breaks.join(HOSTILE)))
    result = generate("a fox", *more, env=GITHUB)
    assert obeyed(result.err) == ["error"]
    assert obeyed(result.out) == []
    if "--json" in more:
        assert all(line.strip() in result.json["errors"][0]["message"] for line in HOSTILE)


@pytest.mark.parametrize("more", [(), ("--json", "--verbose")], ids=str)
def test_an_image_s_facts_cannot_command_it_either(generate, gateway, more):
    gateway.answers(image(provider="##[group]x", seed=8))
    result = generate("a fox", "--seed", "7", *more, env=GITHUB)
    assert (result.code, obeyed(result.err), obeyed(result.out)) == (0, [], [])
    if more:
        assert result.json["files"][0]["provider"] == "##[group]x"


def test_a_prompt_cannot_command_it_through_the_name_of_a_file(flux):
    for number, prompt in enumerate(HOSTILE[:2]):
        words = ("--offline", "-s", "16x16", "-o", f"{{prompt}}-{number}.jpg")
        result = flux("generate", prompt, *words, env=GITHUB)
        assert (result.code, obeyed(result.err + result.out)) == (0, [])


@pytest.mark.parametrize(
    "prompt", ["##[error]pwn", "::error::x", "a\r::error::x", "##vso[task.complete]"], ids=repr
)
def test_nor_through_a_listing_for_people(generate, flux, prompt):
    """`--curl` is for a shell, and means what was asked."""
    assert generate(prompt, "-o", "fox.jpg").code == 0
    (run,) = flux("runs", "--json").json["runs"]
    Path(f"{prompt}.jpg").hardlink_to("fox.jpg")
    for line in (
        ["runs"],
        ["runs", run["run"]],
        ["show", "fox.jpg"],
        ["show", f"./{prompt}.jpg"],
        ["resolve", prompt],
        ["resolve", prompt, "--raw", "--curl"],
        ["generate", prompt, "--dry-run", "-o", "{prompt}-2.jpg"],
        ["generate", "a fox", "--dry-run", "-o", f"{prompt}/"],
    ):
        result = flux(*line, env=GITHUB)
        assert (result.code, obeyed(result.out + result.err)) == (0, []), line
    (body,) = re.findall(r"-d '(.*)'$", flux("resolve", prompt, "--curl").out.strip())
    assert json.loads(body)["prompt"] == prompt


BEAT = """
import sys, threading
from flux_cli.runs.progress.lines import Lines
from flux_cli.runs.progress.summary import Scope
from flux_cli.core.outcome import Event
beats = threading.Event()
class Heard:
    def write(self, text):
        sys.__stderr__.write(text)
        said.append(text)
        if len(said) >= 3:
            beats.set()
    def flush(self): sys.__stderr__.flush()
    def isatty(self): return False
said = []
sys.stderr = Heard()
with Lines(Scope(3), every=0.01) as lines:
    lines(Event("sent", 1))
    lines(Event("sent", 2))
    lines(Event("received", 2, cost_usd=0.06))
    assert beats.wait(20)
"""


def test_the_heartbeat_says_what_is_under_way_in_plain_lines(environment):
    """Every 30 s in real life, which no test waits for: the interval is a parameter."""
    line = [sys.executable, "-c", BEAT]
    done = subprocess.run(
        line, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    beats = done.stderr.splitlines()
    assert len(beats) >= 3
    assert re.fullmatch(
        r"flux: 0/3 done, 2 running, 0\.06 USD, 0 s; request 1 for 0 s: drawing",
        beats[-1],
    )
    assert done.stdout == ""


def test_the_heartbeat_stops_with_the_run_and_a_short_run_has_none(generate):
    assert [
        line for line in generate("a fox", "-n", "3").err.splitlines() if "running" in line
    ] == []
