"""kill -9 at a hundred random moments: afterward every paid image is on disk exactly once."""

import hashlib
import random
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from fakes.gateway import image
from fakes.images import encode

pytestmark = pytest.mark.slow

CHUNKS, KILLS = 10, 10  # a hundred in all, spread over the workers
OFTEN = 1  # chunks that run with the slow tests; the others with `-m corpus`
SELDOM = [pytest.param(chunk, marks=pytest.mark.corpus) for chunk in range(OFTEN, CHUNKS)]
CALLS = 8
COMMANDS = {
    "urls": (),
    "base64": ("--response-format", "b64_json"),
    "converted": ("-f", "png"),
    "a folder of its own": ("-o", "new/{seed}.{ext}"),
}


def by_seed(request):
    """Every image is another one, so that copies are seen; some answers take a while."""
    time.sleep(random.Random(request.json["seed"]).random() / 20)
    return image(_painted(request.json["seed"]))


def _painted(seed: int) -> bytes:
    """A small image of its own per seed, large enough as base64 to go through the state folder."""
    return encode(_bitmap(seed), "jpeg") if seed % 2 else _bitmap(seed)


def _bitmap(seed: int) -> bytes:
    rows = b"".join(
        b"\0" + random.Random(seed * 1000 + row).randbytes(3 * 150) for row in range(150)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 150, 150, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("chunk", [*range(OFTEN), *SELDOM])
def test_every_paid_image_is_on_disk_once_after_kill_and_recover(
    command, keyed, gateway, flux, home, chunk
):
    chance = random.Random(f"kill {chunk}")
    gateway.answers(by_seed)
    seeds = iter(range(1_000 * chunk + 1, 1_000 * chunk + 1_000))
    length, killed = 1.0, 0
    while killed < KILLS:
        first = next(seeds)
        for _ in range(CALLS - 1):
            next(seeds)
        words = chance.choice(list(COMMANDS.values()))
        line = [
            command,
            "generate",
            "a fox",
            "-n",
            str(CALLS),
            "--seed",
            str(first),
            *words,
            "--concurrency",
            "4",
        ]
        begin = time.monotonic()
        run = subprocess.Popen(
            line, env=keyed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        posts = len(gateway.posts)
        while (
            run.poll() is None and len(gateway.posts) == posts
        ):  # from the first moment that costs money
            time.sleep(0.002)
        try:
            run.wait(length * chance.random())
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
        if run.wait() == -signal.SIGKILL:
            killed += 1
        else:
            length = max(0.05, (time.monotonic() - begin) / 2)
        if chance.random() < 0.3:
            recovered(flux, keyed, gateway)
    recovered(flux, keyed, gateway)
    posted = [body["seed"] for body in gateway.posts]
    assert len(posted) == len({*posted})
    told = {run["state"] for run in flux("runs", "--json").json["runs"]}
    assert told <= {
        "complete",
        "interrupted",
        "partial",
        "unclear",
    }  # unclear: killed just before the POST went out
    there = [path for path in Path().rglob("*") if path.is_file()]
    assert sorted(int(path.stem.rpartition("-")[2]) for path in there) == sorted(posted)
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in there}) == len(posted)
    state = home / ".local" / "state" / "flux-image-cli" / "runs"
    folders = {path.name for path in state.iterdir() if path.is_dir()}
    runs = flux("runs", "--json").json["runs"]
    unclear = {run["run"] for run in runs if run["state"] == "unclear"}
    assert folders <= unclear
    # What no line names stays only as long as it may belong to an unclear request.
    left = [path for path in state.rglob("*/*") if path.is_file()]
    assert {path.parent.name for path in left} <= unclear
    assert list(Path().glob(".*")) == []


def recovered(flux, keyed, gateway) -> None:
    """Recover once the gateway has answered everything it was asked."""
    heard = -1  # what the killed process wrote last may still be on its way
    while heard != len(gateway.posts) or any(
        entry["status"] == "processing" for entry in gateway.history
    ):
        heard = len(gateway.posts)
        time.sleep(0.2)
    posts = len(gateway.posts)
    result = flux("recover", env=keyed)
    unclear = (
        "is not known yet" in result.err
    )  # killed just before a POST went out, of which the gateway never heard
    assert (result.code, result.err.count("Traceback"), len(gateway.posts)) == (
        3 * unclear,
        0,
        posts,
    ), result.err
