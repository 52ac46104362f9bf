"""Measures `flux build` in shards, compared with one process that makes the same images (B8).

    python benchmarks/shards.py [--flux PATH] [--runs 5] [--short]

Both may have as many requests in flight. Shards start together, and the merge counts, too.
"""

import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from build import MANIFEST, Bench, elsewhere
from fanout import Row, Server, print_table, read_options
from loopback import drawn

from flux_cli.build.shards.division import shard_of

IN_FLIGHT = 64


class Load(NamedTuple):
    """What is measured; the server takes `latency` seconds for an image."""

    shards: int
    images: int
    latency: float
    runs: int


LONG = Load(shards=8, images=2048, latency=2.0, runs=5)  # hosted models take longer
SHORT = Load(shards=2, images=8, latency=0.1, runs=1)


def figures(bench: Bench, image: Path, load: Load) -> list[Row]:
    """All rows of the table. The turns alternate, because the load of a machine changes."""
    ratios = [turn(bench, image, load) for _ in range(load.runs)]
    names = [f"a-{number}" for number in range(1, load.images + 1)]
    sizes = Counter(shard_of(name, load.shards) for name in names)
    what = f"wall of {load.shards} shards / one process, {load.images} images"
    imbalance = max(sizes.values()) * load.shards / load.images
    return [
        Row("B8", what, statistics.median(ratios), "<= 1.25"),
        Row("", "images of the largest shard / mean", imbalance, ""),
    ]


def turn(bench: Bench, image: Path, load: Load) -> float:
    """The wall time of all shards and their merge, compared with that of one process."""
    text = MANIFEST.format(seed=1, count=load.images, more="")
    folder = bench.work(text)
    log = folder / "requests"
    with Server(image, load.latency, log=log) as server:
        alone = bench.build(folder, "--quiet", *elsewhere(server.url, IN_FLIGHT)).wall
    check(log, load)
    folder = bench.work(text)
    log = folder / "requests"
    with Server(image, load.latency, log=log) as server:
        parts = divided(bench, folder, server.url, load.shards)
    check(log, load)
    return parts / alone


def divided(bench: Bench, folder: Path, url: str, count: int) -> float:
    """The seconds that all shards and their merge need."""
    began = time.perf_counter()
    words = ["build", "--quiet", *elsewhere(url, IN_FLIGHT), "--shard"]
    shards = [bench.start(folder, *words, f"{number}/{count}") for number in range(1, count + 1)]
    codes = [shard.wait() for shard in shards]
    assert codes == [0] * count, codes
    bench.build(folder, "--merge", "--quiet")
    return time.perf_counter() - began


def check(log: Path, load: Load) -> None:
    """Every image was requested once."""
    seeds = Counter(json.loads(line)["seed"] for line in log.read_text().splitlines())
    assert seeds == Counter(range(1, load.images + 1))


def main() -> None:
    options = read_options(__doc__)
    load = SHORT if options.short else LONG._replace(runs=options.runs)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.png"
        image.write_bytes(drawn(256))
        bench = Bench(options.flux, Path(folder) / "work", load.runs)
        print_table(figures(bench, image, load))


if __name__ == "__main__":
    main()
