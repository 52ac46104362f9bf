"""Finds the qualities at which JPEG, WebP and AVIF look alike, for the tables in `formats.py`.

    python benchmarks/quality.py [PHOTO…]     # without photographs: two generated ones

For each JPEG quality, it prints the quality of the other encoders with the same score, and their
size relative to JPEG, as the median over all images. The score is SSIMULACRA 2 if that package is
installed (the tables were made with it, on six photographs of 384 x 384 pixels), else the SSIM of
`likeness`, which is more lenient with halved color.
"""

import io
import itertools
import math
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from likeness import ssim
from PIL import Image
from scene import photo

SIDE = 384
JPEG = (10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 89, 90, 95, 100)
OTHER = (0, 5, 10, 20, 30, 40, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 98, 100)
ENCODERS: dict[str, dict[str, object]] = {
    "webp": {"method": 4},
    "avif": {"speed": 8, "subsampling": "4:4:4"},
}
Score = Callable[[Image.Image, Image.Image], float]


class Point(NamedTuple):
    """One encoding: the encoder's own quality, the bytes, and the similarity to the source."""

    quality: int
    size: int
    score: float


def main() -> None:
    """Print one line per JPEG quality."""
    photos = [Image.open(path).convert("RGB") for path in sys.argv[1:]]
    images = [_middle(image) for image in photos or [photo(seed=1), photo(seed=2)]]
    score, name = _score()
    print(f"score: {name}; {len(images)} images")
    jpegs = [_jpeg_curve(image, score) for image in images]
    others = {encoder: _curves(images, encoder, score) for encoder in ENCODERS}
    for place, quality in enumerate(JPEG):
        targets = [curve[place] for curve in jpegs]
        median = statistics.median(target.score for target in targets)
        cells = [f"jpeg {quality:3}  score {median:7.3f}"]
        for encoder, curves in others.items():
            cells += _compare(encoder, curves, targets)
        print("  ".join(cells))


def _jpeg_curve(image: Image.Image, score: Score) -> list[Point]:
    return [_jpeg(image, quality, score) for quality in JPEG]


def _curves(images: Sequence[Image.Image], encoder: str, score: Score) -> list[list[Point]]:
    return [_curve(image, encoder, score) for image in images]


def _curve(image: Image.Image, encoder: str, score: Score) -> list[Point]:
    options = ENCODERS[encoder]
    return [_point(image, encoder, {**options, "quality": quality}, score) for quality in OTHER]


def _compare(
    encoder: str, curves: Sequence[Sequence[Point]], targets: Sequence[Point]
) -> Iterator[str]:
    """The quality and size at which an encoder reaches the targets, one per image."""
    reached = map(_equal, curves, targets)
    found = [equal for equal in reached if equal]
    if found:
        quality = statistics.median(quality for quality, _ in found)
        size = statistics.median(size for _, size in found)
        yield f"{encoder} {quality:5.1f}, {size:.2f} of the bytes ({len(found)} images)"


def _score() -> tuple[Score, str]:
    try:
        from ssimulacra2 import compute_ssimulacra2
    except ImportError:
        return ssim, "SSIM"

    def score(one: Image.Image, other: Image.Image) -> float:
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / name) for name in ("one.png", "other.png")]
            for image, path in zip((one, other), paths, strict=True):
                image.save(path, compress_level=1)
            return float(compute_ssimulacra2(*paths))

    return score, "SSIMULACRA 2"


def _middle(image: Image.Image) -> Image.Image:
    """A square from the middle, at half size if possible, which removes camera blur."""
    if min(image.size) >= 2 * SIDE:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    return image.crop((left, top, left + SIDE, top + SIDE))


def _jpeg(image: Image.Image, quality: int, score: Score) -> Point:
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    options = {"quality": quality, "optimize": True, "subsampling": subsampling}
    return _point(image, "jpeg", options, score)


def _point(image: Image.Image, encoder: str, options: dict[str, object], score: Score) -> Point:
    stream = io.BytesIO()
    image.save(stream, encoder, **options)
    again = Image.open(io.BytesIO(stream.getvalue())).convert("RGB")
    return Point(int(str(options["quality"])), len(stream.getvalue()), score(image, again))


def _equal(curve: Sequence[Point], target: Point) -> tuple[float, float] | None:
    """The quality at which a curve reaches a score, and its relative size; None if never."""
    for low, high in itertools.pairwise(curve):
        if low.score <= target.score <= high.score:
            share = (target.score - low.score) / (high.score - low.score)
            size = math.exp(math.log(low.size) + share * math.log(high.size / low.size))
            return low.quality + share * (high.quality - low.quality), size / target.size
    return None


if __name__ == "__main__":
    main()
