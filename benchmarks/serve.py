"""Measures what `flux serve` adds to the requests of an application, against a loopback upstream.

    python benchmarks/serve.py [--flux PATH] [--short]

CPU time is that of the server, which an application that calls its provider directly does not
spend. Memory is read from /proc, so this needs Linux. `--short` only checks that everything works,
with small numbers.
"""

import argparse
import base64
import contextlib
import http.client
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fanout import LOOPBACK, SIDES, Row, Server, print_table

PARALLEL = 8  # requests at once, for memory
TICKS = os.sysconf("SC_CLK_TCK")  # per second of CPU time
STARTS = 10  # of Python, for its median


class Served(NamedTuple):
    """A `flux serve` that runs."""

    process: int
    url: str

    def cpu(self) -> float:
        """CPU seconds so far, user and kernel."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """Resident memory in MiB."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextlib.contextmanager
def serving(flux: str, upstream: str, folder: Path) -> Iterator[Served]:
    """`flux serve` in front of an upstream, with its state in a folder."""
    line = [flux, "serve", "--port", "0", "--provider", "openai", "-m", "any"]
    line += ["--base-url", f"{upstream}/openai/v1"]
    environment = {**os.environ, "FLUX_STATE": str(folder), "HOME": str(folder)}
    with (
        (folder / "log.txt").open("wb") as log,
        subprocess.Popen(
            line,
            env=environment | {"FLUX_API_KEY": "sk-any"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout
        url = process.stdout.readline().strip().removesuffix("/v1")
        assert url, (folder / "log.txt").read_text()
        try:
            yield Served(process.pid, url)
        finally:
            process.terminate()


class Sender:
    """Sends requests to a server. Every prompt is another, so that none repeats an earlier one."""

    def __init__(self, url: str, image: bytes) -> None:
        self._host = url.removeprefix("http://")
        self._image = image
        self._numbers = itertools.count()

    def send(self, count: int) -> float:
        """Send requests one after the other. Returns the seconds of one."""
        began = time.perf_counter()
        for _ in range(count):
            self.one()
        return (time.perf_counter() - began) / count

    def send_in_parallel(self, count: int) -> None:
        with ThreadPoolExecutor(PARALLEL) as threads:
            for _ in threads.map(lambda _number: self.one(), range(count)):
                pass

    def one(self) -> None:
        """Send one request, and check that the image is the one of the upstream."""
        body = json.dumps({"prompt": f"image {next(self._numbers)}", "response_format": "b64_json"})
        with contextlib.closing(http.client.HTTPConnection(self._host, timeout=60)) as connection:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/openai/v1/images/generations", body, headers)
            answer = connection.getresponse()
            data = answer.read()
        assert answer.status == 200, data
        assert self._image[:8] == base64.b64decode(json.loads(data)["data"][0]["b64_json"])[:8]


def start_of_python() -> float:
    """The CPU seconds of a start of Python."""

    def one() -> float:
        child = subprocess.Popen([sys.executable, "-c", "pass"])
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        return usage.ru_utime + usage.ru_stime

    return sorted(one() for _ in range(STARTS))[STARTS // 2]


def figures(
    served: Served, upstream: str, image: bytes, numbers: tuple[int, int, int]
) -> list[Row]:
    """All rows of the table: CPU and latency of some requests, memory of few and of many."""
    some, few, many = numbers
    through, direct = Sender(served.url, image), Sender(upstream, image)
    through.send(some)  # loads modules
    before = served.cpu()
    seconds = through.send(some)
    cpu = (served.cpu() - before) / some
    added = seconds - direct.send(some)
    through.send_in_parallel(few - 2 * some)
    first = served.memory()
    through.send_in_parallel(many - few)
    growth = served.memory() - first
    return [
        Row("V1", "ms of CPU that the server adds to a request", 1000 * cpu, "<= 15"),
        Row("", "the same, in starts of Python", cpu / start_of_python(), ""),
        Row("", "ms that the server adds to a request", 1000 * added, ""),
        Row("V2", f"MiB after {many:,} requests - after {few:,}", growth, "<= 8"),
    ]


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--flux", default=str(Path(sys.executable).parent / "flux"))
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    numbers = (20, 60, 200) if options.short else (200, 1000, 10_000)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.png"
        subprocess.run([*LOOPBACK, "draw", image, str(SIDES["tiny"])], check=True)
        with Server(image) as upstream, serving(options.flux, upstream.url, Path(folder)) as served:
            print_table(figures(served, upstream.url, image.read_bytes(), numbers))


if __name__ == "__main__":
    main()
