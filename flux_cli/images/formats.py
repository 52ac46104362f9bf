"""The formats of image files: one row each, as data.

A format is one row here, and one module of the same name in `containers`. Lookups load this module
at start-up, so it imports neither Pillow nor the containers.
"""

from __future__ import annotations

import itertools

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from flux_cli.core.model import Json

    Settings: TypeAlias = dict[str, Json]

TRANSPARENT = "transparent"  # the value of the parameter `background` that needs alpha
QUALITY = 80  # the default of lossy formats, as in most other tools: artifacts are hard to see
EFFORTS: tuple[str, ...] = ("fast", "balanced", "small")


class Format(NamedTuple):
    """What a format can do, and Pillow's settings for `save` by effort."""

    name: str
    suffixes: tuple[str, ...]  # flux writes the first
    mime: str
    plugin: str  # Pillow's plug-in: PIL.<plugin>ImagePlugin and the class <plugin>ImageFile in it
    effort: dict[str, Settings]
    alpha: bool = True  # whether pixels can be transparent
    has_profile: bool = True  # whether the file holds a color profile; else pixels become sRGB
    # Pairs of JPEG quality, the scale that people know, and the encoder's own quality that looks
    # the same. None for formats without a quality.
    quality: tuple[tuple[int, int], ...] | None = None
    full_color_from: int | None = None  # below this quality, four pixels share one color (4:2:0)
    gray: Settings | None = None  # what replaces settings that are meant for colors
    lossless: dict[str, Settings] | None = None
    why_lossy: str = ""  # why it cannot be lossless
    is_input: bool = False  # whether providers take it as an image input
    web_rank: int = 0  # 1 is what every browser shows, higher is newer, 0 is not for the web
    is_modern: bool = False  # smaller, but old browsers need another format beside it

    @property
    def suffix(self) -> str:
        """The suffix that flux writes, without the dot."""
        return self.suffixes[0]


def _by_effort(fast: Settings, balanced: Settings, small: Settings) -> dict[str, Settings]:
    return {"fast": fast, "balanced": balanced, "small": small}


# All settings are measured: benchmarks/encoders.py compares time and size, benchmarks/quality.py
# finds qualities that look the same.
# PNG: zlib's run-length strategy (3) makes photographs as small as its default, in a quarter of the
# time. For other images, `pixels/encoding/png_encoder.py` tries its default.
# WebP: beyond method 4, little is gained.
# JPEG: `optimize` saves 1 to 5 % for 9 ms per 4 megapixels.
# AVIF: speeds 10 and 9 are the same. At equal SSIMULACRA 2, speed 8 saves 13 % for two to three
# times that time, speed 6 saves 22 % for seven to ten times. Full color and libavif's tuning for
# human eyes (`iq`) make files 12 to 18 % smaller than `tune=psnr` at equal SSIMULACRA 2, though
# larger by PSNR.
# AVIF is not lossless here: Pillow's encoder always converts to YUV (BT.601), which moves colors by
# up to three levels, even at quality 100 in full color and range. aom's `lossless` and
# `matrix-coefficients` do not change that.
_PNG = _by_effort(
    {"compress_level": 1, "compress_type": 3},
    {"compress_level": 6, "compress_type": 3},
    {"compress_level": 9, "compress_type": 3},
)
_GIF: Settings = {"interlace": 0}  # interlaced files are 4 % larger
_ROWS = (
    Format(
        name="png",
        suffixes=("png",),
        mime="image/png",
        plugin="Png",
        effort=_PNG,
        lossless=_PNG,
        is_input=True,
        web_rank=2,
    ),
    Format(
        name="jpeg",
        suffixes=("jpg", "jpeg", "jpe", "jfif"),
        mime="image/jpeg",
        plugin="Jpeg",
        effort=_by_effort({}, {"optimize": True}, {"optimize": True, "progressive": True}),
        alpha=False,
        quality=((0, 0), (100, 100)),
        full_color_from=90,
        gray={"subsampling": -1},  # Pillow's default; the others would be written into the header
        why_lossy="it always loses detail",
        is_input=True,
        web_rank=1,
    ),
    Format(
        name="gif",
        suffixes=("gif",),
        mime="image/gif",
        plugin="Gif",
        has_profile=False,
        effort=_by_effort(_GIF, _GIF, _GIF),
        why_lossy="it has 256 colors",
        is_input=True,
        web_rank=3,
    ),
    Format(
        name="webp",
        suffixes=("webp",),
        mime="image/webp",
        plugin="WebP",
        effort=_by_effort({"method": 2}, {"method": 4}, {"method": 6}),
        quality=(
            (0, 0), (10, 2), (20, 12), (30, 24), (40, 37), (50, 49), (60, 60), (70, 72), (80, 80),
            (85, 85), (89, 88), (90, 95), (100, 100),
        ),
        lossless=_by_effort(
            {"lossless": True, "exact": True, "method": 0, "quality": 0},
            {"lossless": True, "exact": True, "method": 1, "quality": 20},
            {"lossless": True, "exact": True, "method": 4, "quality": 75},
        ),
        is_input=True,
        web_rank=4,
        is_modern=True,
    ),
    Format(
        name="avif",
        suffixes=("avif", "avifs"),
        mime="image/avif",
        plugin="Avif",
        effort=_by_effort(
            {"speed": 9, "subsampling": "4:4:4"},
            {"speed": 8, "subsampling": "4:4:4"},
            {"speed": 6, "subsampling": "4:4:4"},
        ),
        quality=(
            (0, 0), (10, 10), (20, 29), (30, 37), (40, 43), (50, 47), (60, 50), (70, 54), (75, 57),
            (80, 62), (85, 68), (89, 72), (90, 86), (95, 93), (100, 100),
        ),
        gray={"subsampling": "4:0:0"},
        why_lossy="Pillow's encoder changes colors a little",
        web_rank=5,
        is_modern=True,
    ),
)  # fmt: skip
FORMATS = {row.name: row for row in _ROWS}
BY_SUFFIX = {suffix: row.name for row in _ROWS for suffix in row.suffixes}

