"""Measures `flux build`: plans, checks, variants, requests, and kills (B3, B5 to B7, B9).

    python benchmarks/build.py [--flux PATH] [--runs 5] [--short]

Every figure is a ratio to something measured in the same run, or a count. `--short` only checks
that everything works, with small numbers. `startup.py` shows that other commands start as before.
"""

import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from fanout import LATENCY, LOOPBACK, Row, Run, Server, read_options

MANIFEST = """[assets.a]
model = "any"
prompt = "a cat"
seed = {seed}
n = {count}
{more}output = "out/{{name}}.png"
"""
SHOP = """[assets.a]
model = "flux1.1-pro-ultra"
rows = "rows.csv"
name = "{{sku}}"
prompt = "a {{thing}}"
size = "16:9"
{more}output = "img/{{name}}.{formats}"
"""
ALONE = {"more": "", "formats": "webp"}
NINE = {"more": "width = [480, 960, 1440]\n", "formats": "{avif,webp,jpg}"}
START = [sys.executable, "-c", "pass"]


class Bench:
    """Runs of the installed command, each in a folder of its own below `folder`."""

    def __init__(self, flux: str, folder: Path, runs: int) -> None:
        self._flux, self._folder, self._runs = flux, folder, runs
        self._numbers = itertools.count()

    def work(self, manifest: str) -> Path:
        """A new folder with a manifest."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir(parents=True)
        (folder / "flux-build.toml").write_text(manifest)
        return folder

    def start(self, folder: Path, *line: str) -> subprocess.Popen[bytes]:
        return started([self._flux, *line], folder)

    def build(self, folder: Path, *words: str, code: int = 0) -> Run:
        return measured([self._flux, "build", *words], folder, code)

    def repeat(self, folder: Path, *words: str) -> Run:
        """The median of several builds that change nothing."""
        return median([self.build(folder, *words) for _ in range(self._runs)])

    def generate(self, url: str, count: int, concurrency: int) -> Run:
        """The median of several runs of `flux generate`."""
        line = [self._flux, "generate", "a cat", "-m", "any", "--seed", "1", "-n", str(count)]
        line += ["-o", "out/", "--quiet", *elsewhere(url, concurrency)]
        return median([measured(line, self.work("")) for _ in range(self._runs)])

    def fresh(self, url: str, count: int, concurrency: int) -> Run:
        """The median of several builds of new images."""
        text = MANIFEST.format(seed=1, count=count, more="")
        words = ["--quiet", *elsewhere(url, concurrency)]
        return median([self.build(self.work(text), *words) for _ in range(self._runs)])

    def other(self, line: list[str], folder: Path) -> Run:
        """The median of several runs of another program."""
        return median([measured(line, folder) for _ in range(self._runs)])


def elsewhere(url: str, concurrency: int) -> list[str]:
    base = f"{url}/openai/v1"
    return ["--base-url", base, "--no-key", "--concurrency", str(concurrency)]


def started(line: list[str], folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "FLUX_STATE": str(folder / "state"), "HOME": str(folder)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(line, cwd=folder, env=environment, **quiet)


def measured(line: list[str], folder: Path, code: int = 0) -> Run:
    began = time.perf_counter()
    process = started(line, folder)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == code, (line, process.returncode)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: list[Run]) -> Run:
    return Run(*map(statistics.median, zip(*runs, strict=True)))


def figures(bench: Bench, image: Path, tiny: Path, *, short: bool) -> Iterator[Row]:
    """All rows of the table, as they are measured."""
    yield from plans(bench, 200 if short else 10_000)
    yield from requests(bench, image, 16 if short else 256)
    yield from variants(bench, tiny, 8 if short else 100)
    yield checks(bench, 10 if short else 1000)
    yield from kills(bench, tiny, 3 if short else 100)


def plans(bench: Bench, count: int) -> list[Row]:
    """B3: CPU time and memory of a plan of unchanged assets."""
    rows = []
    for files, kind, target in ((1, ALONE, 60), (9, NINE, 200)):
        folder = bench.work(SHOP.format(**kind))
        cells = "".join(f"s{number:05},cup {number},{number}\n" for number in range(count))
        (folder / "rows.csv").write_text(f"sku,thing,seed\n{cells}")
        prepare(folder, 300)
        run, start = bench.repeat(folder, "--plan"), bench.other(START, folder)
        what = f"--plan of {count:,} with {files} files: starts of Python"
        rows.append(Row("B3", what, run.cpu / start.cpu, f"<= {target}"))
        rows.append(Row("B3", "the same: MiB", run.peak, "<= 100"))
    return rows


def requests(bench: Bench, image: Path, count: int) -> list[Row]:
    """B5: a build of new images, compared with a run of as many."""
    with Server(image) as server:
        built = bench.fresh(server.url, count, 64).cpu
        made = bench.generate(server.url, count, 64).cpu
    with Server(image, LATENCY) as server:
        slow = bench.fresh(server.url, count, 64).wall
        wall = slow / bench.generate(server.url, count, 64).wall
    return [
        Row("B5", f"CPU of build / generate, {count} images", built / made, "<= 1.35"),
        Row("B5", "wall of the same, 64 in flight", wall, "<= 1.1"),
    ]


def variants(bench: Bench, image: Path, count: int) -> list[Row]:
    """B6: files that are written for one more width. Without a server, nothing can be sent."""
    text = MANIFEST.format(seed=1, count=count, more="width = [4]\n")
    folder = bench.work(text)
    with Server(image) as server:
        bench.build(folder, "--quiet", *elsewhere(server.url, 16))
    before = written(folder)
    (folder / "flux-build.toml").write_text(text.replace("[4]", "[4, 6]"))
    bench.build(folder, "--quiet", *elsewhere("http://127.0.0.1:9", 16))
    changed = written(folder).items() - before.items()
    return [
        Row("B6", f"one more width for {count}: files written / added", len(changed) / count, "1")
    ]


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("out/*")}


def checks(bench: Bench, megabytes: int) -> Row:
    """B7: a check of large files, compared with `sha256sum`."""
    folder = bench.work(SHOP.format(**ALONE))
    names = [f"s{number}" for number in range(10)]
    (folder / "rows.csv").write_text("sku,thing\n" + "".join(f"{name},cup\n" for name in names))
    prepare(folder, megabytes * 100_000)
    check = bench.repeat(folder, "--check")
    peer = bench.other(["sha256sum", *(f"img/{name}.webp" for name in names)], folder)
    return Row(
        "B7", f"wall of --check of {megabytes} MB / sha256sum", check.wall / peer.wall, "<= 1.5"
    )


def kills(bench: Bench, image: Path, count: int) -> list[Row]:
    """B9: requests beyond one per asset, and images that were requested and are nowhere."""
    chance = random.Random(1)
    twice = lost = 0
    for number in range(count):
        folder = bench.work(MANIFEST.format(seed=100 * number, count=8, more=""))
        log = folder / "requests"
        with Server(image, 0.1, 0.02, log=log) as server:
            words = ["build", *elsewhere(server.url, 8)]
            process = bench.start(folder, *words)
            time.sleep(0.1 + chance.random())
            process.kill()
            process.wait()
            process = bench.start(folder, *words)
            assert process.wait() in (0, 3), folder
        sent = Counter(json.loads(line)["seed"] for line in log.read_text().splitlines())
        twice += sum(sent.values()) - len(sent)
        rows = json.loads((folder / "flux-build.lock").read_text())["assets"]
        for place, seed in enumerate(range(100 * number, 100 * number + 8), 1):
            is_known = "unclear" in rows.get(f"a-{place}", {})
            lost += seed in sent and not is_known and not (folder / f"out/a-{place}.png").exists()
    return [
        Row("B9", f"{count} kills: requests beyond one per asset", twice, "0"),
        Row("B9", "images that were paid for and lost", lost, "0"),
    ]


def prepare(folder: Path, size: int) -> None:
    """Write files of `size` bytes, and a lock that says that the assets were built so.

    It runs in another process, because Linux adds the memory of a parent to that of its children.
    """
    line = [sys.executable, __file__, "prepare", str(size)]
    subprocess.run(line, cwd=folder, check=True)


def write_project(size: int) -> None:
    """The work of `prepare`, in the current folder."""
    from flux_cli.build.lock.file import save_lock
    from flux_cli.build.lock.rows import File, Original
    from flux_cli.build.lock.rows import Row as LockRow
    from flux_cli.build.project import open_projects

    (project,) = open_projects([])
    data = random.Random(1).randbytes(size)
    digest = sha256(data).hexdigest()
    generated = {"cost_usd": 0.06, "provider": "lumenfall", "request_id": "req_01JABCDEFGHJK"}
    generated |= {"run": "20261201-101502-4f3a1c", "time": "2026-12-01T10:15:09Z"}
    original = Original(digest, size, 2752, 1536, "png")
    rows = {}
    Path("img").mkdir()
    for asset in project.assets.values():
        files = {}
        for path, output in asset.files.items():
            Path(path).write_bytes(data)
            files[path] = File(output, digest, size, 1440, 804)
        rows[asset.name] = LockRow(
            asset.request, "0" * 16, asset.requested, generated, original, files
        )
    save_lock(project.lock_path, rows)


def main() -> None:
    options = read_options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        images = {side: Path(folder) / f"{side}.png" for side in (1024, 8)}
        for side, path in images.items():
            subprocess.run([*LOOPBACK, "draw", path, str(side)], check=True)
        bench = Bench(options.flux, Path(folder) / "work", 1 if options.short else options.runs)
        print(f"{'':3}  {'figure':56}  {'ratio':>7}  target")
        for row in figures(bench, images[1024], images[8], short=options.short):
            print(f"{row.name:3}  {row.what:56}  {row.value:7.2f}  {row.target}", flush=True)


if __name__ == "__main__":
    write_project(int(sys.argv[2])) if sys.argv[1:2] == ["prepare"] else main()
