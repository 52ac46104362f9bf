"""Ctrl-C: at once, and what was saved stays and is listed."""

import fcntl
import json
import os
import pty
import resource
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from fakes.gateway import Gateway, held, image, status
from fakes.images import encode, look, noise

from e2e.conftest import KEY
from e2e.screen import drained

pytestmark = pytest.mark.slow

PROMPT = 30.0  # seconds a test waits for what should take a tenth of one
SUFFIXES = {".avif": "avif", ".jpg": "jpeg"}


class Interrupted:
    """A run that gets SIGINT while `waiting` calls are held and `saved` images are on disk."""

    def __init__(
        self,
        line: list[str],
        environment: dict[str, str],
        gateway: Gateway,
        *,
        waiting: int,
        saved: int,
        times: int = 1,
        number: signal.Signals = signal.SIGINT,
    ) -> None:
        with subprocess.Popen(
            line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as flux:
            tick = threading.Event()
            for _ in range(int(PROMPT * 100)):
                there = len([path for path in Path().rglob("*.*") if not path.name.startswith(".")])
                if (
                    len(gateway.posts) == waiting + saved and there == saved
                ) or flux.poll() is not None:
                    break
                tick.wait(0.01)
            self.early = flux.poll()
            for _ in range(times):
                flux.send_signal(number)
            self.out, self.err = flux.communicate(timeout=PROMPT)
        self.code = flux.returncode
        assert "Traceback" not in self.err
        assert KEY not in self.out + self.err


def slow(release, first: int):
    """The first seeds come at once, the others when the test is over."""
    return lambda request: image() if request.json["seed"] < first else held(release)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_is_like_ctrl_c(command, keyed, gateway, release, number):
    gateway.answers(slow(release, 9))
    line = [command, "generate", "a fox", "-n", "6", "--seed", "7"]
    run = Interrupted(line, keyed, gateway, waiting=4, saved=2, number=number)
    assert (run.early, run.code, run.out.splitlines()) == (
        None,
        130,
        ["a-fox-7.jpg", "a-fox-8.jpg"],
    )
    assert sorted(path.name for path in Path().iterdir()) == ["a-fox-7.jpg", "a-fox-8.jpg"]


@pytest.mark.parametrize("times", [1, 3], ids=["once", "impatiently"])
def test_what_was_saved_stays_and_is_listed_and_nothing_else_is_left(
    command, keyed, gateway, release, times
):
    gateway.answers(slow(release, 9))
    line = [command, "generate", "a fox", "-n", "6", "--seed", "7"]
    run = Interrupted(line, keyed, gateway, waiting=4, saved=2, times=times)
    assert (run.early, run.code) == (None, 130)
    assert not release.is_set()  # the server still held its four answers when the run had ended
    if times == 1:
        assert run.out.splitlines() == ["a-fox-7.jpg", "a-fox-8.jpg"]
    assert sorted(path.name for path in Path().iterdir()) == ["a-fox-7.jpg", "a-fox-8.jpg"]
    assert all(look(path)[0] == "jpeg" for path in Path().iterdir())


def test_it_says_what_was_under_way_and_may_have_been_billed(command, keyed, gateway, release):
    gateway.answers(slow(release, 8))
    run = Interrupted(
        [command, "generate", "a fox", "-n", "3", "--seed", "7"], keyed, gateway, waiting=2, saved=1
    )
    assert "interrupted" in run.err
    assert "may have been billed" in run.err


def test_json_is_whole_and_tells_calls_under_way_from_calls_never_sent(
    command, keyed, gateway, release
):
    gateway.answers(slow(release, 8))
    line = [command, "generate", "a fox", "-n", "5", "--seed", "7", "--concurrency", "2", "--json"]
    run = Interrupted(line, keyed, gateway, waiting=2, saved=1)
    document = json.loads(run.out)
    assert (run.code, document["status"], document["exit_code"]) == (130, "interrupted", 130)
    assert [file["path"] for file in document["files"]] == ["a-fox-7.jpg"]
    errors = [
        (error["index"], error["code"], error["may_have_been_billed"])
        for error in document["errors"]
    ]
    assert errors == [
        (2, "interrupted", True), (3, "interrupted", True), (4, "not_sent", False),
        (5, "not_sent", False),
    ]  # fmt: skip
    assert (document["cost_usd"], document["known_cost_usd"]) == (None, 0.06)
    assert run.err.splitlines()[-1].startswith(
        "flux: 1 saved, 2 interrupted, 2 not sent, at least 0.06 USD, "
    )
    assert len(gateway.posts) == 3


def test_a_call_that_waits_for_another_try_was_not_billed(command, keyed, gateway):
    gateway.answers(status(429, message="slow down", retry_after="60"))
    line = [command, "generate", "a fox", "-n", "3", "--concurrency", "1", "--json"]
    with subprocess.Popen(
        line, env=keyed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as flux:
        assert any("waiting" in told for told in flux.stderr)
        flux.send_signal(signal.SIGINT)
        out, err = flux.communicate(timeout=PROMPT)
    errors = json.loads(out)["errors"]
    assert {(error["code"], error["may_have_been_billed"]) for error in errors} == {
        ("not_sent", False)
    }
    assert (flux.returncode, "3 not sent" in err, "billed" in err) == (130, True, False)


def test_while_an_image_is_downloaded(command, keyed, release):
    """The image is made and paid for, so the error gives the address it can still be had from."""
    arrived = threading.Event()

    class SlowGateway(Gateway):
        def answer(self, request):
            answer = super().answer(request)
            if request.method == "GET":
                arrived.set()
                return held(release, answer)
            return answer

    with SlowGateway() as server:
        environment = keyed | {"LUMENFALL_BASE_URL": server.url}
        with subprocess.Popen(
            [command, "generate", "a fox"], env=environment, stderr=subprocess.PIPE, text=True
        ) as flux:
            assert arrived.wait(PROMPT)
            flux.send_signal(signal.SIGINT)
            _, err = flux.communicate(timeout=PROMPT)
        assert flux.returncode == 130
        assert "may have been billed" in err
        assert list(Path().iterdir()) == []
        release.set()


def test_while_waiting_between_two_tries(command, keyed, gateway):
    gateway.answers(status(429, retry_after="60"))
    run = Interrupted([command, "generate", "a fox"], keyed, gateway, waiting=1, saved=0)
    assert run.code == 130
    assert len(gateway.posts) == 1


@pytest.mark.parametrize("way", ["flux", "python -m flux_cli"])
def test_nobody_waits_for_encoders_whose_work_is_not_wanted_any_more(command, keyed, gateway, way):
    """What had come is on disk, converted or as it came.

    The seconds of computing are measured, because a busy machine delays everything.
    """
    large = noise(3072)
    before = time.process_time()
    encode(large, "avif")
    one = time.process_time() - before
    gateway.answers(image(large))
    start = [command] if way == "flux" else [sys.executable, "-m", "flux_cli"]
    line = [*start, "generate", "a fox", "-n", "8", "-f", "avif"]
    before = computed()
    with subprocess.Popen(
        line, env=keyed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as flux:
        tick = threading.Event()
        while len(gateway.fetched) < 8 and flux.poll() is None:
            tick.wait(0.01)
        tick.wait(0.2)
        flux.send_signal(signal.SIGINT)
        out, err = flux.communicate(timeout=PROMPT)
    assert flux.returncode == 130
    assert "Traceback" not in err
    assert sorted(out.splitlines()) == sorted(path.name for path in Path().iterdir())
    assert all(look(path)[0] == SUFFIXES[path.suffix] for path in Path().iterdir())
    assert computed() - before < 4 * one


def computed() -> float:
    """Seconds of computing of all processes this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_before_anything_was_sent(command, keyed, gateway):
    """While it waits for the rest of a prompt from stdin: nothing is paid, and no traceback."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([command, "generate", "-"], env=keyed, **pipes) as flux:
        flux.stdin.write(b"a fox")
        flux.stdin.flush()
        tick = threading.Event()
        while (
            waiting_in(flux.stdin) and flux.poll() is None
        ):  # until it reads; earlier signals find Python starting
            tick.wait(0.01)
        flux.send_signal(signal.SIGINT)
        out, err = flux.communicate(timeout=PROMPT)
    assert (flux.returncode, out, gateway.requests) == (130, b"", [])
    assert b"Traceback" not in err
    assert list(Path().iterdir()) == []


def waiting_in(pipe) -> int:
    """How many bytes of a pipe nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def test_a_terminal_gets_its_cursor_back(command, keyed, gateway, release):
    gateway.answers(held(release))
    master, slave = pty.openpty()
    environment = keyed | {"TERM": "xterm-256color"}
    with subprocess.Popen(
        [command, "generate", "a fox"], env=environment, stdout=subprocess.PIPE, stderr=slave
    ) as flux:
        os.close(slave)
        tick = threading.Event()
        while not gateway.posts and flux.poll() is None:
            tick.wait(0.01)
        flux.send_signal(signal.SIGINT)
        shown = drained(master)
        flux.communicate(timeout=PROMPT)
    assert flux.returncode == 130
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")


def test_during_a_preview(command, keyed, gateway):
    """The terminal does not read on, so that the preview is not over when the signal comes."""
    gateway.answers(image(noise(1024)))
    master, slave = pty.openpty()
    environment = keyed | {"TERM": "xterm-256color", "FLUX_PREVIEW": "kitty"}
    line = [command, "generate", "a fox", "--preview"]
    with subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=slave, text=True
    ) as flux:
        os.close(slave)
        shown = b""
        while b"\x1b_G" not in shown:
            shown += os.read(master, 1024)
        flux.send_signal(signal.SIGINT)
        drained(master)
        out, _ = flux.communicate(timeout=PROMPT)
    assert flux.returncode == 130
    assert out.split() == [path.name for path in Path().iterdir()]
