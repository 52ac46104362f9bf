"""Measures many images at once, as whole processes against a loopback server (F, O and B).

    python benchmarks/fanout.py [--flux PATH] [--runs 5] [--short]

Every figure is a ratio to something measured in the same run, so that the speed of the machine
cancels out. `--short` only checks that everything works, in one run with small numbers.
"""

import argparse
import itertools
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

MAX_FILES = 4096  # open connections at once, if the system allows it
LATENCY = 0.5  # seconds the server takes for an image
PEER = (
    "curl -s {url}/openai/v1/images/generations -H 'Content-Type: application/json' "
    "-d '{{\"prompt\":\"a\"}}' | jq -r '.data[0].b64_json' | base64 -d > peer.png"
)


# The server and its images need other processes, because Linux adds the memory of a parent to the
# peak memory of its children.
LOOPBACK = (sys.executable, str(Path(__file__).with_name("loopback.py")))
SIDES = {"1": 1024, "4": 2048, "tiny": 8}  # pixels of the square images, by megapixels
GENERATE = (
    "generate", "a", "--no-key", "-m", "any", "--quiet", "--seed", "1",
    "--response-format", "b64_json", "-o", "out/",
)  # fmt: skip


class Run(NamedTuple):
    """One finished process: wall time and CPU time in seconds, and peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


class Row(NamedTuple):
    """One figure of the table."""

    name: str
    what: str
    value: float
    target: str


class Server:
    """A server in a separate process."""

    def __init__(
        self, image: Path, latency: float = 0.0, step: float = 0.0, log: Path | None = None
    ) -> None:
        """With a `log`, the body of each request becomes a line in it."""
        line = [*LOOPBACK, "serve", str(image), str(latency), str(step)]
        line += [str(log)] if log else []
        self._process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class Bench:
    """Runs of the installed command, each in a new folder inside `folder`."""

    def __init__(self, flux: str, folder: Path, runs: int) -> None:
        self._flux, self._runs = flux, runs
        self._folders = (folder / str(number) for number in itertools.count())

    def run(self, url: str, count: int, *more: str) -> Run:
        """The median of several runs for `count` images at once."""
        line = [self._flux, *GENERATE, "--base-url", f"{url}/openai/v1", "-n", str(count), *more]
        if "--concurrency" not in more:
            line += ["--concurrency", str(min(count, 256))]
        return self.median(lambda: measured(line, next(self._folders), expected=count))

    def median(self, one: Callable[[], Run]) -> Run:
        runs = [one() for _ in range(self._runs)]
        return Run(*map(statistics.median, zip(*runs, strict=True)))

    def floor(self, url: str, count: int) -> float:
        """The lower bound in seconds: bare sockets that discard everything."""
        line = [*LOOPBACK, "drain", url, str(count)]
        done = [subprocess.run(line, capture_output=True, check=True) for _ in range(self._runs)]
        return statistics.median(float(one.stdout) for one in done)

    def peer(self, url: str) -> Run:
        """curl, jq and base64 for one image."""
        line = ["sh", "-c", PEER.format(url=url)]
        return self.median(lambda: measured(line, next(self._folders), expected=None))


def measured(line: list[str], folder: Path, expected: int | None) -> Run:
    """Run a command in a new folder, and check that it made the expected number of images."""
    folder.mkdir(parents=True)
    environment = {**os.environ, "FLUX_STATE": str(folder / "state"), "HOME": str(folder)}
    began = time.perf_counter()
    process = subprocess.Popen(line, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, line
    made = emptied(folder)
    assert expected in (None, made), made
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def emptied(folder: Path | str) -> int:
    """Count the images in a folder and its subfolders, and truncate them.

    They are not removed, because for a minute ext4 would look at each removed file whenever it
    creates one. No list of them is made, because Linux adds the memory of this process to the peak
    memory of its children.
    """
    made = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                made += emptied(entry.path)
            elif entry.name.endswith((".png", ".webp")):
                os.truncate(entry.path, 0)
                made += 1
    return made


def figures(bench: Bench, images: dict[str, Path], *, short: bool) -> list[Row]:
    """All rows of the table."""
    with Server(images["1"]) as server:
        single = bench.run(server.url, 1)
        rows = compare_with_curl(bench, server, single)
    rows += compare_walls(bench, images["1"], single, 32 if short else 256)
    rows += [memory_in_flight(bench, images[size], size) for size in ("1", "4")]
    rows.append(Row("", "peak MiB of one image", single.peak, "<= 33"))
    rows.append(conversion(bench, images["1"], single))
    rows += batches(bench, images["tiny"], *((50, 200) if short else (1000, 10_000)))
    return rows


def compare_with_curl(bench: Bench, server: Server, single: Run) -> list[Row]:
    """F5, if the tools for it are installed."""
    if not shutil.which("curl") or not shutil.which("jq"):
        return []
    ratio = single.wall / bench.peer(server.url).wall
    return [Row("F5", "wall of one image / curl | jq | base64", ratio, "<= 3.2")]


def compare_walls(bench: Bench, image: Path, single: Run, large: int) -> list[Row]:
    """F1 and F2: wall time over the latency of the server. F3: CPU time per image."""
    rows = []
    runs = {}
    with Server(image, LATENCY) as server:
        for count in (16, 64, large):
            runs[count] = bench.run(server.url, count)
        for name, count, target in (("F1", 16, "1.4"), ("F2", 64, "2.4"), ("F2", large, "6.5")):
            wall = (runs[count].wall - single.wall) / LATENCY
            floor = bench.floor(server.url, count) / LATENCY
            what = f"wall of {count} / latency (bare sockets: {floor:.2f})"
            rows.append(Row(name, what, wall, f"<= {target}"))
    cpu_of_many = (runs[large].cpu - single.cpu) / large
    cpu_of_16 = (runs[16].cpu - single.cpu) / 16
    what = f"CPU per image of {large} / of 16"
    return [*rows, Row("F3", what, cpu_of_many / cpu_of_16, "<= 1.25")]


def memory_in_flight(bench: Bench, image: Path, megapixels: str) -> Row:
    """F4: what each further image adds to the peak memory."""
    with Server(image, LATENCY) as server:
        one, many = (bench.run(server.url, count).peak for count in (1, 64))
    return Row("F4", f"MiB per image in flight, {megapixels} MP", (many - one) / 63, "<= 0.6")


def conversion(bench: Bench, image: Path, single: Run) -> Row:
    """O1: the wall time that conversion adds while other images arrive."""
    with Server(image, 0.1, 2 / 16) as server:
        plain = bench.run(server.url, 16)
        converted = bench.run(server.url, 16, "-f", "webp")
    with Server(image) as server:
        one = bench.run(server.url, 1, "-f", "webp").wall - single.wall
    added = (converted.wall - plain.wall) / one
    return Row("O1", "wall that conversion adds to 16 / one conversion", added, "<= 2")


def batches(bench: Bench, image: Path, few: int, many: int) -> list[Row]:
    """B1 and B2: CPU time per request, and the memory that thousands of requests need."""
    with Server(image) as server:
        in_turn = bench.run(server.url, few, "--concurrency", "1")
        at_once = bench.run(server.url, few, "--concurrency", "64")
        longer = bench.run(server.url, many, "--concurrency", "64")
    cpu, memory = at_once.cpu / in_turn.cpu, longer.peak - at_once.peak
    return [
        Row("B1", "CPU per request, 64 in flight / 1 in flight", cpu, "<= 1.3"),
        Row("B2", f"MiB of {many:,} requests - of {few:,}", memory, "<= 25"),
    ]


def print_table(rows: list[Row]) -> None:
    """Print all figures."""
    print(f"{'':3}  {'figure':48}  {'ratio':>7}  target")
    for row in rows:
        print(f"{row.name:3}  {row.what:48}  {row.value:7.2f}  {row.target}")


def read_options(description: str | None) -> argparse.Namespace:
    """The options of the command line, with a description for `--help`."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=raw)
    parser.add_argument("--flux", default=str(Path(sys.executable).parent / "flux"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--short", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = read_options(__doc__)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # child processes inherit it
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, MAX_FILES)), hard))
    with tempfile.TemporaryDirectory() as folder:
        images = {name: Path(folder) / f"{name}.png" for name in SIDES}
        for name, side in SIDES.items():
            subprocess.run([*LOOPBACK, "draw", images[name], str(side)], check=True)
        bench = Bench(options.flux, Path(folder) / "work", 1 if options.short else options.runs)
        print_table(figures(bench, images, short=options.short))


if __name__ == "__main__":
    main()
