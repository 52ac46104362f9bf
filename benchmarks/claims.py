"""Measures claims: several machines build one manifest, and one of them is killed (B9).

    python benchmarks/claims.py [--flux PATH] [--engine processes|dask] [--requests N] [--workers N]
                                [--store URL] [--short]

A machine is a process with a folder of its own and a state folder of its own. The first is killed
with SIGKILL in the middle of its work, and started again. With Dask, there is one folder, and a
worker of `flux build --on dask` is killed, which Dask starts again. The server counts requests: the
figures are those that were paid for twice, those whose outcome is unclear, and the wall time as a
ratio to one process without a store. Needs `flux-image-cli[store]`, and `[dask]` for Dask.
`--short` only checks that it works.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from build import MANIFEST, elsewhere
from fanout import LOOPBACK, Row, Server

LATENCY = 0.05  # seconds the server takes for an image
CONCURRENCY = 8  # of each machine
TICK = 0.01
LAST = 3  # builds, until nothing is left that another machine was requesting


class Machines:
    """The machines, below one folder."""

    def __init__(self, options: argparse.Namespace, folder: Path, url: str) -> None:
        self._line = [options.flux, "build", "--quiet", "--yes", *elsewhere(url, CONCURRENCY)]
        self._text = MANIFEST.format(seed=1, count=options.requests, more="")
        self._folder = folder

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a build of one machine."""
        work = self._folder / name
        work.mkdir(exist_ok=True)
        (work / "flux-build.toml").write_text(self._text)
        own = {"FLUX_STATE": str(work / "state"), "HOME": str(work)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([*self._line, *words], cwd=work, env=os.environ | own, **quiet)

    def unclear(self, name: str) -> set[int]:
        """The numbers of the assets that are unclear for a machine."""
        lock = json.loads((self._folder / name / "flux-build.lock").read_text())
        rows = lock["assets"].items()
        return {int(asset.rpartition("-")[2]) for asset, row in rows if "unclear" in row}

    def workers(self, name: str) -> list[int]:
        """The numbers of the processes that have started parts of a build."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                is_part = b"flux_cli.build.engines.child" in (path / "cmdline").read_bytes()
                if is_part and (path / "cwd").samefile(self._folder / name):
                    found.append(int((path / "stat").read_text().rpartition(")")[2].split()[1]))
            except OSError:
                continue  # it has ended
        return found

    def missing(self, name: str, count: int) -> int:
        return count - len(list((self._folder / name / "out").glob("*.png")))


def sent(log: Path) -> Counter[int]:
    """How often each seed was requested."""
    return Counter(json.loads(line)["seed"] for line in log.read_text().splitlines() if line)


def kill_and_restart(machines: Machines, names: list[str], store: str, log: Path, at: int) -> None:
    """All machines build; the first is killed after `at` requests of all, and started again."""
    running = [machines.start(name, "--store", store) for name in names]
    while log.read_bytes().count(b"\n") < at:
        assert running[0].poll() is None, "it ended before it could be killed"
        time.sleep(TICK)
    running[0].kill()
    running[0].wait()
    running[0] = machines.start(names[0], "--store", store)
    for process in running:
        assert process.wait() in (0, 3), process.args


def kill_a_worker(machines: Machines, names: list[str], store: str, log: Path, at: int) -> None:
    """Dask builds in one folder; one of its workers is killed after `at` requests of all."""
    build = machines.start(*names, "--on", "dask", "--store", store)
    while log.read_bytes().count(b"\n") < at:
        assert build.poll() is None, "it ended before a worker could be killed"
        time.sleep(TICK)
    os.kill(machines.workers(*names)[0], signal.SIGKILL)
    assert build.wait() in (0, 3), build.args


def figures(options: argparse.Namespace, folder: Path, image: Path) -> Iterator[Row]:
    """All rows of the table."""
    count, store = options.requests, options.store or f"file://{folder}/store"
    with Server(image, LATENCY, log=folder / "log-alone") as server:
        began = time.monotonic()
        assert Machines(options, folder, server.url).start("alone").wait() == 0
        alone = time.monotonic() - began
    log = folder / "log"
    log.touch()
    with Server(image, LATENCY, log=log) as server:
        machines = Machines(options, folder, server.url)
        is_dask = options.engine == "dask"
        names = [f"machine-{number}" for number in range(1 if is_dask else options.workers)]
        began = time.monotonic()
        disturb = kill_a_worker if is_dask else kill_and_restart
        disturb(machines, names, store, log, count // 2)
        wall = time.monotonic() - began
        for _ in range(LAST):  # what others were still requesting is in the store by now
            for name in names:
                assert machines.start(name, "--store", store).wait() in (0, 3), name
    requests = sent(log)
    unclear = [machines.unclear(name) for name in names]
    missing = [machines.missing(name, count) for name in names]
    killed = "a worker of Dask killed" if is_dask else f"{len(names)} machines, one killed"
    what = f"{count:,} requests, {killed}"
    yield Row("B9", f"{what}: paid twice", sum(requests.values()) - len(requests), "0")
    yield Row("B9", "the same: unclear, and never repeated", len(unclear[0]), f"<= {CONCURRENCY}")
    yield Row("B9", "missing on any machine, and not unclear", lost(missing, unclear), "0")
    yield Row("B9", "wall, over that of one process without a store", wall / alone, "-")


def lost(missing: list[int], unclear: list[set[int]]) -> int:
    return sum(abs(files - len(known)) for files, known in zip(missing, unclear, strict=True))


def read_options() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--flux", default=str(Path(sys.executable).parent / "flux"))
    parser.add_argument("--engine", choices=("processes", "dask"), default="processes")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--store", help="address of an empty store [default: a local folder]")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    if options.short:
        options.requests, options.workers = 40, 2
    return options


def main() -> None:
    options = read_options()
    with tempfile.TemporaryDirectory() as name:
        image = Path(name) / "image.png"
        subprocess.run([*LOOPBACK, "draw", image, "8"], check=True)
        print(f"{'':3}  {'figure':56}  {'ratio':>7}  target")
        for row in figures(options, Path(name), image):
            print(f"{row.name:3}  {row.what:56}  {row.value:7.2f}  {row.target}", flush=True)


if __name__ == "__main__":
    main()
