"""`--log-file`: every step of a run as one JSON object per line, appended, without keys.

A log that cannot be written never costs an image.
"""

import json
import os
import subprocess
import threading
from datetime import datetime
from pathlib import Path

import pytest
from fakes.gateway import held, image, status
from fakes.server import hang_up

from e2e.conftest import KEY

pytestmark = pytest.mark.slow


def entries(path="run.log"):
    """The objects of a log, checked to be one a line."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def steps(path="run.log"):
    return [(entry["event"], entry.get("index")) for entry in entries(path)]


def test_a_good_run_is_logged_from_start_to_end(generate):
    assert generate("a fox", "--seed", "7", "--log-file", "run.log").code == 0
    start, sent, received, saved, end = entries()
    assert (start["event"], start["provider"], start["request"]) == (
        "start", "lumenfall",
        {"prompt": "a fox", "model": "flux1.1-pro-ultra", "route": None, "seed": 7, "n": 1},
    )  # fmt: skip
    assert (sent["event"], sent["index"]) == ("sent", 1)
    assert (received["event"], received["request_id"], received["cost_usd"]) == (
        "received",
        "req_1",
        0.06,
    )
    size = Path("a-fox-7.jpg").stat().st_size
    assert (saved["event"], saved["path"], saved["bytes"], received["bytes"]) == (
        "saved",
        "a-fox-7.jpg",
        size,
        size,
    )
    assert (saved["request_id"], saved["cost_usd"]) == ("req_1", 0.06)
    assert (end["event"], end["status"], end["exit_code"]) == ("end", "ok", 0)
    assert (end["saved"], end["failed"], end["cost_usd"]) == (1, 0, 0.06)
    times = [datetime.fromisoformat(entry["time"]) for entry in entries()]
    assert times == sorted(times)
    assert len({entry["run"] for entry in entries()}) == 1


def test_retries_and_failures_are_logged_with_status_code_and_request_id(generate, gateway):
    gateway.answers(
        status(429, message="slow down", retry_after="0"),
        status(400, "INVALID_REQUEST", "no such shape", x_request_id="req_9"),
    )
    assert generate("a fox", "--log-file", "run.log").code == 1
    _, sent, waiting, again, failed, end = entries()
    assert [(one["event"], one["index"]) for one in (sent, again)] == [("sent", 1)] * 2
    assert (waiting["event"], "slow down" in waiting["detail"], "429" in waiting["detail"]) == (
        "waiting",
        True,
        True,
    )
    assert (failed["event"], failed["code"], failed["http_status"], failed["request_id"]) == (
        "failed", "validation", 400, "req_9",
    )  # fmt: skip
    assert (end["status"], end["exit_code"], end["failed"]) == ("failed", 1, 1)


def test_every_post_is_logged_and_none_that_never_went_out(generate, gateway):
    """Of six calls, one at a time, the first three are told to retry, the others are held back."""
    gateway.answers(*[status(429, retry_after="0")] * 3, image(), status(402))
    result = generate(
        "a fox", "-n", "6", "--concurrency", "1", "--log-file", "run.log", "--verbose"
    )
    sent = [entry["index"] for entry in entries() if entry["event"] == "sent"]
    assert sent == [1, 1, 1, 1, 2]
    assert len(sent) == len(gateway.posts)
    shown = [line for line in result.err.splitlines() if line.endswith(" sent")]
    assert shown == [f"flux: [{call}/6] sent" for call in sent]


def test_the_log_is_the_same_whatever_is_shown(generate):
    for number, more in enumerate(["--quiet", "--progress=none", "--progress=plain", "--json"]):
        generate("a fox", "--seed", "7", "--overwrite", "--log-file", f"{number}.log", more)
        assert steps(f"{number}.log") == [
            ("start", None),
            ("sent", 1),
            ("received", 1),
            ("saved", 1),
            ("end", None),
        ]


def test_the_log_the_json_and_the_journal_call_a_run_by_one_name(generate, flux):
    document = generate("a fox", "--log-file", "run.log", "--json").json
    (past,) = flux("runs", "--json").json["runs"]
    assert {entry["run"] for entry in entries()} == {document["run"]} == {past["run"]}
    sketch = generate("a fox", "--offline", "-s", "1:1", "--log-file", "sketch.log", "--json").json
    assert (sketch["run"], len({entry["run"] for entry in entries("sketch.log")})) == (None, 1)


def test_several_runs_share_a_log_and_what_was_there_stays(generate):
    Path("run.log").write_text('{"event": "mine"}\n')
    for _ in range(2):
        generate("a fox", "-n", "2", "--log-file", "run.log")
    assert entries()[0] == {"event": "mine"}
    assert len({entry["run"] for entry in entries()[1:]}) == 2


def test_runs_at_the_same_time_do_not_mix_their_lines(keyed, command):
    line = [command, "generate", "a fox", "-n", "8", "--quiet", "--log-file", "run.log"]
    runs = [subprocess.Popen(line, env=keyed, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert len(entries()) == 3 * (1 + 3 * 8 + 1)


def test_an_interrupted_run_is_logged_to_its_end(keyed, command, gateway):
    release = threading.Event()
    gateway.answers(held(release))
    with subprocess.Popen(
        [command, "generate", "a fox", "--log-file", "run.log"], env=keyed, stderr=subprocess.PIPE
    ) as flux:
        tick = threading.Event()
        while not gateway.posts and flux.poll() is None:
            tick.wait(0.01)
        flux.send_signal(2)
        flux.communicate(timeout=30)
    release.set()
    assert (entries()[-1]["status"], entries()[-1]["exit_code"]) == ("interrupted", 130)


def test_no_key_is_in_the_log_even_if_the_server_quotes_it(generate, gateway):
    gateway.answers(status(400, "INVALID_REQUEST", f"the key {KEY} is fine, but: {KEY[:12]}…"))
    generate(f"a fox with {KEY}", "--log-file", "run.log")
    assert KEY[:12] not in Path("run.log").read_text()
    assert "***" in Path("run.log").read_text()


@pytest.mark.parametrize("path", ["no/such/folder/run.log", ".", "", "-", "x" * 300])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_log_that_cannot_be_opened_is_refused_before_anything_is_sent(
    generate, gateway, path, more
):
    result = generate("a fox", "--log-file", path, *more)
    assert (result.code, gateway.requests, list(Path().iterdir())) == (2, [], [])
    assert result.err.startswith("flux: error: ")
    assert "hint: " in result.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_nobody_reads_is_refused_too(generate, gateway):
    os.mkfifo("run.log")
    assert (generate("a fox", "--log-file", "run.log").code, gateway.requests) == (2, [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_disk_costs_no_image_and_is_said_once(generate):
    result = generate("a fox", "-n", "3", "--seed", "7", "--log-file", "/dev/full")
    assert (result.code, result.lines) == (0, ["a-fox-7.jpg", "a-fox-8.jpg", "a-fox-9.jpg"])
    assert [line for line in result.err.splitlines() if "log" in line] == [
        "flux: note: can no longer write to the log /dev/full: No space left on device"
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_reader_of_the_log_that_stops_reading_holds_no_image_up(generate):
    """64 KiB fit into a pipe; the prompts of eight runs are more."""
    os.mkfifo("run.log")
    reader = os.open("run.log", os.O_RDONLY | os.O_NONBLOCK)
    for number in range(8):
        result = generate("a fox " * 2000, "-o", f"{number}.jpg", "--log-file", "run.log")
        assert result.code == 0
    os.close(reader)
    assert len(list(Path().glob("*.jpg"))) == 8
    assert "can no longer write" in result.err


def test_the_log_can_go_where_stderr_goes(generate):
    result = generate("a fox", "--quiet", "--log-file", "/dev/stderr")
    assert [json.loads(line)["event"] for line in result.err.splitlines()] == [
        "start",
        "sent",
        "received",
        "saved",
        "end",
    ]


def test_a_home_in_the_path_is_expanded(generate, home):
    assert generate("a fox", "--log-file=~/run.log").code == 0
    assert steps(home / "run.log")[0] == ("start", None)


def test_what_stops_before_the_first_call_leaves_no_log(generate):
    for more in (("--dry-run",), ("--seed", "x"), ("--max-cost", "0.01")):
        generate("a fox", "--log-file", "run.log", *more)
        assert not Path("run.log").exists()


def test_skipped_images_are_logged(generate):
    generate("a fox", "--seed", "7")
    generate("a fox", "--seed", "7", "--skip-existing", "--log-file", "run.log")
    assert [(entry["event"], entry.get("path")) for entry in entries()] == [
        ("start", None), ("skipped", "a-fox-7.jpg"), ("end", None),
    ]  # fmt: skip


def test_an_ambiguous_failure_says_so(generate, gateway):
    gateway.answers(hang_up, image())
    generate("a fox", "--log-file", "run.log")
    assert entries()[2]["code"] == "network"
