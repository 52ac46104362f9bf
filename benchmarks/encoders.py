"""Compares the encoders with reference tools on one generated photograph: time and size as ratios.

    python benchmarks/encoders.py [--short]

It compares with vips, cwebp, avifenc, cjpeg and optipng if they are installed. Programs are
compared as whole processes; the figure in brackets leaves out what the same command costs for one
pixel (Python, the command line, Pillow). Pillow is compared by calls. Rows with `at equal …` first
find the quality at which our file has the size of the peer's, or the same similarity to the source.
`--short` only checks that everything works, once and on a small image.
"""

import argparse
import io
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
from typing import NamedTuple

from likeness import psnr, ssim
from PIL import Image
from scene import graphic, photo, text

from flux_cli.images.pixels.encoding.encode import encode

ROUNDS = 5
SMALL = (344, 192)  # pixels of the short form
FLUX = str(Path(sys.executable).with_name("flux"))


class Row(NamedTuple):
    """One comparison: the ratios of our figures to the peer's, and the targets."""

    name: str
    peer: str
    ratios: str
    target: str


class Case(NamedTuple):
    """The images to compare with, and the number of rounds."""

    photo: Image.Image
    drawing: Image.Image
    rounds: int


def main() -> None:
    """Print the table."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--short", action="store_true")
    short = parser.parse_args().short
    # An installed command is compiled once, not at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        image, drawing = (photo(SMALL), graphic(SMALL)) if short else (photo(), graphic())
        image.save("photo.png", compress_level=6)
        drawing.save("drawing.png")
        Image.new("RGB", (1, 1)).save("pixel.png")
        case = Case(image, drawing, 1 if short else ROUNDS)
        compared = (
            e1,
            e1_balanced,
            jpeg_small,
            e2,
            webp_small,
            e3,
            e3_balanced,
            e4,
            text_as_png,
            e5,
            flat,
        )
        rows = [row for compare in compared if (row := compare(case))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def e1(case: Case, effort: str = "fast") -> Row | None:
    """JPEG, CPU time of the whole process. With `fast`, both use the standard Huffman tables."""
    if not shutil.which("vips"):
        return _missing("vips")
    peer = ["vips", "copy", "photo.png", "peer.jpg[Q=80]"]
    cpu = _both(case.rounds, _flux("jpg", "-q", "80", "--effort", effort), peer, cpu=True)
    size = _size("ours.jpg") / _size("peer.jpg")
    ratios = f"cpu {cpu}, size {size:.3f}"
    return Row(f"E1 png to jpeg, effort {effort}", "vips copy [Q=80]", ratios, "cpu 1.4")


def e1_balanced(case: Case) -> Row | None:
    """The same at the default effort."""
    return e1(case, "balanced")


def jpeg_small(case: Case) -> Row | None:
    """JPEG at --effort small against the reference encoder's best."""
    if not shutil.which("cjpeg"):
        return _missing("cjpeg")
    case.photo.save("photo.ppm")
    options = ["-quality", "80", "-optimize", "-progressive"]
    _run(["cjpeg", *options, "-outfile", "peer.jpg", "photo.ppm"])
    size = len(encode(case.photo, "jpeg", 80, "small")) / _size("peer.jpg")
    peer = "cjpeg -optimize -progressive"
    return Row("   jpeg, effort small", peer, f"size {size:.3f}", "1.1")


def e2(case: Case) -> Row | None:
    """WebP at equal size, CPU time of the whole process."""
    if not shutil.which("cwebp"):
        return _missing("cwebp")
    peer = ["cwebp", "-quiet", "-q", "80", "-m", "4", "photo.png", "-o", "peer.webp"]
    _run(peer)
    quality = _nearest(lambda at: len(encode(case.photo, "webp", at)), _size("peer.webp"))
    cpu = _both(case.rounds, _flux("webp", "-q", str(quality)), peer, cpu=True)
    gain = psnr(Image.open("ours.webp"), case.photo) - psnr(Image.open("peer.webp"), case.photo)
    size = _size("ours.webp") / _size("peer.webp")
    ratios = f"cpu {cpu}, size {size:.3f}, {gain:+.2f} dB (-q {quality})"
    return Row("E2 png to webp at equal size", "cwebp -q 80 -m 4", ratios, "cpu 1.3")


def webp_small(case: Case) -> Row | None:
    """WebP at --effort small, size at equal SSIM."""
    if not shutil.which("cwebp"):
        return None
    _run(["cwebp", "-quiet", "-q", "80", "-m", "6", "photo.png", "-o", "peer.webp"])

    def likeness(quality: int) -> float:
        return ssim(_again(encode(case.photo, "webp", quality, "small")), case.photo)

    quality = _nearest(likeness, ssim(Image.open("peer.webp"), case.photo))
    size = len(encode(case.photo, "webp", quality, "small")) / _size("peer.webp")
    ratios = f"size {size:.3f} (-q {quality})"
    return Row("   webp, effort small, at equal ssim", "cwebp -q 80 -m 6", ratios, "1.1")


