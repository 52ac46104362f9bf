"""The five formats a file may have: one row each, as data. How bytes look inside is in `containers`."""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.noun import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json


class Format(NamedTuple):
    """`encoder` holds Pillow's settings for `save`; `quality` the default where the format is lossy."""

    name: str
    suffixes: tuple[str, ...]  # the first is the one we write
    mime: str
    alpha: bool
    quality: int | None
    encoder: dict[str, Json]

    @property
    def suffix(self) -> str:
        return self.suffixes[0]


# Settings by measurement. PNG: zlib's run-length strategy (3) is smaller and four times faster than the default on
# photographs. AVIF: encoder speed 9 costs 1/12 of the default's time for 0.3 dB. WebP: method 4 is the knee.
FORMATS = {
    row.name: row
    for row in (
        Format("png", ("png",), "image/png", True, None, {"compress_level": 6, "compress_type": 3}),
        Format("jpeg", ("jpg", "jpeg", "jpe", "jfif"), "image/jpeg", False, 90, {"optimize": True}),
        Format("gif", ("gif",), "image/gif", True, None, {}),
        Format("webp", ("webp",), "image/webp", True, 85, {"method": 4}),
        Format("avif", ("avif", "avifs"), "image/avif", True, 75, {"speed": 9}),
    )
}

BY_SUFFIX = {suffix: row.name for row in FORMATS.values() for suffix in row.suffixes}

# Suffixes that plainly ask for a picture format we do not write; any other unknown suffix is part of the name.
FOREIGN_SUFFIXES = frozenset(
    ("apng bmp eps exr hdr heic heif ico j2k jp2 jxl pdf ppm psd qoi svg tga tif tiff").split()  # noqa: SIM905 - words
)


def format_named(text: str) -> str:
    """The format a person means by `jpg`, `JPEG`, `webp`... Raises UsageError with the five names."""
    folded = text.strip().lower().removeprefix(".").removeprefix("image/")
    if name := BY_SUFFIX.get(folded):
        return name
    message = f"output_format {text!r} is not one of {', '.join(FORMATS)}"
    raise UsageError(message, hint=did_you_mean(folded, BY_SUFFIX))


def format_of_suffix(path: str) -> str | None:
    """The format a file name chooses by its suffix; None where it chooses none.

    Raises UsageError for the suffix of a picture format that flux does not write.
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
