"""The five formats a file may have: one row each, as data. How bytes look inside is in `containers`."""

from __future__ import annotations

import itertools

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from flux_cli.core.model import Json

    Settings: TypeAlias = dict[str, Json]

QUALITY = 85  # what a lossy file gets where nobody says otherwise: its faults are hard to find side by side
FULL_COLOR = 90  # from this quality on JPEG keeps every pixel's color; below, four pixels share one
EFFORTS: tuple[str, ...] = ("fast", "balanced", "small")


class Format(NamedTuple):
    """What a format can do, and Pillow's settings for `save` by effort.

    `quality` leads from JPEG's scale, which people know, to the encoder's own number that looks the same; None where
    nothing is lost. `lossless` is None where the format (or its encoder) cannot do without loss.
    """

    name: str
    suffixes: tuple[str, ...]  # the first is the one we write
    mime: str
    alpha: bool
    quality: tuple[tuple[int, int], ...] | None
    effort: dict[str, Settings]
    lossless: dict[str, Settings] | None = None

    @property
    def suffix(self) -> str:
        return self.suffixes[0]


def _by_effort(fast: Settings, balanced: Settings, small: Settings) -> dict[str, Settings]:
    return {"fast": fast, "balanced": balanced, "small": small}


# All by measurement: benchmarks/encoders.py times and weighs them, benchmarks/quality.py finds the equal qualities.
# PNG: zlib's run-length strategy (3) is as small on photographs as its default, in a quarter of the time.
# WebP: method 4 is the knee. JPEG: `optimize` gives 1 to 5 % for 9 ms on 4 megapixels.
# AVIF: 10 and 9 are one setting; at equal SSIMULACRA 2 speed 8 gives 13 % for two to three times that time, 6 gives
# 22 % for seven to ten times. It keeps full color, and libavif's own tuning for eyes (`iq`): at equal SSIMULACRA 2 the
# smaller file, by 12 to 18 % against `tune=psnr`, though by PSNR it is the larger one.
# AVIF is not lossless here: Pillow's encoder always changes to YUV (BT.601), which moves colors by up to three levels,
# at quality 100 and in full color and range too. aom's `lossless` and `matrix-coefficients` do not change that.
_PNG = _by_effort(
    {"compress_level": 1, "compress_type": 3},
    {"compress_level": 6, "compress_type": 3},
    {"compress_level": 9, "compress_type": 3},
)
_GIF: Settings = {"interlace": 0}  # interlaced ones are 4 % larger
FORMATS = {
    row.name: row
    for row in (
        Format("png", ("png",), "image/png", True, None, _PNG, _PNG),
        Format(
            "jpeg", ("jpg", "jpeg", "jpe", "jfif"), "image/jpeg", False, ((0, 0), (100, 100)),
            _by_effort({}, {"optimize": True}, {"optimize": True, "progressive": True}),
        ),
        Format("gif", ("gif",), "image/gif", True, None, _by_effort(_GIF, _GIF, _GIF)),
        Format(
            "webp", ("webp",), "image/webp", True,
            ((0, 0), (10, 2), (20, 12), (30, 24), (40, 37), (50, 49), (60, 60), (70, 72), (80, 81), (89, 88),
             (90, 95), (100, 100)),
            _by_effort({"method": 2}, {"method": 4}, {"method": 6}),
            _by_effort(
                {"lossless": True, "exact": True, "method": 0, "quality": 0},
                {"lossless": True, "exact": True, "method": 1, "quality": 20},
                {"lossless": True, "exact": True, "method": 4, "quality": 75},
            ),
        ),
        Format(
            "avif", ("avif", "avifs"), "image/avif", True,
            ((0, 0), (10, 10), (20, 29), (30, 37), (40, 43), (50, 47), (60, 50), (70, 54), (75, 57), (80, 62), (85, 68),
             (89, 72), (90, 86), (95, 93), (100, 100)),
            _by_effort(
                {"speed": 9, "subsampling": "4:4:4"},
                {"speed": 8, "subsampling": "4:4:4"},
                {"speed": 6, "subsampling": "4:4:4"},
            ),
        ),
    )
}  # fmt: skip

BY_SUFFIX = {suffix: row.name for row in FORMATS.values() for suffix in row.suffixes}

# Suffixes that plainly ask for an image format we do not write; any other unknown suffix is part of the name.
FOREIGN_SUFFIXES = frozenset(
    ("apng bmp eps exr hdr heic heif ico j2k jp2 jxl pdf ppm psd qoi svg tga tif tiff").split()  # noqa: SIM905 - words
)


def suffix_of(name: str) -> str:
    """The suffix of a file: a format's own, or the name itself for what is written beside images."""
    return FORMATS[name].suffix if name in FORMATS else name


def format_named(text: str) -> str:
    """The format a person means by `jpg`, `JPEG`, `webp`... Raises UsageError with the five names."""
    folded = text.strip().lower().removeprefix(".").removeprefix("image/")
    if name := BY_SUFFIX.get(folded):
        return name
    message = f"output_format {text!r} is not one of {', '.join(FORMATS)}"
    raise UsageError(message, hint=did_you_mean(folded, BY_SUFFIX) or "write png: it loses nothing")


def encoder(file_format: str, quality: int, effort: str = "balanced", *, lossless: bool = False) -> Settings:
    """Pillow's settings for one file; `quality` (0 to 100) means the same look in every lossy format.

    Raises UsageError where a lossless file is asked of a format that has none.
    """
    row = FORMATS[file_format]
    if lossless:
        return dict(_lossless(row)[effort])
    settings = dict(row.effort[effort])
    if row.quality:
        settings["quality"] = _translated(quality, row.quality)
    if file_format == "jpeg":
        settings["subsampling"] = "4:4:4" if quality >= FULL_COLOR else "4:2:0"
    return settings


def check_lossless(file_format: str) -> None:
    """Raise UsageError where a format cannot keep every pixel as it is."""
    _lossless(FORMATS[file_format])


def _lossless(row: Format) -> dict[str, Settings]:
    if row.lossless is None:
        able = " or ".join(other.name for other in FORMATS.values() if other.lossless)
        why = {"gif": "has 256 colors", "jpeg": "always loses"}.get(row.name, "loses a little color in this encoder")
        raise UsageError(f"{row.name} cannot be lossless: it {why}", hint=f"choose {able}, or drop --lossless")
    return row.lossless


def _translated(quality: int, knots: tuple[tuple[int, int], ...]) -> int:
    """Between two measured points the way is straight."""
    for (low, at_low), (high, at_high) in itertools.pairwise(knots):
        if quality <= high:
            return round(at_low + (quality - low) * (at_high - at_low) / (high - low))
    return knots[-1][1]


def format_of_suffix(path: str) -> str | None:
    """The format a file name chooses by its suffix; None where it chooses none.

    Raises UsageError for the suffix of an image format that flux does not write.
    """
    suffix = split_suffix(path)[1].lower()
    if suffix in FOREIGN_SUFFIXES:
        message = f"cannot write .{suffix} files ({path})"
        raise UsageError(message, hint=f"name a {', '.join(FORMATS)} file")
    return BY_SUFFIX.get(suffix)


def split_suffix(path: str) -> tuple[str, str]:
    """Stem and suffix without the dot, of the last part of a path only; a leading dot starts no suffix."""
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem:
        return path, ""
    return path[: -len(suffix) - 1], suffix
