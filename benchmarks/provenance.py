"""Measures the cost of saving as received (P1), and of detecting truncated images (P2).

    python benchmarks/provenance.py [--json] [--short]

P1 is relative to writing the same bytes. P2 counts how many truncated images are detected. Both
sides of each ratio are measured in turns in one run; the figures are medians of CPU time. `--short`
only checks that everything works, once and on small images.
"""

import argparse
import hashlib
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from flux_cli.core.errors import ImageError
from flux_cli.images.containers.registry import inspect
from flux_cli.images.metadata.record import BY_MODEL, Record
from flux_cli.images.metadata.write import write_record

ROUNDS, CUTS, SIDES, SMALL = 31, 23, (2048, 2048), (256, 256)
RECORD = Record(
    model="flux1.1-pro-ultra",
    provider="lumenfall",
    prompt="a red fox in the snow " * 10,
    seed=7,
    size="1:1",
    request_id="img_0123456789",
    created="2026-01-02T03:04:05Z",
    tool="flux",
    source_type=BY_MODEL,
)


def drawn(size: tuple[int, int]) -> Image.Image:
    """Gradients and noise, as hard to compress as a photograph."""
    gray = Image.radial_gradient("L").resize(size)
    noise = Image.effect_noise(size, 24)
    return Image.merge("RGB", (gray, Image.blend(gray, noise, 0.3), noise))


def encoded(image: Image.Image, file_format: str) -> bytes:
    stream = io.BytesIO()
    save(image, stream, file_format)
    return stream.getvalue()


def save(image: Image.Image, target: io.BytesIO | Path, file_format: str) -> None:
    """Encode an image, with the fastest settings of AVIF."""
    options = {"speed": 10} if file_format == "avif" else {}
    image.save(target, file_format, **options)


def cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def medians(arms: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each function. They take turns."""
    taken: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, work in arms.items():
            taken[name].append(cpu(work))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def saving(data: bytes, folder: Path, rounds: int) -> dict[str, float | bool]:
    """P1 for one image, without fsync, because its cost depends on the disk."""
    path = folder / "image"

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            file.write(data)

    def checked() -> None:
        inspect(data)
        write()

    def with_record() -> None:
        inspect(data)
        with path.open("wb", buffering=0) as file:
            for piece in write_record(data, RECORD).pieces:
                file.write(piece)

    def encode_again() -> None:
        with Image.open(io.BytesIO(data)) as image:
            save(image, path, str(image.format).lower())

    write()
    base = medians({"write": write, "as received": checked, "with record": with_record}, rounds)
    checked()
    same = hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()
    again = medians({"encode": encode_again}, min(3, rounds))["encode"]
    return {
        **{name: seconds / base["write"] for name, seconds in base.items()},
        "encoded again": again / base["write"],
        "identical": same,
        "write ms": base["write"] * 1000,
    }


def cuts(data: bytes, rounds: int) -> dict[str, float]:
    """P2 for one image: truncations detected by the walk and by a full decode, and their costs."""
    anywhere = [len(data) * part // (CUTS - 2) for part in range(CUTS - 3)]
    near_the_end = [len(data) - 1, len(data) - 2, len(data) - 8]
    parts = [data[:length] for length in sorted({*anywhere, *near_the_end})]

    def decode(some: bytes) -> None:
        with Image.open(io.BytesIO(some)) as image:
            image.load()

    def notices(look: Callable[[bytes], object], some: bytes) -> bool:
        try:
            look(some)
        except (ImageError, OSError, ValueError, SyntaxError, RuntimeError, EOFError):
            return True
        return False

    cost = medians({"walk": lambda: inspect(data), "decode": lambda: decode(data)}, min(9, rounds))
    by_walk = sum(notices(inspect, part) for part in parts)
    by_decode = sum(notices(decode, part) for part in parts)
    return {
        "cuts": len(parts),
        "walk": by_walk,
        "decode": by_decode,
        "cost": cost["walk"] / cost["decode"],
    }


def recorded_copy(data: bytes) -> bytes:
    """The image with a record."""
    return b"".join(write_record(data, RECORD).pieces)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    image, rounds = (drawn(SMALL), 1) if options.short else (drawn(SIDES), ROUNDS)
    images = {name: encoded(image, name) for name in ("png", "jpeg", "gif", "webp", "avif")}
    with tempfile.TemporaryDirectory() as folder:
        p1 = {name: saving(data, Path(folder), rounds) for name, data in images.items()}
    p2 = {name: cuts(data, rounds) for name, data in images.items()}
    recorded = {name: recorded_copy(data) for name, data in images.items()}
    p2_record = {name: cuts(data, rounds) for name, data in recorded.items()}
    if options.json:
        print(json.dumps({"P1": p1, "P2": p2, "P2 with record": p2_record}, indent=2))
        return
    print("P1  CPU of saving, over writing the same bytes")
    print("format   MB     write ms  as received  with record  encoded again  sha256 same")
    for name, row in p1.items():
        figures = (row["as received"], row["with record"], row["encoded again"])
        cells = "".join(f"{figure:>13.2f}" for figure in figures)
        size = f"{len(images[name]) / 1e6:5.1f}"
        print(f"{name:7}{size}{row['write ms']:13.2f}{cells}  {row['identical']}")
    for title, rows in (("as received", p2), ("with record", p2_record)):
        print(f"P2  truncated images detected, {title}: walk, full decode; cost of a walk / decode")
        for name, found in rows.items():
            count = found["cuts"]
            detected = f"{found['walk']:3}/{count} {found['decode']:5}/{count}"
            print(f"{name:7}{detected} {found['cost']:9.3%}")


if __name__ == "__main__":
    main()
