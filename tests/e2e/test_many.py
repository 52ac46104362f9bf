"""n images are n calls: in parallel, bounded, and a failed one never loses the others."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from fakes.gateway import by_seed, image, status, together
from fakes.images import look, pixels_as

pytestmark = pytest.mark.slow


def test_eight_calls_are_under_way_at_once_with_seeds_counting_up(generate, gateway):
    gateway.answers(together(8))
    result = generate("a fox", "-n", "8", "--seed", "7")
    assert result.code == 0
    assert gateway.most_at_once == 8
    assert sorted(body["seed"] for body in gateway.posts) == list(range(7, 15))
    assert result.lines == [f"a-fox-{seed}.jpg" for seed in range(7, 15)]
    assert len({Path(path).read_bytes() for path in result.lines}) == 8


def test_bodies_of_several_calls_differ_in_the_seed_only(generate, gateway):
    generate("a fox", "-n", "3", "--seed", "7", "-a", "3:2", "--raw")
    bodies = sorted(gateway.posts, key=lambda body: body["seed"])
    assert bodies == [
        {
            "model": "flux1.1-pro-ultra",
            "prompt": "a fox",
            "size": "1254x836",
            "raw": True,
            "seed": seed,
        }
        for seed in (7, 8, 9)
    ]


def test_without_seeds_every_file_has_a_name_of_its_own(generate, gateway):
    result = generate("a fox", "-n", "4", "--no-seed")
    assert result.code == 0
    assert all("seed" not in body for body in gateway.posts)
    assert len({*result.lines}) == 4
    assert all(path.startswith("a-fox-") for path in result.lines)


@pytest.mark.parametrize("by", ["option", "variable"])
def test_concurrency_is_kept(generate, gateway, by):
    gateway.answers(together(2))
    option, variable = (
        (("--concurrency", "2"), {}) if by == "option" else ((), {"FLUX_CONCURRENCY": "2"})
    )
    assert generate("a fox", "-n", "6", *option, env=variable).code == 0
    assert gateway.most_at_once == 2
    assert len(gateway.posts) == 6


def test_some_failures_save_the_rest_and_exit_3(generate, gateway):
    moderated = status(400, "CONTENT_POLICY_VIOLATION", "not this one")
    gateway.answers(by_seed({8: status(400, "INVALID_REQUEST", "bad seed"), 9: moderated}))
    result = generate("a fox", "-n", "4", "--seed", "7", "--json")
    document = result.json
    assert (result.code, document["status"], document["exit_code"]) == (3, "partial", 3)
    assert [file["path"] for file in document["files"]] == ["a-fox-7.jpg", "a-fox-10.jpg"]
    assert all(look(file["path"])[0] == "jpeg" for file in document["files"])
    assert [(error["index"], error["seed"], error["code"]) for error in document["errors"]] == [
        (2, 8, "validation"), (3, 9, "moderation"),
    ]  # fmt: skip
    assert [error["http_status"] for error in document["errors"]] == [400, 400]
    assert "bad seed" in result.err
    assert "not this one" in result.err


def test_text_lists_what_was_saved_on_stdout_and_what_failed_on_stderr(generate, gateway):
    gateway.answers(by_seed({8: status(400, "INVALID_REQUEST", "bad seed")}))
    result = generate("a fox", "-n", "3", "--seed", "7")
    assert (result.code, result.lines) == (3, ["a-fox-7.jpg", "a-fox-9.jpg"])
    assert "flux: error: " in result.err
    assert "2 saved, 1 failed, 0.12 USD" in result.err


def test_the_same_failure_of_many_calls_is_said_once_with_its_count(generate, gateway):
    gateway.answers(status(400, "INVALID_REQUEST", "no such shape"))
    result = generate("a fox", "-n", "5", "--quiet")
    assert result.code == 1
    assert result.err.count("no such shape") == 1
    assert "5 requests" in result.err


ALL_FAILED = {
    "validation": (status(400, "INVALID_REQUEST"), 1),
    "not found": (status(404, "MODEL_NOT_FOUND"), 1),
    "moderation": (status(400, "CONTENT_POLICY_VIOLATION"), 5),
    "key": (status(401, "AUTHENTICATION_FAILED"), 4),
    "balance": (status(402, "INSUFFICIENT_BALANCE"), 4),
}


@pytest.mark.parametrize(("answer", "code"), ALL_FAILED.values(), ids=ALL_FAILED)
def test_when_all_fail_alike_the_exit_code_says_how(generate, gateway, answer, code):
    gateway.answers(answer)
    result = generate("a fox", "-n", "3", "--json")
    assert (result.code, result.json["status"], result.json["exit_code"]) == (code, "failed", code)
    assert (result.json["files"], len(result.json["errors"])) == ([], 3)


def test_when_all_fail_differently_the_exit_code_is_1(generate, gateway):
    gateway.answers(
        by_seed({7: status(400, "CONTENT_POLICY_VIOLATION"), 8: status(400, "INVALID_REQUEST")})
    )
    assert generate("a fox", "-n", "2", "--seed", "7").code == 1


@pytest.mark.parametrize(("number", "code"), [(401, "auth"), (402, "payment"), (403, "auth")])
def test_a_refused_key_or_empty_account_stops_the_calls_that_were_not_sent(
    generate, gateway, number, code
):
    gateway.answers(status(number))
    result = generate("a fox", "-n", "50", "--concurrency", "1", "--json")
    assert (result.code, len(gateway.posts)) == (4, 1)
    codes = [error["code"] for error in result.json["errors"]]
    assert codes == [code] + 49 * ["not_sent"]
    assert not any(error["may_have_been_billed"] for error in result.json["errors"])


def test_an_account_that_is_banned_stops_the_calls_that_were_not_sent(generate, gateway):
    """Moderation with 403 is about the account; with 400 it is about one prompt."""
    gateway.answers(status(403, "CONTENT_POLICY_VIOLATION", "your account is suspended"))
    result = generate("a fox", "-n", "20", "--concurrency", "1", "--json")
    assert (result.code, len(gateway.posts)) == (5, 1)
    assert [error["code"] for error in result.json["errors"]] == ["moderation"] + 19 * ["not_sent"]


def test_a_hundred_and_twenty_images_never_open_more_than_sixteen_connections(generate, gateway):
    gateway.answers(image(pixels_as("jpeg", 64, 64)))
    result = generate("a fox", "-n", "120", "--seed", "1", "--yes")
    assert (result.code, len(result.lines)) == (0, 120), result.err[-900:]
    # The server hears of the end of a connection a moment later than the client.
    assert gateway.most_connections <= 2 * 16


def test_one_429_slows_all_calls_down(generate, gateway):
    """Sixteen are under way when the server has enough. All wait, and half of them go on."""
    times: list[float] = []
    data = pixels_as("jpeg", 64, 64)

    def answer(_request):
        times.append(time.monotonic())
        if len(times) <= 16:
            together_.wait()
            return status(429, retry_after="2")
        return held_for(0.3)

    def held_for(seconds):
        def late(_request):
            time.sleep(seconds)
            return image(data)

        return late

    together_ = threading.Barrier(16, timeout=30)
    gateway.answers(answer)
    assert generate("a fox", "-n", "32", "--seed", "1").code == 0
    first = times[16]
    assert first - times[15] > 1.9
    assert len([when for when in times[16:] if when < first + 0.25]) <= 8
    assert len(times) == 48


def test_waiting_for_a_turn_is_no_part_of_the_time_a_call_may_take(generate, gateway):
    """One call is told to wait longer than it may, first beside another one, then alone.

    The third is held back as long, and has all its time afterward.
    """
    two, data = threading.Barrier(2, timeout=30), pixels_as("jpeg", 64, 64)

    def answer(request):
        if len(gateway.posts) <= 2:
            two.wait()
        if request.json["seed"] == 1:
            return status(429, retry_after="4")
        time.sleep(0.5 if request.json["seed"] == 2 else 0)
        return image(data)

    gateway.answers(answer)
    result = generate(
        "a fox", "-n", "3", "--seed", "1", "--concurrency", "2", "--timeout", "3", "--json"
    )
    assert [file["index"] for file in result.json["files"]] == [2, 3]
    assert [(error["index"], error["code"]) for error in result.json["errors"]] == [(1, "timeout")]


MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_many_large_images_need_no_more_memory_than_a_few(command, keyed, gateway):
    """Base64 of 7 MB each goes to disk, and no more are opened at once than there are cores."""
    large = pixels_as("jpeg", 2336, 1752)
    gateway.answers(image(large + bytes((5 << 20) - len(large))))

    def peak(count: int) -> int:
        line = [
            command,
            "generate",
            "a fox",
            "-n",
            str(count),
            "--response-format",
            "b64_json",
            "-o",
            f"{count}/",
        ]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *line],
            env=keyed,
            capture_output=True,
            text=True,
            check=True,
        )
        code, kilobytes = map(int, done.stdout.split())
        assert (code, len(list(Path(str(count)).iterdir()))) == (0, count), done.stderr[-900:]
        return kilobytes

    few, many = peak(16), peak(64)
    assert many < few + 60_000  # the 48 more are 240 MB


def test_an_account_that_runs_dry_keeps_what_came_before(generate, gateway):
    gateway.answers(
        image(), image(), status(402, "INSUFFICIENT_BALANCE", "0.06 required, 0.01 available")
    )
    result = generate("a fox", "-n", "5", "--seed", "1", "--concurrency", "1")
    assert (result.code, result.lines, len(gateway.posts)) == (3, ["a-fox-1.jpg", "a-fox-2.jpg"], 3)
    assert "0.01 available" in result.err


def test_moderation_of_one_prompt_does_not_stop_the_others(generate, gateway):
    gateway.answers(status(400, "CONTENT_POLICY_VIOLATION"), image())
    assert generate("a fox", "-n", "3", "--concurrency", "1").code == 3
    assert len(gateway.posts) == 3


def test_a_retried_call_is_a_retry_of_that_call_only(generate, gateway):
    tries = []

    def second_time_lucky(request):
        tries.append(request.json["seed"])
        return (
            status(429, retry_after="0")
            if request.json["seed"] == 8 and tries.count(8) < 2
            else image()
        )

    gateway.answers(second_time_lucky)
    assert generate("a fox", "-n", "3", "--seed", "7").code == 0
    assert sorted(tries) == [7, 8, 8, 9]
