"""Pixels to the bytes of a file: the settings are `core.formats`' data, the search for a size limit is here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from flux_cli.core.errors import UsageError
from flux_cli.core.finish import Output
from flux_cli.core.formats import encoder
from flux_cli.imaging.colour import flattened, to_srgb
from flux_cli.imaging.pillow import saved

if TYPE_CHECKING:
    from flux_cli.core.formats import Effort

GIF_SAMPLE = 16_000  # pixels a palette is chosen from: ten times faster than all of them, and no worse
FLAT = 0.5  # bytes a pixel: a PNG smaller than that is a drawing, where zlib's default strategy beats run lengths
COLOURS = 256  # of a palette


def encoded_within(image: Image.Image, output: Output) -> tuple[bytes, int]:
    """The bytes of a file and the quality they have: the one asked, or the best that fits into `max_bytes`.

    At most eight encodings. Raises UsageError where nothing fits.
    """
    make = partial(encoded, image, output.format, effort=output.effort, lossless=output.lossless)
    data, limit = make(output.quality), output.max_bytes
    if limit is None or len(data) <= limit:
        return data, output.quality
    if output.lossless or "quality" not in encoder(output.format, output.quality):
        raise _too_large(output, data, "and has no quality to lower")
    best, low, high = None, 0, output.quality
    while high - low > 1:
        middle = (low + high) // 2
        data = make(middle)
        if len(data) <= limit:
            best, low = (data, middle), middle
        else:
            high = middle
    if best is None:
        raise _too_large(output, data, "even at the lowest quality")
    return best


def encoded(
    image: Image.Image, file_format: str, quality: int, effort: Effort = "balanced", *, lossless: bool = False
) -> bytes:
    """RGB or RGBA pixels as a file; `quality` looks alike in every lossy format."""
    settings = encoder(file_format, quality, effort, lossless=lossless)
    profile = image.info.get("icc_profile")
    if file_format == "gif":
        return saved(_paletted(to_srgb(image, profile or b"")), "gif", settings)
    if profile:
        settings["icc_profile"] = profile
    if file_format == "png":
        return _png(image, settings, effort)
    return saved(flattened(image) if file_format == "jpeg" else image, file_format, settings)


def _png(image: Image.Image, settings: Mapping[str, object], effort: Effort) -> bytes:
    """The smaller of two strategies where both may win; at `small`, few colours become a palette of just those."""
    shown = image if effort != "small" else _with_palette(image) or image
    first = saved(shown, "png", settings)
    if effort == "fast" or (effort == "balanced" and len(first) > FLAT * image.width * image.height):
        return first
    default = {name: value for name, value in settings.items() if name != "compress_type"}
    return min(first, saved(shown, "png", default), key=len)


def _with_palette(image: Image.Image) -> Image.Image | None:
    """The same pixels by a palette, where they have so few colours that it loses nothing."""
    if image.mode != "RGB" or image.getcolors(COLOURS) is None:
        return None
    few = image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return None if ImageChops.difference(few.convert("RGB"), image).getbbox() else few


def _paletted(image: Image.Image) -> Image.Image:
    """256 colours chosen from a sample of the picture, then dithered; transparency becomes on or off."""
    flat = image.convert("RGB")
    step = max(1, int((flat.width * flat.height / GIF_SAMPLE) ** 0.5))
    sample = flat.resize((max(1, flat.width // step), max(1, flat.height // step)), Image.Resampling.NEAREST)
    if image.mode != "RGBA":
        palette = sample.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1)
        return flat.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    palette = sample.quantize(COLOURS - 1, Image.Quantize.MEDIANCUT, kmeans=1)
    paletted = flat.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    clear = COLOURS - 1
    paletted.paste(clear, mask=image.getchannel("A").point(lambda value: 255 * (value < 128)))
    paletted.info["transparency"] = clear
    return paletted


def _too_large(output: Output, data: bytes, why: str) -> UsageError:
    frame = f"{output.frame.width}x{output.frame.height} {output.format}"
    message = f"--max-bytes {output.max_bytes:,}: {frame} takes {len(data):,} bytes {why}"
    return UsageError(message, hint="allow more bytes, or ask for fewer pixels or another format (avif is smallest)")