# Formats that flux neither makes nor decodes, with their suffixes; it writes the first. Images in
# them are saved as received. `containers/foreign.py` recognizes them.
FOREIGN: dict[str, tuple[str, ...]] = {
    "svg": ("svg",),
    "tiff": ("tiff", "tif"),
    "bmp": ("bmp",),
    "heic": ("heic", "heif"),
    "jxl": ("jxl",),
    "jp2": ("jp2",),
    "j2k": ("j2k",),
    "ico": ("ico",),
    "psd": ("psd",),
    "qoi": ("qoi",),
    "exr": ("exr",),
    "hdr": ("hdr",),
    "ppm": ("ppm",),
}
FOREIGN_BY_SUFFIX = {suffix: name for name, row in FOREIGN.items() for suffix in row}

# Suffixes of image formats that flux does not write: to ask for one is an error, except for an
# image that is saved as received. Any other unknown suffix is part of the name.
IMAGE_SUFFIXES = frozenset(("apng", "eps", "pdf", "tga", *FOREIGN_BY_SUFFIX))


def join_or(names: Iterable[str]) -> str:
    """The names as a list in prose: `png, jpeg or gif`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


ALL_FORMATS = join_or(FORMATS)  # for help texts and hints


def suffix_of(name: str) -> str:
    """The suffix of a format, without the dot; other names (`svg`, `json`) are suffixes."""
    return FORMATS[name].suffix if name in FORMATS else name


def format_named(text: str) -> str:
    """The format that `jpg`, `JPEG` or `image/webp` names. Raises UsageError for unknown names."""
    folded = text.strip().lower().removeprefix(".").removeprefix("image/")
    if name := BY_SUFFIX.get(folded):
        return name
    message = f"output_format {text!r} is not one of {', '.join(FORMATS)}"
    raise UsageError(message, hint=did_you_mean(folded, BY_SUFFIX) or "use png, which is lossless")


def encoder(
    file_format: str, quality: int, effort: str = "balanced", *, lossless: bool = False
) -> Settings:
    """Pillow's settings for one file; `quality` (0 to 100) looks the same in every lossy format.

    Raises UsageError if `lossless` is set and the format cannot be lossless.
    """
    row = FORMATS[file_format]
    if lossless:
        return dict(_lossless(row)[effort])
    settings = dict(row.effort[effort])
    if row.quality:
        settings["quality"] = _translate(quality, row.quality)
    if row.full_color_from is not None:
        settings["subsampling"] = "4:4:4" if quality >= row.full_color_from else "4:2:0"
    return settings


def check_lossless(file_format: str) -> None:
    """Raise UsageError for a format that cannot be lossless."""
    _lossless(FORMATS[file_format])


def check_transparent(file_format: str) -> None:
    """Raise UsageError for a format that has no transparent pixels."""
    check_alpha(file_format, f"background is {TRANSPARENT}", "drop the background")


def check_alpha(file_format: str, reason: str, remedy: str) -> None:
    """Raise UsageError for a format without transparency; the error says what needs it."""
    if not FORMATS[file_format].alpha:
        others = join_or(other.name for other in FORMATS.values() if other.alpha)
        message = f"{file_format} has no transparency, and {reason}"
        raise UsageError(message, hint=f"choose {others}, or {remedy}")


def _lossless(row: Format) -> dict[str, Settings]:
    if row.lossless is None:
        others = join_or(other.name for other in FORMATS.values() if other.lossless)
        hint = f"choose {others}, or drop --lossless"
        raise UsageError(f"{row.name} cannot be lossless: {row.why_lossy}", hint=hint)
    return row.lossless


def _translate(quality: int, knots: tuple[tuple[int, int], ...]) -> int:
    """The encoder's own quality, interpolated linearly between the measured points."""
    for (low, at_low), (high, at_high) in itertools.pairwise(knots):
        if quality <= high:
            return round(at_low + (quality - low) * (at_high - at_low) / (high - low))
    return knots[-1][1]


def format_of_suffix(path: str) -> str | None:
    """The format that the suffix of a file name selects; None if it selects none.

    Raises UsageError for the suffix of an image format that flux does not write.
    """
    suffix = split_suffix(path)[1].lower()
    if suffix in IMAGE_SUFFIXES and suffix not in BY_SUFFIX:
        message = f"cannot write .{suffix} files ({path})"
        raise UsageError(message, hint=f"name a {', '.join(FORMATS)} file")
    return BY_SUFFIX.get(suffix)


def foreign_format(path: str) -> str | None:
    """The format of FOREIGN that the suffix of a file name stands for; None for no such suffix."""
    return FOREIGN_BY_SUFFIX.get(split_suffix(path)[1].lower())


def format_of_file(path: str) -> str | None:
    """The format that a file has according to its suffix; None for no image."""
    suffix = split_suffix(path)[1].lower()
    return BY_SUFFIX.get(suffix) or FOREIGN_BY_SUFFIX.get(suffix)


def split_suffix(path: str) -> tuple[str, str]:
    """Split a path into stem and suffix, without the dot. A leading dot does not start a suffix."""
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem:
        return path, ""
    return path[: -len(suffix) - 1], suffix