def e3(case: Case, effort: str = "fast") -> Row | None:
    """AVIF at equal PSNR, wall time of the whole process. `fast` has the peer's encoder speed.

    Our files are tuned for human eyes: by PSNR, they need a fifth more bytes; by SSIMULACRA 2,
    fewer.
    """
    if not shutil.which("avifenc"):
        return _missing("avifenc")
    peer = ["avifenc", "-s", "9", "-j", "2", "--min", "20", "--max", "26", "photo.png", "peer.avif"]
    _run(peer)

    def likeness(quality: int) -> float:
        return psnr(_again(encode(case.photo, "avif", quality, effort)), case.photo)

    target = psnr(Image.open("peer.avif"), case.photo)
    quality = _nearest(likeness, target)
    ours = _flux("avif", "-q", str(quality), "--effort", effort)
    wall = _both(case.rounds, ours, peer, cpu=False)
    gain = psnr(Image.open("ours.avif"), case.photo) - target
    size = _size("ours.avif") / _size("peer.avif")
    ratios = f"wall {wall}, size {size:.3f}, {gain:+.2f} dB (-q {quality})"
    name = f"E3 png to avif at equal psnr, effort {effort}"
    return Row(name, "avifenc -s 9 -j 2", ratios, "wall 1.5")


def e3_balanced(case: Case) -> Row | None:
    """The same at the default effort, which spends more time for smaller files."""
    return e3(case, "balanced")


def e4(case: Case) -> Row:
    """PNG, only the call."""
    cpu, mine, peer = _compare_calls(case, "png")
    ratios = f"cpu {cpu:.2f}, size {len(mine) / len(peer):.3f}"
    return Row("E4 png", "Pillow's default", ratios, "cpu 0.4, size 1.03")


def text_as_png(case: Case) -> Row:
    """Text as PNG, only the call."""
    image = text(SMALL) if case.rounds == 1 else text()
    cpu, mine, peer = _compare_calls(case._replace(photo=image), "png")
    ratios = f"cpu {cpu:.2f}, size {len(mine) / len(peer):.3f}"
    return Row("   text as png", "Pillow's default", ratios, "size 1.03")


def e5(case: Case) -> Row:
    """GIF, only the call."""
    cpu, mine, peer = _compare_calls(case, "gif")
    gain = psnr(_again(mine), case.photo) - psnr(_again(peer), case.photo)
    far = _far(case.photo)
    seen = psnr(_far(_again(mine)), far) - psnr(_far(_again(peer)), far)
    quality = f"{gain:+.2f} dB, at a quarter {seen:+.2f} dB"
    ratios = f"cpu {cpu:.2f}, size {len(mine) / len(peer):.3f}, {quality}"
    return Row("E5 png to gif", "Pillow's default", ratios, "cpu 0.4, +0.5 dB")


def flat(case: Case) -> Row | None:
    """A flat drawing as PNG at --effort small."""
    peer = shutil.which("oxipng") or shutil.which("optipng")
    if not peer:
        return _missing("oxipng or optipng")
    shutil.copy("drawing.png", "peer.png")
    name = Path(peer).name
    _run([peer, "-o", "2", *(["-quiet"] if name == "optipng" else ["-q"]), "peer.png"])
    size = len(encode(case.drawing, "png", 0, "small")) / _size("peer.png")
    return Row("   drawing as png, effort small", f"{name} -o 2", f"size {size:.3f}", "1.1")


def _flux(suffix: str, *options: str) -> list[str]:
    return [FLUX, "convert", "photo.png", "-o", f"ours.{suffix}", "--overwrite", *options]


def _pillow(source: Image.Image, file_format: str) -> bytes:
    stream = io.BytesIO()
    source.save(stream, file_format)
    return stream.getvalue()


def _again(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _far(image: Image.Image) -> Image.Image:
    """The image as seen from further away, where dithered dots blend."""
    return image.reduce(4)


def _nearest(measure: Callable[[int], float], target: float) -> int:
    """The quality whose measure is nearest to the target; it must grow with the quality."""
    low, high = 1, 100
    while high - low > 1:
        middle = (low + high) // 2
        if measure(middle) <= target:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda quality: abs(measure(quality) - target))


def _both(rounds: int, ours: list[str], theirs: list[str], *, cpu: bool) -> str:
    """The ratio of the medians of two interleaved programs.

    In brackets is the ratio without our time for one pixel.
    """
    place = ours.index("photo.png")
    for_one_pixel = [*ours[:place], "pixel.png", *ours[place + 1 :]]
    taken: tuple[list[float], ...] = ([], [], [])
    for _ in range(rounds):
        for times, words in zip(taken, (for_one_pixel, theirs, ours), strict=True):
            cpu_seconds, wall_seconds = _run(words)
            times.append(cpu_seconds if cpu else wall_seconds)
    start, peer, mine = map(statistics.median, taken)
    return f"{mine / peer:.2f} [{(mine - start) / peer:.2f}]"


def _run(words: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of one program."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def _compare_calls(case: Case, file_format: str) -> tuple[float, bytes, bytes]:
    """The ratio of the CPU times of our encoder and Pillow's, interleaved, and their files."""
    taken: tuple[list[float], list[float]] = [], []
    files = [b"", b""]
    for _ in range(case.rounds):
        for arm, call in enumerate((_ours, _pillow)):
            started = time.process_time()
            files[arm] = call(case.photo, file_format)
            taken[arm].append(time.process_time() - started)
    ratio = statistics.median(taken[0]) / statistics.median(taken[1])
    return ratio, files[0], files[1]


def _ours(source: Image.Image, file_format: str) -> bytes:
    return encode(source, file_format, 0)


def _size(path: str) -> int:
    return Path(path).stat().st_size


def _missing(tool: str) -> None:
    print(f"{tool} is not installed; skipping this comparison", file=sys.stderr)


if __name__ == "__main__":
    main()
