"""Encodes pixels as files, within a size limit if there is one. The settings are in `formats`."""

from __future__ import annotations

from functools import partial

from PIL import Image

from flux_cli.core.errors import UsageError
from flux_cli.images.formats import FORMATS, encoder
from flux_cli.images.outputs import Output
from flux_cli.images.pixels.color import flatten, to_srgb
from flux_cli.images.pixels.encoding.palette import COLORS, choose_palette, exact_palette
from flux_cli.images.pixels.encoding.png_encoder import encode_png
from flux_cli.images.pixels.pillow import save


def encode_within(image: Image.Image, output: Output) -> tuple[bytes, int]:
    """The bytes of a file and their quality: the requested one, or the best that fits `max_bytes`.

    Takes at most eight encodings. Raises UsageError if the file does not fit at any quality.
    """
    make = partial(encode, image, output.format, effort=output.effort, lossless=output.lossless)
    data = make(output.quality)
    if output.max_bytes is None or len(data) <= output.max_bytes - output.added:
        return data, output.quality
    if output.lossless or "quality" not in encoder(output.format, output.quality):
        raise _too_large(output, data, "and has no quality to lower")
    best, low, high = None, 0, output.quality
    while high - low > 1:
        middle = (low + high) // 2
        data = make(middle)
        if len(data) <= output.max_bytes - output.added:
            best, low = (data, middle), middle
        else:
            high = middle
    if best is None:
        raise _too_large(output, data, "even at the lowest quality")
    return best


def encode(
    image: Image.Image,
    file_format: str,
    quality: int,
    effort: str = "balanced",
    *,
    lossless: bool = False,
) -> bytes:
    """Encode gray or RGB pixels, with alpha or without.

    `quality` (0 to 100) looks the same in every lossy format.
    Raises UsageError if `lossless` is set and the format cannot be lossless.
    """
    settings = encoder(file_format, quality, effort, lossless=lossless)
    profile = image.info.get("icc_profile")
    if profile and FORMATS[file_format].has_profile:
        settings["icc_profile"] = profile
    elif profile:
        image = to_srgb(image, profile)
    if image.mode in ("L", "LA"):
        settings |= FORMATS[file_format].gray or {}
    if file_format == "gif":
        return save(_gif(image), "gif", settings)
    if file_format == "png":
        return encode_png(image, settings, effort)
    pixels = image if FORMATS[file_format].alpha else flatten(image)
    data = save(pixels, file_format, settings)
    if settings.get("progressive"):  # its scans make a large JPEG smaller, and a small one larger
        plain = save(pixels, file_format, settings | {"progressive": False})
        data = min(data, plain, key=len)
    return data


def _gif(image: Image.Image) -> Image.Image:
    """The image with a palette of 256 colors. Pixels become fully transparent or fully opaque."""
    if image.mode == "LA":
        image = image.convert("RGBA")
    if image.mode != "RGBA":
        return exact_palette(image) or choose_palette(image)
    clear, flat = COLORS - 1, image.convert("RGB")
    paletted = exact_palette(flat, clear) or choose_palette(flat, clear)
    paletted.paste(clear, mask=image.getchannel("A").point(lambda value: 255 * (value < 128)))
    paletted.info["transparency"] = clear
    return paletted


def _too_large(output: Output, data: bytes, why: str) -> UsageError:
    frame = f"{output.frame.width}x{output.frame.height} {output.format}"
    size = len(data) + output.added
    message = f"--max-bytes {output.max_bytes:,}: {frame} takes {size:,} bytes {why}"
    hint = "allow more bytes, or ask for fewer pixels or another format (avif is smallest)"
    return UsageError(message, hint=hint)
